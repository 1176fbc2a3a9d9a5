"""Searches within a cost budget, made in random orders: for more settings than a table can hold.

Every setting of a random order is the start of a search, which wraps around at the end. By
exchangeability each of them is a search in a uniformly random order, so their mean is unbiased;
those that begin more than a search apart are nearly independent.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coequal.statistics.search import Array

ORDERS = 16  # with B settings, 16 B searches at every budget
RESAMPLES = 100
STARTS_PER_SEARCH = 4
"""Searches of a resample begin a quarter of a search apart."""


def reached_in_orders(
    costs: Array, budgets: Sequence[float], rng: np.random.Generator, orders: int = ORDERS
) -> Array:
    """Return the fraction of searches whose best is at or before each setting.

    Args:
        costs: (settings,) costs in the order of the selection scores, best first.
        budgets: budgets in the unit of the costs.
        rng: source of the orders.
        orders: number of random orders.

    Returns:
        (budgets, settings) fractions.
    """
    settings = len(costs)
    counts = np.zeros((len(budgets), settings + 1))
    for _ in range(orders):
        tried = Order(rng.permutation(settings), costs)
        for row, budget in zip(counts, budgets, strict=True):
            row += np.bincount(tried.best(budget), minlength=settings + 1)
    return np.asarray(np.cumsum(counts, axis=1)[:, :-1] / (orders * settings), dtype=np.float64)


def resampled_means(
    values: Array, costs: Array, budgets: Sequence[float], rng: np.random.Generator
) -> Array:
    """Return the expected best of settings that are drawn again with replacement.

    Args:
        values: (settings + 1,) values that count, in the order of the selection scores; the last
            one is for searches that finish nothing.
        costs: (settings,) costs in the same order.
        budgets: budgets in the unit of the costs.
        rng: source of the resamples.

    Returns:
        (`RESAMPLES`, budgets) means.
    """
    settings = len(costs)
    tries = np.array(budgets) / costs.mean()  # settings in a search, about
    apart = np.maximum(1, tries // STARTS_PER_SEARCH).astype(int)
    means = np.empty((RESAMPLES, len(budgets)))
    for row in means:
        tried = Order(rng.integers(settings, size=settings), costs)
        for place, budget in enumerate(budgets):
            row[place] = values[tried.best(budget, apart[place])].mean()
    return means


class Order:
    """One random order of settings, given by their ranks; the first follows the last."""

    def __init__(self, ranks: NDArray[np.intp], costs: Array) -> None:
        """Prepare cumulative costs and range minima of the order.

        Args:
            ranks: (settings,) ranks of the settings in the order in which they are tried; 0 is
                best.
            costs: (settings,) costs by rank.
        """
        self._settings, self._nothing = len(ranks), len(costs)
        twice = np.concatenate([ranks, ranks]).astype(np.int32)
        self._spent = np.concatenate([[0.0], np.cumsum(costs[twice])])
        # Level k, place i: the best of the 2^k settings from i on.
        self._best = [twice]
        while 2 ** len(self._best) <= len(ranks):
            last, half = self._best[-1], 2 ** (len(self._best) - 1)
            self._best.append(np.minimum(last[:-half], last[half:]))

    def best(self, budget: float, apart: int = 1) -> NDArray[np.int32]:
        """Return the best rank that each search finishes within the budget.

        Args:
            budget: budget of every search, in the unit of the costs.
            apart: number of settings between the starts of two searches.

        Returns:
            (searches,) ranks; the number of ranks where a search finishes nothing.
        """
        starts = np.arange(0, self._settings, apart)
        within = self._spent[starts] + budget * (1 + 1e-9)
        ends = np.searchsorted(self._spent, within, side="right") - 1
        ends = np.minimum(ends, starts + self._settings)
        length = ends - starts
        best = np.full(len(starts), self._nothing, dtype=np.int32)
        level = np.frexp(np.maximum(length, 1))[1] - 1  # 2^level is the largest power within
        for k in range(level.min(), level.max() + 1):
            mine = np.flatnonzero((level == k) & (length > 0))
            first, last = starts[mine], ends[mine] - 2**k
            best[mine] = np.minimum(self._best[k][first], self._best[k][last])
        return best
