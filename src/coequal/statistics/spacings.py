"""Intervals for the best of n settings that hold where resampling fails.

Resampling never produces a score below the lowest one seen, so bootstrap intervals for the best of
n become narrow exactly where little is known. The spacings interval uses only that F(x_(1)) <= ...
<= F(x_(B)), the distribution function at the sorted scores, are B sorted uniform numbers, whatever
the distribution F. A floor bounds what lies below the lowest score, and a cap bounds what lies
above the highest. Simulated over eleven distributions, the interval covers 95 % or more at every
budget: it is conservative (docs/explanation/validation.md).

No method knows much beyond n/B = 0.5, where fewer than two independent draws of the best of n
exist: such budgets are refused.
"""

import math
from dataclasses import dataclass

import numpy as np

from coequal.statistics.rates import Interval
from coequal.statistics.search import (
    MAX_EXACT_SETTINGS,
    Array,
    average_over_ties,
    capped,
    worst_last,
)

MAX_BUDGET_RATIO = 0.5
"""Largest n/B for which any interval is given."""
MAX_VALUES_IN_MEMORY = 6_250_000
MIN_DRAWS = 250
NEGLIGIBLE_EXPONENT = 40.0
"""A mass below exp(-40) is negligible."""


class TooFewSettings(ValueError):
    """The number of settings is too small for the interval that was asked for."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The probabilities, at one budget, that the best of n falls between two neighbouring settings.

    Attributes:
        masses: (draws, settings + 1), each row adding up to 1; cell 0 lies below the best setting.
            Cells at the end that are practically empty are dropped, where there are hundreds.
        budget: number of settings tried, n.
        settings: B, the number of settings that these cells are for.
    """

    masses: Array
    budget: float
    settings: int

    def expected_best(
        self,
        scores: Array,
        *,
        floor: float,
        cap: float,
        choose_by: Array | None = None,
        level: float = 0.05,
    ) -> Interval:
        """Return an interval for the expected best of n.

        Args:
            scores: (settings,) reported scores, lower is better; failures as NaN or infinity.
            floor: a score that nothing can be below: 0 for a distance. A floor that is not true
                makes the interval wrong; one that is too low only makes it wide.
            cap: the score that a failure counts as; see `best_of.best_distribution`.
            choose_by: (settings,) scores that the search selects by; None means `scores`. The cells
                then lie between neighbours by selection score, and are valued by the reported
                scores of these neighbours.
            level: probability that the interval misses the truth, split equally between the ends.

        Raises:
            ValueError: the number of settings differs, the cap is not finite, or a score lies below
                the floor.
        """
        lower, upper = cell_values(scores, floor=floor, cap=cap, choose_by=choose_by)
        if len(scores) != self.settings:
            raise ValueError(f"cells of {self.settings} settings, but {len(scores)} scores")
        kept = self.masses.shape[1]
        low = max(floor, float(np.quantile(self.masses @ lower[:kept], level / 2)))
        high = min(cap, float(np.quantile(self.masses @ upper[:kept], 1 - level / 2)))
        return Interval(low, high)


class Spacings:
    """Draws of what B settings can have missed.

    The draws depend on B alone, so one object serves all models with B settings and all budgets.

    Args:
        settings: B, the number of settings.
        rng: source of the draws.
        draws: number of draws; 4,000 put a Monte-Carlo error of about 1 % of its width on each end,
            500 put 3 %. Fewer are made for very many settings (`max_draws`).
        least: the smallest budget that it will be asked for.
    """

    def __init__(
        self, settings: int, rng: np.random.Generator, draws: int = 4000, least: float = 1.0
    ) -> None:
        if settings < 1 or draws < 1:
            raise ValueError(f"needs settings and draws, got {settings} and {draws}")
        self.settings, self._least = settings, least
        draws = min(draws, max_draws(settings, least))
        ends = np.zeros((draws, 1))
        if settings > MAX_EXACT_SETTINGS:
            # The same distribution without sorting: exponential gaps over their sum.
            reach = _reach(settings, least)
            upto = np.cumsum(rng.standard_exponential((draws, reach)), axis=1)
            beyond = rng.standard_gamma(settings + 1 - reach, (draws, 1))
            self._above = np.concatenate([ends + 1, 1 - upto / (upto[:, -1:] + beyond)], axis=1)
        else:
            inside = np.sort(rng.random((draws, settings)), axis=1)
            self._above = 1 - np.concatenate([ends, inside, ends + 1], axis=1)

    def at(self, budget: float) -> Cells:
        """Return the cells for the best of n.

        Args:
            budget: number of settings tried, n, real and at least 1.

        Raises:
            TooFewSettings: n/B is above one half.
            ValueError: the budget is below 1, or below the smallest one that was announced.
        """
        if not budget >= self._least >= 1:
            raise ValueError(f"needs a budget of at least {self._least:g}, got {budget}")
        refuse_beyond(MAX_BUDGET_RATIO, budget, self.settings)
        return self._cells(budget)

    def _cells(self, budget: float) -> Cells:
        tail = self._above[:, : 1 + _reach(self.settings, budget)] ** budget
        return Cells(tail[:, :-1] - tail[:, 1:], budget, self.settings)


