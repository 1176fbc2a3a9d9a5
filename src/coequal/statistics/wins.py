"""Which setting of one model beats which setting of another, weighted by their probabilities."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from coequal.statistics.search import Array, worst_last


def beats(a: Array, b: Array) -> Array:
    """Return which setting of A beats which setting of B.

    Args:
        a: (settings of A,) scores, lower is better; failures are worst and equal.
        b: (settings of B,) scores.

    Returns:
        (settings of A, settings of B): 1 where A's score is lower, 1/2 where both are equal, else
        0.
    """
    left, right = worst_last(a)[:, None], worst_last(b)[None, :]
    return np.asarray((left < right) + 0.5 * (left == right), dtype=np.float64)


def mass_below(
    scores: Array, masses: Array, ends: Array, order: NDArray[np.intp] | None = None
) -> Array:
    """Return the mass of the scores below each end, and half of the mass at it.

    This is `masses @ beats(scores, ends)`, with the scores sorted instead of compared one by one.

    Args:
        scores: (scores,) numbers.
        masses: (scores,) mass of each score.
        ends: (ends,) numbers.
        order: (scores,) the places of the scores, ascending; None: they are sorted here.

    Returns:
        (ends,) masses.
    """
    if order is None:
        order = np.argsort(scores, kind="stable")
    upto = np.concatenate([[0.0], np.cumsum(masses[order])])
    sides: tuple[Literal["left"], Literal["right"]] = ("left", "right")
    first, last = (np.searchsorted(scores[order], ends, side) for side in sides)
    return np.asarray((upto[first] + upto[last]) / 2, dtype=np.float64)
