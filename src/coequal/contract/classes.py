"""Whether images were drawn class by class, in equal numbers, and not independently."""

import math
from typing import NamedTuple

from jaxtyping import Int
from torch import Tensor

BY_CHANCE = 1e-3  # probability below which equal counts are not due to chance


class EqualCounts(NamedTuple):
    """Classes of equally many images.

    Attributes:
        classes: how many.
        images: number of images of each.
    """

    classes: int
    images: int


def equal_class_counts(labels: Int[Tensor, " n"] | None) -> EqualCounts | None:
    """The classes, if all have equally many images and this is not due to chance; else None.

    n independent draws of k equally likely classes give equal counts with the probability
    n! / ((n/k)!^k k^n).
    """
    if labels is None or not len(labels):
        return None
    counts = labels.bincount()
    counts = counts[counts > 0]
    classes, images, total = len(counts), int(counts[0]), len(labels)
    if classes < 2 or not bool((counts == images).all()):
        return None
    chance = math.lgamma(total + 1) - classes * math.lgamma(images + 1) - total * math.log(classes)
    return EqualCounts(classes, images) if chance < math.log(BY_CHANCE) else None
