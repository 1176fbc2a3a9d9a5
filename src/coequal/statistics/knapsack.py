"""How likely the best of a search within a cost budget is at or before each setting, by counting.

This is the table behind `coequal.statistics.cost`.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from coequal.statistics.search import Array

GRID_POINTS = 1000
"""Grid points per budget: costs are rounded to a thousandth of it or finer."""


def reached(units: np.ndarray, limits: list[int]) -> Array:
    """Return P(the best is at or before setting r) for searches in random order.

    Args:
        units: (settings,) costs in whole grid steps, best setting first.
        limits: budgets in whole grid steps.

    Returns:
        (limits, settings) probabilities.
    """
    settings, most = len(units), max(limits)
    fitting = int(np.sum(np.cumsum(np.sort(units)) <= most))
    size = min(fitting, settings - 1) + 1
    # Row k, column s: how many k-subsets of the settings after r cost at most s, over C(B, k).
    table = np.zeros((size, most + 1))
    table[0] = 1
    next_one = 1 / (settings - np.arange(size))
    grow = (np.arange(1, size) / (settings - np.arange(1, size) + 1))[:, None]
    reached = np.zeros((len(limits), settings))
    for r in range(settings - 1, -1, -1):
        probability = next_one @ table
        for row, limit in zip(reached, limits, strict=True):
            fits = units[: r + 1][units[: r + 1] <= limit]
            row[r] = probability[limit - fits].sum()
        unit = int(units[r])
        if unit <= most:
            table[1:, unit:] += grow * table[:-1, : most + 1 - unit]
    return reached


def grids(costs: Array, budgets: Sequence[float]) -> Iterator[tuple[float, list[int]]]:
    """Yield grid steps, and which budgets each step serves: those within a factor of two.

    Args:
        costs: (settings,) costs, at or above 0.
        budgets: budgets in the unit of the costs.

    Yields:
        The grid step, and the positions of its budgets in `budgets`.
    """
    remaining = sorted(range(len(budgets)), key=lambda i: budgets[i], reverse=True)
    while remaining:
        top = budgets[remaining[0]]
        group = [i for i in remaining if budgets[i] > top / 2]
        remaining = remaining[len(group) :]
        yield _step(costs, top / (2 * GRID_POINTS)), group


def _step(costs: Array, largest: float) -> float:
    """A grid step of which the usual cost is a multiple; otherwise whole settings would be rounded
    out of a budget of exactly their sum. The usual cost is the one at which most is spent, or the
    largest fraction of it, down to a twelfth, of which all costs are multiples."""
    each, counts = np.unique(costs, return_counts=True)
    unit = common = float(each[np.argmax(each * counts)])
    for parts in range(1, 13):
        multiples = costs / max(common, largest) * parts
        if np.allclose(multiples, np.rint(multiples), rtol=0, atol=1e-9):
            unit = common / parts
            break
    unit = unit if unit >= largest else common
    return unit / math.ceil(unit / largest * (1 - 1e-9)) if unit >= largest else largest
