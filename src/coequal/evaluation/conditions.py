"""What generators are asked for when their images are measured or shown."""

import torch
from jaxtyping import Int
from torch import Tensor

from coequal.contract import UNCONDITIONAL, Conditions, Split
from coequal.rng import Rng


def like_split(split: Split, count: int, rng: Rng) -> Conditions:
    """Classes as often as in a split, in random order; nothing if the split has no labels.

    Args:
        split: whose labels are counted.
        count: how many images are asked for.
        rng: decides the order, and nothing else.
    """
    if split.labels is None:
        return UNCONDITIONAL
    return like_counts(split.labels.bincount(), count, rng)


def like_counts(counts: Int[Tensor, " classes"], count: int, rng: Rng) -> Conditions:
    """Classes in proportion to their counts, in random order.

    Args:
        counts: of each class, how many images the data has.
        count: how many images are asked for.
        rng: decides the order, and nothing else.
    """
    labels = in_proportion(counts, count)
    return Conditions(labels[rng.permutation(count)])


def of_class(label: int, count: int) -> Conditions:
    """One class alone.

    Args:
        label: of the class, from 0.
        count: how many images are asked for.
    """
    return Conditions(torch.full((count,), label))


def in_proportion(counts: Int[Tensor, " classes"], total: int) -> Int[Tensor, " total"]:
    """Labels of each class in proportion to its count by largest remainders, in order.

    Every class that there is has one label at least, if the total allows it.

    Args:
        counts: of each class, at least 0; one of them above 0.
        total: how many labels.
    """
    kinds = counts.nonzero()[:, 0]
    least = int(total >= len(kinds))
    exact = counts[kinds].double() / counts.sum() * (total - least * len(kinds))
    whole = exact.floor().long()
    rest = total - least * len(kinds) - int(whole.sum())
    whole[(exact - whole).argsort(descending=True, stable=True)[:rest]] += 1
    return kinds.repeat_interleave(whole + least)
