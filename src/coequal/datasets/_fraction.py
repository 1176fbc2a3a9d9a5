"""A fraction of the training images: `fashion_mnist@5%` has 5 % of them, and all other images.

Smaller fractions are parts of larger ones: the images of 1 % are among those of 5 %.
"""

import re
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import torch

from coequal.contract import Dataset
from coequal.datasets._splits import fair_order
from coequal.rng import Rng
from coequal.seeds import seed_for

_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)


class ParsedName(NamedTuple):
    """What the name of a dataset asks for.

    Attributes:
        whole: The name without its fraction.
        fraction: Of the training images, above 0 and at most 1; None where the name has none.
    """

    whole: str
    fraction: Fraction | None


def parse_fraction(name: str) -> ParsedName:
    """The fraction of the training images that a name ends in.

    After a colon an `@` may be part of a path: there only what ends in `%` is a fraction.

    Args:
        name: Of a dataset, as in a study file.

    Raises:
        LookupError: The fraction is not above 0 and at most 100 %.
    """
    whole, at, text = name.rpartition("@")
    in_path = ":" in whole
    if not at or (in_path and not text.endswith("%")):
        return ParsedName(name, None)
    number = text.removesuffix("%")
    good = number != text and _NUMBER.fullmatch(number) is not None
    if not good or not 0 < Fraction(number) <= 100 or ("@" in whole and not in_path):
        base = whole if in_path else whole.partition("@")[0]
        raise LookupError(
            f"datasets: '{name}': a fraction of the training images is one number above 0 and at "
            f"most 100, with %; write '{base}@5%', or '{base}' for all of them"
        )
    return ParsedName(whole, Fraction(number) / 100)


def with_fraction(dataset: Dataset, fraction: Fraction, name: str) -> Dataset:
    """The dataset with a fraction of its training images, in their order; all others are kept.

    Of every class the fraction is taken (see `fair_order`), but at least one image; then the other
    classes have a little less. The draw depends on the dataset's name (without what follows a
    colon), its labels and the fraction only.

    Args:
        dataset: With all its training images.
        fraction: Above 0 and at most 1.
        name: Of the result; the draw depends on it.
    """
    train = dataset.train
    count = len(train)
    order = fair_order(count, Rng(seed_for("share", _part(name))), train.labels)
    classes = 1 if train.labels is None else len(train.labels.unique())
    kept = max(classes, round(count * fraction))
    how = "at random" if train.labels is None else "at random within every class"
    note = (
        f"{kept:,} of the {count:,} images to train were taken ({float(100 * fraction):g} %), "
        f"drawn {how}, the same in every study; those to validate and to test are whole"
    )
    if kept < count:
        train = train.select(torch.sort(order[:kept]).values)
    return replace(dataset, name=name, train=train, notes=(*dataset.notes, note))


def _part(name: str) -> str:
    """Which dataset or family it is, wherever its files lie."""
    return parse_fraction(name).whole.partition(":")[0]
