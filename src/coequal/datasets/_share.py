"""A share of a data set: `fashion_mnist@5%` has 5 % of the training images, and all the others.

Smaller shares are parts of larger ones: the images of 1 % are among those of 5 %.
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


class Shared(NamedTuple):
    """What the name of a data set asks for."""

    whole: str  # the name without its share
    share: Fraction | None  # above 0 and at most 1; None: it names none


def split_share(name: str) -> Shared:
    """The share that a name ends in.

    After a colon an `@` may be part of a path: there only what ends in `%` is a share.

    Raises:
        LookupError: a share that can't be; the message says what would do.
    """
    whole, at, text = name.rpartition("@")
    in_path = ":" in whole
    if not at or (in_path and not text.endswith("%")):
        return Shared(name, None)
    number = text.removesuffix("%")
    good = number != text and _NUMBER.fullmatch(number) is not None
    if not good or not 0 < Fraction(number) <= 100 or ("@" in whole and not in_path):
        base = whole if in_path else whole.partition("@")[0]
        raise LookupError(
            f"datasets: '{name}': a share of the training images is one number above 0 and at most "
            f"100, with %; write '{base}@5%', or '{base}' for all of them"
        )
    return Shared(whole, Fraction(number) / 100)


def shared(dataset: Dataset, share: Fraction, name: str) -> Dataset:
    """The data set with a share of its training images, in their order; the rest of it is whole.

    Of every class the share is taken (see `fair_order`), but at least one image; then the others
    have a little less. The draw depends on the data set's name (without what follows a colon), its
    labels and the share only.
    """
    train = dataset.train
    count = len(train)
    order = fair_order(count, Rng(seed_for("share", _part(name))), train.labels)
    classes = 1 if train.labels is None else len(train.labels.unique())
    taken = max(classes, round(count * share))
    how = "at random" if train.labels is None else "at random within every class"
    note = (
        f"{taken:,} of the {count:,} images to train were taken ({float(100 * share):g} %), drawn "
        f"{how}, the same in every study; those to validate and to test are whole"
    )
    if taken < count:
        train = train.select(torch.sort(order[:taken]).values)
    return replace(dataset, name=name, train=train, notes=(*dataset.notes, note))


def _part(name: str) -> str:
    """Which data set or family it is, wherever its files lie."""
    return split_share(name).whole.partition(":")[0]
