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
The intervals are approximate: none of the known ones covers 95 % everywhere (docs/validation.md).

The table grows with the square of B and loses what costs less than a grid step. Beyond
`MAX_EXACT_SETTINGS` settings, searches are therefore simulated instead (`orders`), which is
unbiased as well and has a Monte-Carlo error.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm

from coequal.statistics.best_of import (
    MAX_EXACT_SETTINGS,
    Array,
    BestDistribution,
    average_over_ties,
    capped,
    expected_best,
    worst_last,
)
from coequal.statistics.knapsack import grids, reached, reached_again
from coequal.statistics.orders import reached_in_orders, resampled_means
from coequal.statistics.spacings import Spacings, TooFewSettings

MAX_RESAMPLING_FRACTION = 0.1
"""Share of the total cost up to which the interval resamples whole trials."""
MAX_COST_FRACTION = 0.5
"""Share of the total cost beyond which there is no interval, and no curve should be drawn."""
MIN_SETTINGS = 20
"""Settings below which there is no interval: nothing is known of its coverage there."""

Method = Literal["resampled trials", "spacings at the effective number of settings", "refused"]


@dataclass(frozen=True)
class CostInterval:
    """An approximate 95 % interval of the expected best at one budget, over the draw of settings.

    Attributes:
        budget: budget in the unit of the costs.
        low: lower end; None where the interval is refused.
        high: upper end; None where the interval is refused.
        method: how the interval was made.
        reason: why the interval is refused; empty where it is not.
    """

    budget: float
    low: float | None
    high: float | None
    method: Method
    reason: str


