"""Approximate intervals of the expected best score within a budget of cost (`cost.cost_curve`)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm

from coequal.statistics.best_of import expected_best
from coequal.statistics.cost import check_costs, cost_curve
from coequal.statistics.orders import resampled_means
from coequal.statistics.search import MAX_EXACT_SETTINGS, Array, capped, worst_last
from coequal.statistics.spacings import Spacings, TooFewSettings

MAX_RESAMPLING_FRACTION = 0.1
"""Fraction of the total cost up to which the interval resamples whole trials."""


MAX_COST_FRACTION = 0.5
"""Fraction of the total cost beyond which there is no interval, and no curve should be drawn."""


MIN_SETTINGS = 20
"""Number of settings below which there is no interval: its coverage is not known there."""


ORDERS_OF_RESAMPLES = 100
"""Number of random orders in which every resample is searched."""


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

    Up to a tenth of the total cost the ends are percentiles over resampled pairs of score and cost
    (of a normal interval beyond `MAX_EXACT_SETTINGS` settings); from there to half of it the
    spacings at the effective number of settings, rescaled to the curve. Beyond half it is refused.

    Args:
        scores: (settings,) reported scores; failures as NaN or infinity.
        costs: (settings,) what each setting spent, at or above 0.
        budgets: budgets in the unit of the costs, above 0.
        cap: the score of a failure, or of a search in which nothing finished.
        floor: a true lower bound of the score, such as 0 for a distance.
        rng: source of the resamples; a generator in the same state gives the same intervals.
        choose_by: (settings,) scores that the search selects by; None means `scores`.
        draws: number of resamples; four times as many spacings are drawn.

    Raises:
        ValueError: see `cost.best_distributions`.
    """
    check_costs(scores, costs, budgets)
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
    least = max(1.0, effective_settings(costs, MAX_RESAMPLING_FRACTION * total) - 1)
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
    tried = rng.permuted(np.tile(np.arange(settings), (ORDERS_OF_RESAMPLES, 1)), axis=1)
    best = np.full((len(budgets), draws, len(tried)), settings, dtype=np.int16)
    spent = np.zeros((draws, len(tried)))
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
