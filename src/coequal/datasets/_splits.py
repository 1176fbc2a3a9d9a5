"""Which image goes into which split.

Datasets without splits of their own: 60 % train, 20 % validation, 20 % test, class by class.
Those with official training and test images: some of the former are held out for validation.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from coequal.contract import Dataset, Split
from coequal.rng import Rng
from coequal.seeds import seed_for

_MAX_SHARED = 0.01  # of the smaller split


class SplitIndices(NamedTuple):
    """The row numbers of each split, int64, in random order."""

    train: Tensor
    validation: Tensor
    test: Tensor


def split_rows(count: int, name: str, labels: Tensor | None = None) -> SplitIndices:
    """A fifth of every class for validation, a fifth for the test, the rest for training.

    Fifths are rounded down, but to no less than one image; of a class with one or two images all
    are in train. Without labels all images are one class. The draw depends on the arguments only.

    Args:
        count: Of all images.
        name: Of the dataset.
        labels: (count,) int64; None without classes.
    """
    order = Rng(seed_for("split", name)).permutation(count)
    classes = torch.zeros(count, dtype=torch.int64) if labels is None else labels
    home = torch.zeros(count, dtype=torch.int64)
    for label in sorted(set(classes.tolist())):
        # The same random order for all, so that the first rows of a split are a fair draw of it.
        members = order[classes[order] == label]
        fifth = held_out(len(members))
        home[members[:fifth]] = 1
        home[members[fifth : 2 * fifth]] = 2
    train, validation, test = (order[home[order] == part] for part in range(3))
    return SplitIndices(train, validation, test)


def fair_order(count: int, rng: Rng, labels: Tensor | None = None) -> Tensor:
    """All rows in random order, so that the first of them, however many, are a fair draw.

    The first rows have one of each class. Any longer beginning has the same fraction of every
    class, to within one image if the classes are about as large.

    Args:
        count: Of all rows.
        rng: The random stream to draw from.
        labels: (count,) int64; None without classes.
    """
    order = rng.permutation(count)
    if labels is None:
        return order
    classes = labels[order]
    members = classes.bincount()
    by_class = torch.argsort(classes, stable=True)
    rank = torch.empty_like(classes)
    rank[by_class] = torch.arange(count) - (members.cumsum(0) - members)[classes[by_class]]
    # How much of its class has come when a row has its turn; ties stay in random order.
    turn = (rank.double() + 0.5) / members[classes]
    turn[rank == 0] = 0.0
    return order[torch.argsort(turn, stable=True)]


def held_out(members: int) -> int:
    """How many images of a class go into validation, and as many again into the test.

    Args:
        members: How many images the class has.
    """
    return max(1, members // 5) if members >= 3 else 0


def small_classes(labels: Tensor, classes: Sequence[str]) -> list[str]:
    """The classes that have no image outside train, because they have only one or two."""
    counts = labels.bincount(minlength=len(classes)).tolist()
    return [name for name, count in zip(classes, counts, strict=True) if not held_out(count)]


class HeldOut(NamedTuple):
    """Official training images in two parts.

    Attributes:
        train: Those to train on.
        validation: Those that were held out.
        note: How many there are of each, for the dataset's notes.
    """

    train: Split
    validation: Split
    note: str


def hold_out(official: Split, count: int, name: str) -> HeldOut:
    """Hold some of the official training images out for validation.

    They are drawn without regard to the labels, by a random stream named after the dataset alone.

    Args:
        official: The official training images.
        count: How many to hold out.
        name: Of the dataset.
    """
    order = Rng(seed_for("split", name)).permutation(len(official))
    rows, held_out = order[count:], order[:count]
    note = (
        f"the {len(official):,} official training images were split into {len(rows):,} to train "
        f"and {count:,} to validate; the test images are the official ones"
    )
    return HeldOut(official.select(rows), official.select(held_out), note)


def shared_between_splits(dataset: Dataset) -> list[str]:
    """Which splits have images of another, in a sentence each: those to test have to be held out.

    A few do in datasets of photographs, whose files hold some images twice.

    Args:
        dataset: Its images are read in parts.
    """
    names = ("train", "validation", "test")
    seen = {name: _digests(dataset.split(name)) for name in names}
    found = []
    for name in names:
        for other in names[: names.index(name)]:
            both = len(seen[name] & seen[other])
            if both > _MAX_SHARED * min(len(seen[name]), len(seen[other])):
                of = f"{both:,} of the {len(dataset.split(name)):,} images of the {name} split"
                found.append(f"{of} are in the {other} split")
    return found


def _digests(split: Split) -> set[bytes]:
    """A hash of every image."""
    return {
        hashlib.sha256(image).digest()
        for part in split.images.parts()
        for image in part.contiguous().numpy()
    }
