"""The expected best score within a budget of cost, where settings cost different amounts.

Settings are tried in random order. A setting counts if it finishes within the budget; the search
stops at the first that does not fit; if nothing finished, the search has the cap. Costs may be in
any unit (seconds, FLOPs, images). A failed setting costs what it spent, and evaluation costs
nothing.

The distribution of the best has a closed form on a grid of costs. For j in the order of the
selection scores, with B settings of costs c and a budget b,

    P(best is at or before r) = sum_{j <= r} sum_k #{S after r: |S| = k, cost(S) <= b - c_j}
                                / (C(B, k) (B - k)),

where j is the first setting tried that is at or before r, and S are those tried before it. The
counts are those of a knapsack table. The expectation is unbiased for budgets below the total cost.
The intervals are approximate: none of the known ones covers 95 % everywhere
(docs/explanation/validation.md).

The table takes 4 ms for 20 settings and 0.2 s for 200, but 5 s for 1,000, and it loses what costs
less than a grid step. Beyond `MAX_EXACT_SETTINGS` settings, searches are therefore simulated
(`orders`): 16 ms for 1,000 settings, unbiased as well, with a Monte-Carlo error of about 1 %. For
20 settings the simulation would take a second to come as near.
"""

import math
from collections.abc import Sequence

import numpy as np

from coequal.statistics.best_of import BestDistribution
from coequal.statistics.knapsack import grids, reached
from coequal.statistics.orders import reached_in_orders
from coequal.statistics.search import (
    MAX_EXACT_SETTINGS,
    Array,
    average_over_ties,
    capped,
    worst_last,
)


def best_distributions(
    scores: Array,
    costs: Array,
    budgets: Sequence[float],
    *,
    cap: float,
    choose_by: Array | None = None,
    rng: np.random.Generator | None = None,
) -> tuple[BestDistribution, ...]:
    """Return the distribution of the score that a search within each budget would report.

    Args:
        scores: (settings,) reported scores, lower is better; NaN or infinity for a failed setting.
            Failed settings are never dropped.
        costs: (settings,) what each setting spent, at or above 0.
        budgets: budgets in the unit of the costs, above 0.
        cap: the score that a failure, or a search in which nothing finished, counts as, and the
            worst that any setting counts as. It is fixed before the results are known and is the
            same for all models.
        choose_by: (settings,) scores that the search selects by (validation), where `scores` are
            only reported (test). None means that it selects by `scores`. Failures are chosen last.
        rng: source of the random orders of more than `MAX_EXACT_SETTINGS` settings.

    Returns:
        One distribution per budget, over settings + 1 values: the additional value is the cap of a
        search in which nothing finished.

    Raises:
        ValueError: there are no settings, the number of costs differs, a cost or budget is out of
            its range, or there are more than `MAX_EXACT_SETTINGS` settings and no `rng`.
    """
    check_costs(scores, costs, budgets)
    selection_scores = worst_last(scores if choose_by is None else choose_by)
    order = np.argsort(selection_scores, kind="stable")
    values = np.append(capped(scores, cap), cap)
    by_value = np.argsort(values, kind="stable")
    distributions = []
    for row in _all_reached(costs[order], budgets, rng):
        probabilities = np.empty(len(values))
        probabilities[order] = np.maximum(np.diff(row, prepend=0.0), 0)
        probabilities[:-1] = average_over_ties(selection_scores, probabilities[:-1])
        probabilities[-1] = max(0.0, 1 - row[-1])
        distributions.append(BestDistribution(values[by_value], probabilities[by_value]))
    return tuple(distributions)


def _all_reached(costs: Array, budgets: Sequence[float], rng: np.random.Generator | None) -> Array:
    """(budgets, settings) P(the best is at or before r), the settings best first."""
    if len(costs) > MAX_EXACT_SETTINGS:
        if rng is None:
            raise ValueError(
                f"more than {MAX_EXACT_SETTINGS} settings are tried in random orders: give an rng"
            )
        return reached_in_orders(costs, budgets, rng)
    probabilities = np.empty((len(budgets), len(costs)))
    for step, group in grids(costs, budgets):
        units = np.rint(costs / step).astype(int)
        limits = [int(budgets[i] / step * (1 + 1e-9)) for i in group]
        probabilities[group] = reached(units, limits)
    return probabilities


def cost_curve(
    scores: Array,
    costs: Array,
    budgets: Sequence[float],
    *,
    cap: float,
    choose_by: Array | None = None,
    rng: np.random.Generator | None = None,
) -> Array:
    """Return the expected best within each budget.

    Args:
        scores: (settings,) reported scores; failures as NaN or infinity.
        costs: (settings,) what each setting spent, at or above 0.
        budgets: budgets in the unit of the costs, above 0.
        cap: the score of a failure, or of a search in which nothing finished.
        choose_by: (settings,) scores that the search selects by; None means `scores`.
        rng: source of the random orders; needed beyond `MAX_EXACT_SETTINGS` settings.

    Returns:
        (budgets,) expected scores.

    Raises:
        ValueError: see `best_distributions`.
    """
    distributions = best_distributions(
        scores, costs, budgets, cap=cap, choose_by=choose_by, rng=rng
    )
    return np.array([distribution.mean for distribution in distributions])


def check_costs(scores: Array, costs: Array, budgets: Sequence[float]) -> None:
    """Check the arguments that a search within a budget of cost has in common.

    Args:
        scores: (settings,) scores.
        costs: (settings,) what each setting spent.
        budgets: budgets in the unit of the costs.

    Raises:
        ValueError: there are no settings, the number of costs differs, or a cost or budget is out
            of its range.
    """
    if not len(scores) or len(scores) != len(costs):
        raise ValueError(f"needs a cost for every setting, got {len(scores)} and {len(costs)}")
    if not np.all(np.isfinite(costs)) or np.any(costs < 0):
        raise ValueError("every setting needs a finite cost of 0 or more, failed ones too")
    if any(not (math.isfinite(budget) and budget > 0) for budget in budgets):
        raise ValueError(f"budgets must be above 0, got {list(budgets)}")