def best_distributions(
    scores: Array,
    costs: Array,
    budgets: Sequence[float],
    *,
    cap: float,
    choose_by: Array | None = None,
    replacement: bool = False,
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
        replacement: whether one setting may be tried twice (biased towards worse scores).
        rng: source of the random orders of more than `MAX_EXACT_SETTINGS` settings, without
            replacement.

    Returns:
        One distribution per budget, over settings + 1 values: the additional value is the cap of a
        search in which nothing finished.

    Raises:
        ValueError: there are no settings, the number of costs differs, a cost or budget is out of
            its range, or there are more than `MAX_EXACT_SETTINGS` settings and no `rng`.
    """
    _check(scores, costs, budgets)
    if len(scores) > MAX_EXACT_SETTINGS and not replacement and rng is None:
        raise ValueError(
            f"more than {MAX_EXACT_SETTINGS} settings are tried in random orders: give an rng"
        )
    selection_scores = worst_last(scores if choose_by is None else choose_by)
    order = np.argsort(selection_scores, kind="stable")
    values = np.append(capped(scores, cap), cap)
    by_value = np.argsort(values, kind="stable")
    distributions = []
    for row in _all_reached(costs[order], budgets, replacement, rng):
        probabilities = np.empty(len(values))
        probabilities[order] = np.maximum(np.diff(row, prepend=0.0), 0)
        probabilities[:-1] = average_over_ties(selection_scores, probabilities[:-1])
        probabilities[-1] = max(0.0, 1 - row[-1])
        distributions.append(BestDistribution(values[by_value], probabilities[by_value]))
    return tuple(distributions)


def _all_reached(
    costs: Array, budgets: Sequence[float], replacement: bool, rng: np.random.Generator | None
) -> Array:
    """(budgets, settings) P(the best is at or before r), the settings best first."""
    if len(costs) > MAX_EXACT_SETTINGS and not replacement and rng is not None:
        return reached_in_orders(costs, budgets, rng)
    probabilities = np.empty((len(budgets), len(costs)))
    for step, group in grids(costs, budgets):
        units = np.rint(costs / step).astype(int)
        limits = [int(budgets[i] / step * (1 + 1e-9)) for i in group]
        probabilities[group] = (reached_again if replacement else reached)(units, limits)
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
    """Return the expected best within each budget, without replacement.

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


def effective_settings(costs: Array, budget: float) -> float:
    """Return how many settings a budget buys on average, by renewal theory: b/mean + (cv^2 - 1)/2.

    The approximation is good from about ten mean costs on.

    Args:
        costs: (settings,) what each setting spent.
        budget: budget b in the unit of the costs.

    Source: Cox 1962, Renewal Theory, section 4.2.
    """
    mean = float(np.mean(costs))
    return budget / mean + (float(np.var(costs)) / mean**2 - 1) / 2


def cost_intervals(
    scores: Array,
    costs: Array,
    budgets: Sequence[float],
    *,
    cap: float,
    floor: float,
    rng: np.random.Generator,
    choose_by: Array | None = None,
    draws: int = 1000,
) -> tuple[CostInterval, ...]:
    """Return an approximate 95 % interval of the expected best at each budget.

    Up to a tenth of the total cost the ends are percentiles over resampled pairs of score and cost;
    beyond `MAX_EXACT_SETTINGS` settings they are those of a normal interval from fewer resamples.
    From there to half of the total cost the interval is that of the spacings at the effective
    number of settings, rescaled to the curve. It is refused beyond half, and below `MIN_SETTINGS`
    settings.

    Args:
        scores: (settings,) reported scores; failures as NaN or infinity.
        costs: (settings,) what each setting spent, at or above 0.
        budgets: budgets in the unit of the costs, above 0.
        cap: the score of a failure, or of a search in which nothing finished.
        floor: a true lower bound of the score, such as 0 for a distance.
        rng: source of the resamples; a generator in the same state gives the same intervals.
        choose_by: (settings,) scores that the search selects by; None means `scores`.
        draws: number of resamples; four times as many spacings are drawn.

    Returns:
        One interval per budget, in the order given.

    Raises:
        ValueError: see `best_distributions`.
    """
    _check(scores, costs, budgets)
    total = float(np.sum(costs)) * (1 + 1e-9)
    cheap = [budget for budget in budgets if budget <= MAX_RESAMPLING_FRACTION * total]
    enough = len(scores) >= MIN_SETTINGS
    resample = enough and cheap
    ends = iter(_resampled(scores, costs, cheap, cap, choose_by, rng, draws) if resample else ())
    large = len(scores) > MAX_EXACT_SETTINGS
    means = (
        cost_curve(scores, costs, budgets, cap=cap, choose_by=choose_by, rng=rng) if large else ()
    )
    exact = dict(zip(budgets, means, strict=False))
    # Budgets that are not resampled buy at least so many settings, give or take one.
    least = (
        max(1.0, effective_settings(costs, MAX_RESAMPLING_FRACTION * total) - 1) if large else 1.0
    )
    spacings = Spacings(len(scores), rng, 4 * draws, least=least)
    intervals = []
    for budget in budgets:
        if not enough:
            intervals.append(_refused(budget, f"fewer than {MIN_SETTINGS} settings"))
        elif budget <= MAX_RESAMPLING_FRACTION * total:
            intervals.append(CostInterval(budget, *next(ends), "resampled trials", ""))
        elif budget > MAX_COST_FRACTION * total:
            intervals.append(_refused(budget, "the budget is more than half of what was spent"))
        else:
            intervals.append(
                _spaced(scores, costs, budget, cap, floor, choose_by, spacings, exact.get(budget))
            )
    return tuple(intervals)


def _spaced(
    scores: Array,
    costs: Array,
    budget: float,
    cap: float,
    floor: float,
    choose_by: Array | None,
    spacings: Spacings,
    exact: float | None,
) -> CostInterval:
    count = effective_settings(costs, budget)
    try:
        cells = spacings.at(max(1.0, count))
    except TooFewSettings as error:  # costs so uneven that half of the cost buys more than half
        return _refused(budget, str(error))
    low, high = cells.expected_best(scores, floor=floor, cap=cap, choose_by=choose_by)
    below = max(1, min(math.floor(count), len(scores) - 1))
    ends = [expected_best(scores, n, cap=cap, choose_by=choose_by) for n in (below, below + 1)]
    shortcut = ends[0] + (max(1.0, count) - below) * (ends[1] - ends[0])
    if exact is None:
        exact = float(cost_curve(scores, costs, [budget], cap=cap, choose_by=choose_by)[0])
    factor = (exact - floor) / (shortcut - floor) if shortcut > floor else 1.0
    low, high = (min(floor + factor * (float(end) - floor), cap) for end in (low, high))
    return CostInterval(budget, low, high, "spacings at the effective number of settings", "")


def _refused(budget: float, reason: str) -> CostInterval:
    return CostInterval(budget, None, None, "refused", reason)


def _resampled(
    scores: Array,
    costs: Array,
    budgets: Sequence[float],
    cap: float,
    choose_by: Array | None,
    rng: np.random.Generator,
    draws: int,
    orders: int = 100,
) -> list[tuple[float, float]]:
    """Percentile intervals over resampled settings; all resamples are searched in one set of random
    orders."""
    settings = len(scores)
    order = np.argsort(worst_last(scores if choose_by is None else choose_by), kind="stable")
    values = np.append(capped(scores, cap)[order], cap)  # the last: nothing finished
    if settings > MAX_EXACT_SETTINGS:
        means = resampled_means(values, costs[order], budgets, rng)
        middle, reach = means.mean(axis=0), norm.isf(0.025) * means.std(axis=0, ddof=1)
        return [
            (float(low), float(high))
            for low, high in zip(middle - reach, np.minimum(middle + reach, cap), strict=True)
        ]
    picked = rng.integers(settings, size=(draws, settings))
    tried = rng.permuted(np.tile(np.arange(settings), (orders, 1)), axis=1)
    best = np.full((len(budgets), draws, orders), settings, dtype=np.int16)
    spent = np.zeros((draws, orders))
    for place in range(settings):
        setting = picked[:, tried[:, place]]
        spent += costs[order][setting]
        if spent.min() > max(budgets):
            break
        for i, budget in enumerate(budgets):
            finished = np.where(spent <= budget * (1 + 1e-9), setting, settings)
            np.minimum(best[i], finished, out=best[i], casting="same_kind")
    means = values[best].mean(axis=2)
    return [(float(low), float(high)) for low, high in np.quantile(means, [0.025, 0.975], axis=1).T]


def _check(scores: Array, costs: Array, budgets: Sequence[float]) -> None:
    if not len(scores) or len(scores) != len(costs):
        raise ValueError(f"needs a cost for every setting, got {len(scores)} and {len(costs)}")
    if not np.all(np.isfinite(costs)) or np.any(costs < 0):
        raise ValueError("every setting needs a finite cost of 0 or more, failed ones too")
    if any(not (math.isfinite(budget) and budget > 0) for budget in budgets):
        raise ValueError(f"budgets must be above 0, got {list(budgets)}")
