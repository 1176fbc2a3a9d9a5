"""Which setting of one model beats which setting of another, weighted by their probabilities."""

from typing import Literal

import numpy as np

from coequal.statistics.search import Array, worst_last
from coequal.statistics.spacings import Cells

CELLS_PER_BLOCK = 200_000
"""Number of cells that are compared at a time: as many as fit into the processor's cache."""


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


def mass_below(scores: Array, masses: Array, ends: Array) -> Array:
    """Return the mass of the scores below each end, and half of the mass at it.

    This is `masses @ beats(scores, ends)`, with the scores sorted instead of compared one by one.

    Args:
        scores: (scores,) numbers.
        masses: (..., scores) mass of each score.
        ends: (ends,) numbers.

    Returns:
        (..., ends) masses.
    """
    order = np.argsort(scores, kind="stable")
    upto = np.cumsum(masses[..., order], axis=-1)
    upto = np.concatenate([np.zeros((*upto.shape[:-1], 1)), upto], axis=-1)
    sides: tuple[Literal["left"], Literal["right"]] = ("left", "right")
    first, last = (np.searchsorted(scores[order], ends, side) for side in sides)
    return np.asarray((upto[..., first] + upto[..., last]) / 2, dtype=np.float64)


def win_probabilities(cells_a: Cells, values_a: Array, cells_b: Cells, values_b: Array) -> Array:
    """Return P(A better than B) for each draw of the cells.

    Args:
        cells_a: cells of A's search, with as many draws as `cells_b`.
        values_a: (settings of A + 1,) what each of A's cells counts as.
        cells_b: cells of B's search.
        values_b: (settings of B + 1,) what each of B's cells counts as.

    Returns:
        (draws,) probabilities.
    """
    (draws, kept_a), (_, kept_b) = cells_a.masses.shape, cells_b.masses.shape
    won = np.empty(draws)
    rows = max(1, CELLS_PER_BLOCK // max(kept_a, kept_b))
    for some in (slice(start, start + rows) for start in range(0, draws, rows)):
        below = mass_below(values_a[:kept_a], cells_a.masses[some], values_b[:kept_b])
        won[some] = np.sum(below * cells_b.masses[some], axis=1)
    return won
