"""Names that the literature gives a number with the features of one encoder: FID is the Fréchet
distance of one particular Inception net's features.

The encoders say so themselves (`Encoder.published_names`).
"""

import functools
from collections.abc import Mapping
from typing import NamedTuple

from coequal import lookup


class PublishedName(NamedTuple):
    """What a number is called in the literature.

    Attributes:
        number: its name with the features of any other encoder: "fd".
        label: as it is written in the literature: "FD-DINOv2".
        encoders: that come with coequal and give the number this name, where they are known.
    """

    number: str
    label: str
    encoders: tuple[str, ...]


def name_of(label: str) -> str:
    """The name of a number in study files and results: "fd_dinov2" for "FD-DINOv2"."""
    return label.casefold().replace("-", "_").replace(" ", "_")


@functools.cache
def published_names() -> Mapping[str, PublishedName]:
    """Every published name that an encoder of coequal gives a number, by the name in results."""
    found: dict[str, PublishedName] = {}
    for encoder, kind in lookup.with_variants("encoders").items():
        for number, label in kind.published_names.items():
            known = found.get(name_of(label), PublishedName(number, label, ()))
            found[name_of(label)] = known._replace(encoders=(*known.encoders, encoder))
    return found
