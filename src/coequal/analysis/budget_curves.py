"""The expected best of n settings with its intervals, against settings and against cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coequal.analysis.metric import NamedMetric
from coequal.analysis.scores import Array, random_stream
from coequal.statistics.best_of import expected_best
from coequal.statistics.cost import cost_curve
from coequal.statistics.cost_intervals import MAX_COST_FRACTION, cost_intervals
from coequal.statistics.ranks import Ranks, rank_curves
from coequal.statistics.spacings import MAX_BUDGET_RATIO, Cells, Spacings

MAX_TWO_SIDED_RATIO = 0.19
"""Share n/B up to which the settings bound the interval on both sides (for the median exactly
1 / log2(40) = 0.188); beyond, its better end is that of the metric itself."""
MAX_BUDGETS = 30  # at most so many budgets of a curve are computed
MAX_COST_BUDGETS = 14


@dataclass(frozen=True)
class SearchScores:
    """One model's search as arrays over its settings, in their order.

    Attributes:
        test: (settings,) test values as costs, of which less is better; NaN for a failure.
        validation: (settings,) the values that settings are chosen by, as costs; NaN for a
            failure.
        flops: (settings,) floating-point operations of each training.
        seconds: (settings,) duration of each training.
    """

    test: Array
    validation: Array
    flops: Array
    seconds: Array


@dataclass(frozen=True)
class BudgetPoint:
    """The expected best within one budget.

    Attributes:
        budget: settings tried, FLOPs or seconds.
        expected: the expected best test value, in the metric's units.
        low: the low end of its 95 % interval over the draw of settings; None where none can be
            given.
        high: the high end.
    """

    budget: float
    expected: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class BudgetCurve:
    """One model's expected best of n settings, in the metric's units, up to n/B = 0.5.

    Attributes:
        settings: B, the number of settings of the search.
        points: one for each n, ascending.
        observed: the test value of the setting that the whole search chose: an observation, no
            expectation.
    """

    settings: int
    points: tuple[BudgetPoint, ...]
    observed: float

    def solid(self, point: BudgetPoint) -> bool:
        """Whether the data bound the interval on both sides."""
        return point.budget <= MAX_TWO_SIDED_RATIO * self.settings


@dataclass(frozen=True)
class CostCurve:
    """One model's expected best within a budget of cost.

    Attributes:
        total: the cost of its whole search, in FLOPs or seconds.
        points: one for each budget, ascending, to half of the total.
        observed: the test value of the setting that the whole search chose.
    """

    total: float
    points: tuple[BudgetPoint, ...]
    observed: float


def best_of_curves(
    searches: Mapping[str, SearchScores],
    *,
    metric: NamedMetric,
    cap: float | None,
    floor: float | None,
    seed: int,
) -> dict[str, BudgetCurve]:
    """A curve for each model; none for a model with failures if no cap was declared.

    Args:
        searches: by model.
        metric: gives the direction.
        cap: as a cost; None: none was declared.
        floor: a cost that nothing can be below; None: none is known, and there are no intervals.
        seed: of the intervals' draws.
    """
    own = {name: cap if cap is not None else _harmless(s.test) for name, s in searches.items()}
    drawn = [name for name, s in searches.items() if len(s.test) and own[name] is not None]
    ends = _curve_ends({name: searches[name] for name in drawn}, floor, cap, metric, seed)
    curves = {}
    for name in drawn:
        search, points = searches[name], []
        settings, worst = len(search.test), own[name]
        assert worst is not None
        for n in _budgets(settings):
            mean = expected_best(search.test, n, cap=worst, choose_by=search.validation)
            low, high = ends.get((name, n), (None, None))
            points.append(BudgetPoint(n, metric.cost(mean), low, high))
        whole = expected_best(search.test, settings, cap=worst, choose_by=search.validation)
        curves[name] = BudgetCurve(settings, tuple(points), metric.cost(whole))
    return curves


def _curve_ends(
    searches: Mapping[str, SearchScores],
    floor: float | None,
    cap: float | None,
    metric: NamedMetric,
    seed: int,
) -> dict[tuple[str, int], tuple[float, float]]:
    """The interval of each model at each budget. Models with as many settings share their cells,
    which are large: those of one budget at a time are held."""
    if floor is None or cap is None:
        return {}
    ends = {}
    for settings in dict.fromkeys(len(search.test) for search in searches.values()):
        as_large = {name: s for name, s in searches.items() if len(s.test) == settings}
        draws = Spacings(settings, random_stream(seed, "spacings", settings))
        for n in _budgets(settings):
            cells = draws.at(n)
            for name, search in as_large.items():
                ends[name, n] = _ends(cells, search, floor, cap, metric)
    return ends


def ranks(searches: Mapping[str, SearchScores], *, cap: float | None) -> Ranks | None:
    """Who is ahead at each budget; None where there is nothing to rank."""
    with_results = {name: search for name, search in searches.items() if len(search.test)}
    if cap is None or min((len(s.test) for s in with_results.values()), default=0) < 2:
        return None
    if len(with_results) < 2:
        return None
    return rank_curves(
        {name: search.test for name, search in with_results.items()},
        cap=cap,
        choose_by={name: search.validation for name, search in with_results.items()},
    )


def cost_curves(
    searches: Mapping[str, SearchScores],
    unit: str,
    *,
    metric: NamedMetric,
    cap: float | None,
    floor: float | None,
    seed: int,
) -> dict[str, CostCurve]:
    """The expected best within a budget of `unit` ("flops" or "seconds"), a curve for each model.

    Budgets are multiples of a model's own mean cost, up to half of what its search spent.
    """
    costs = {name: getattr(s, unit) for name, s in searches.items() if len(s.test) >= 2}
    costs = {name: listed for name, listed in costs.items() if np.all(listed > 0)}
    if cap is None or not costs:
        return {}
    curves = {}
    for name, spent in costs.items():
        search, total = searches[name], float(spent.sum())
        budgets = _cost_budgets(total, len(spent))
        means = cost_curve(
            search.test,
            spent,
            budgets,
            cap=cap,
            choose_by=search.validation,
            rng=random_stream(seed, "orders", unit, name),
        )
        ends = _cost_ends(
            search, spent, budgets, cap, floor, metric, random_stream(seed, unit, name)
        )
        points = tuple(
            BudgetPoint(budget, metric.cost(float(mean)), low, high)
            for budget, mean, (low, high) in zip(budgets, means, ends, strict=True)
        )
        whole = expected_best(search.test, len(spent), cap=cap, choose_by=search.validation)
        curves[name] = CostCurve(total, points, metric.cost(whole))
    return curves


def _ends(
    cells: Cells, search: SearchScores, floor: float, cap: float, metric: NamedMetric
) -> tuple[float, float]:
    interval = cells.expected_best(search.test, floor=floor, cap=cap, choose_by=search.validation)
    low, high = sorted(metric.cost(end) for end in interval)
    return low, high


def _cost_ends(
    search: SearchScores,
    spent: Array,
    budgets: Sequence[float],
    cap: float,
    floor: float | None,
    metric: NamedMetric,
    rng: np.random.Generator,
) -> list[tuple[float | None, float | None]]:
    if floor is None:
        return [(None, None)] * len(budgets)
    ends: list[tuple[float | None, float | None]] = []
    intervals = cost_intervals(
        search.test, spent, budgets, cap=cap, floor=floor, rng=rng, choose_by=search.validation
    )
    for interval in intervals:
        if interval.low is None or interval.high is None:
            ends.append((None, None))
        else:
            low, high = sorted((metric.cost(interval.low), metric.cost(interval.high)))
            ends.append((low, high))
    return ends


def _cost_budgets(total: float, settings: int) -> list[float]:
    """1, 2, ... times the mean cost, and half of the total."""
    whole = {round(n) for n in np.geomspace(1, max(1, settings // 2), MAX_COST_BUDGETS)}
    inside = [n * total / settings for n in sorted(whole) if n < MAX_COST_FRACTION * settings]
    return [*inside, MAX_COST_FRACTION * total]


def _budgets(settings: int) -> list[int]:
    """1 .. half of the settings; a selection of them where there are very many."""
    most = math.floor(MAX_BUDGET_RATIO * settings)
    if most <= MAX_BUDGETS:
        return list(range(1, most + 1))
    return sorted({round(n) for n in np.geomspace(1, most, MAX_BUDGETS)})


def _harmless(scores: Array) -> float | None:
    """Any cap does where nothing failed."""
    return float(scores.max()) if len(scores) and np.all(np.isfinite(scores)) else None
