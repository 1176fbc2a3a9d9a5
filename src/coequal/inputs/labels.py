"""Labels as users have them: numbers from 0 or names, one an image."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from coequal.datasets._listing import sorted_classes

_MAX_CLASSES = 1_000_000


class Labels(NamedTuple):
    """Labels that can be used, or why there are none.

    Attributes:
        values: (n,) int64; None if there are none.
        classes: names of the labels 0, 1, ...; None if only numbers are known.
        unused: why labels that were given can't be used; empty if they can, or none were given.
    """

    values: Tensor | None = None
    classes: tuple[str, ...] | None = None
    unused: str = ""


def read_labels(given: Sequence[Any], classes: Sequence[str] | None = None) -> Labels:
    """The labels of images.

    Args:
        given: whole numbers from 0, or names of classes, an image each; None means that an image
            has no label, and so does -1 in torchvision and on the hub.
        classes: names of the numbers 0, 1, ..., if they are known.
    """
    plain = [_plain(label) for label in given]
    absent = sum(label is None or (type(label) is int and label == -1) for label in plain)
    if absent == len(plain):
        return Labels()
    if absent:
        return Labels(unused=f"{absent} of {len(plain)} images have no label (None, or -1)")
    if all(isinstance(label, str) for label in plain):
        names = sorted_classes(set(plain))
        place = {name: row for row, name in enumerate(names)}
        return Labels(torch.tensor([place[label] for label in plain]), names)
    for row, label in enumerate(plain):
        if type(label) is not int or label < 0:
            what = f"that of image {row} is {_shortened(given[row])}"
            return Labels(unused=f"labels must be whole numbers from 0, or names, and {what}")
    if classes is not None and max(plain) >= len(classes):
        return Labels(unused=f"labels go up to {max(plain)}, and there are {len(classes)} classes")
    if max(plain) >= _MAX_CLASSES:
        return Labels(unused=f"labels go up to {max(plain)}, which are not class numbers")
    return Labels(torch.tensor(plain), None if classes is None else tuple(classes))


def _plain(label: Any) -> Any:
    """A number or a text in the place of an array that holds one; 2.0 is 2."""
    if isinstance(label, Tensor | np.ndarray | np.generic) and np.prod(label.shape) == 1:
        label = label.item()
    if isinstance(label, bool):
        return int(label)
    return int(label) if isinstance(label, float) and label.is_integer() else label


def _shortened(label: Any) -> str:
    text = f"{label}".replace("\n", " ")
    return text if len(text) <= 40 else f"{text[:40]}..."