def max_draws(settings: int, least: float = 1.0) -> int:
    """Return the largest number of draws that is made for this many settings.

    It is as many as fit into fifty megabytes, and never fewer than `MIN_DRAWS`. Up to some thousand
    settings it is above every number of draws that is asked for.

    Args:
        settings: B, the number of settings.
        least: the smallest budget that the draws are used for.
    """
    return max(MIN_DRAWS, MAX_VALUES_IN_MEMORY // _reach(settings, least))


def _reach(settings: int, budget: float) -> int:
    """Number of cells with a mass that is not negligible.

    (1 - x)^n beyond x = 40 / n is below e^-40; there are some cells to spare, as the x of a setting
    is only about its rank over B.
    """
    return min(settings + 1, math.ceil(1.2 * NEGLIGIBLE_EXPONENT * settings / budget) + 100)


def refuse_beyond(most: float, budget: float, settings: int) -> None:
    """Refuse an interval where n/B is above a limit.

    Args:
        most: largest n/B that is allowed.
        budget: number of settings tried, n.
        settings: B, the number of settings measured.

    Raises:
        TooFewSettings: n/B is above `most`.
    """
    if budget > most * settings * (1 + 1e-12):
        raise TooFewSettings(
            f"no interval for the best of {budget:g} from {settings} settings: at 95 % that takes "
            f"at least {math.ceil(budget / most - 1e-9)} settings, for only settings / budget "
            "independent looks at it exist"
        )


def cell_values(
    scores: Array, *, floor: float, cap: float, choose_by: Array | None = None
) -> tuple[Array, Array]:
    """Return what the best counts as in each cell, for the lower and for the upper end of an
    interval.

    A cell between two settings counts as their midpoint. Below the best setting it counts as the
    floor for the lower end and as that setting's score for the upper end; beyond the worst, as its
    score and the cap; between a score and a failure, as the score and the cap. Where the search
    selects by other scores, the score reported for its best setting has noise of its own that no
    neighbour averages out: the upper end then takes the worse of the best two (without that,
    distributions no wider than the noise are covered in 92 %).

    Args:
        scores: (settings,) reported scores; failures as NaN or infinity.
        floor: a score that nothing can be below.
        cap: the score that a failure counts as, finite.
        choose_by: (settings,) scores that the search selects by; None means `scores`.

    Returns:
        Two arrays, (settings + 1,), for the lower and for the upper end.

    Raises:
        ValueError: the cap is not finite or is below the floor, or a score lies below the floor.
    """
    if not math.isfinite(cap) or not floor <= cap:
        raise ValueError(f"needs a finite cap at or above the floor, got {cap} and {floor}")
    values = capped(scores, cap)
    if values.min(initial=cap) < floor:
        raise ValueError(f"a score of {values.min():g} lies below the floor of {floor:g}")
    selection_scores = worst_last(scores if choose_by is None else choose_by)
    order = np.argsort(selection_scores, kind="stable")
    ordered = average_over_ties(selection_scores, values)[order]
    edges = np.concatenate([[floor], ordered, [cap]])
    left, right = edges[:-1], edges[1:]
    lower, upper = (left + right) / 2, (left + right) / 2
    lower[0], upper[0] = floor, ordered[0]
    if choose_by is not None and ordered[:2].max() < cap:
        upper[0] = ordered[:2].max()
    beside_failure = (left == cap) != (right == cap)
    lower[beside_failure] = np.minimum(left, right)[beside_failure]
    upper[beside_failure] = cap
    return lower, upper
