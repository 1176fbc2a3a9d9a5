"""Which setting of one model beats which setting of another, weighted by their probabilities."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from coequal.statistics.search import MAX_EXACT_SETTINGS, Array, worst_last
from coequal.statistics.spacings import Cells

DRAWS_PER_BLOCK = 16


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
    return win_table(left, right)


class Wins:
    """The table of `beats`, multiplied by the choice probabilities of either side.

    Beyond `MAX_EXACT_SETTINGS` settings the table is not written out.
    """

    def __init__(self, a: Array, b: Array) -> None:
        self._a, self._b = worst_last(a), worst_last(b)
        self._table = beats(a, b) if max(len(a), len(b)) <= MAX_EXACT_SETTINGS else None

    def against_choice(self, probabilities: Array) -> Array:
        """(settings of A,) P(it beats what B's search reports)."""
        if self._table is not None:
            return np.asarray(self._table @ probabilities, dtype=np.float64)
        return float(probabilities.sum()) - mass_below(self._b, probabilities, self._a)

    def of_choice(self, probabilities: Array) -> Array:
        """(settings of B,) P(what A's search reports beats it)."""
        if self._table is not None:
            return np.asarray(probabilities @ self._table, dtype=np.float64)
        return mass_below(self._a, probabilities, self._b)


def mass_below(scores: Array, masses: Array, ends: Array) -> Array:
    """Return the mass of the scores below each end, and half of the mass at it.

    The scores are sorted instead of being compared one by one.

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


def win_table(left: Array, right: Array) -> Array:
    """Return 1 where `left` is lower, 1/2 where both are equal, else 0; the arrays are broadcast.

    Args:
        left: scores of one side.
        right: scores of the other side.
    """
    return np.asarray((left < right) + 0.5 * (left == right), dtype=np.float64)


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
    if max(cells_a.settings, cells_b.settings) <= MAX_EXACT_SETTINGS:
        won = cells_a.masses @ win_table(values_a[:, None], values_b[None, :])
        return np.asarray(np.sum(won * cells_b.masses, axis=1))
    values_a, values_b = (
        values[: cells.masses.shape[1]]
        for values, cells in ((values_a, cells_a), (values_b, cells_b))
    )
    blocks = [
        np.sum(mass_below(values_a, of_a, values_b) * of_b, axis=1)
        for of_a, of_b in zip(_blocks(cells_a.masses), _blocks(cells_b.masses), strict=True)
    ]
    return np.concatenate(blocks)


def _blocks(masses: Array) -> Iterator[Array]:
    """Some draws at a time, as many as fit into the processor's cache."""
    for start in range(0, len(masses), DRAWS_PER_BLOCK):
        yield masses[start : start + DRAWS_PER_BLOCK]
