"""Intervals for the best of n settings that hold where resampling fails.

Resampling never produces a score below the lowest one seen, so bootstrap intervals for the best of
n grow narrow exactly where little is known. The spacings interval uses only that F(x_(1)) <= ... <=
F(x_(B)), the scores' own probabilities, are B sorted uniform numbers, whatever the law F; it bounds
what lies below the lowest score by a floor and what lies above the highest by a cap. Simulated over
eleven laws it covers 95 % or more at every budget: conservative (docs/validation.md).

No method knows much beyond n/B = 0.5, where fewer than two independent looks at the best of n
exist: refused.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import binom

from coequal.statistics.best_of import (
    MAX_EXACT_SETTINGS,
    Array,
    average_over_ties,
    capped,
    worst_last,
)
from coequal.statistics.rates import Interval

MAX_BUDGET_RATIO = 0.5  # the largest n/B that any interval is given for


MAX_VALUES_IN_MEMORY = 6_250_000  # numbers held at a time
MIN_DRAWS = 250  # draws
NEGLIGIBLE_EXPONENT = 40.0


class TooFewSettings(ValueError):
    """An interval was asked for that this number of settings can't give."""


class MedianInterval(NamedTuple):
    """An exact interval for the median of the best of n."""

    low: float  # minus infinity: these settings give no lower end
    high: float  # infinity: no upper end, or a failure
    coverage: float  # the exact chance to cover, for a law without ties


@dataclass(frozen=True, eq=False)
class Cells:
    """The chances, at one budget, that the best of n falls between two neighbouring settings.

    Attributes:
        masses: (draws, settings + 1), each row adding up to 1; cell 0 lies below the best setting.
            Of more than `MAX_EXACT_SETTINGS` settings, cells at the end that are as good as empty
            are left out.
        budget: n.
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
        """Interval for the expected best of n.

        Args:
            scores: (settings,) reported scores, failures as NaN or infinity.
            floor: a score that nothing can be below: 0 for a distance. A floor that is not true
                makes the interval wrong; one that is too low only makes it wide.
            cap: what a failure counts as, as in `best_of`.
            choose_by: as in `best_of`: cells are then those between settings neighbouring on what
                the search looks at, valued by the reported scores beside them.
            level: chance to miss, shared equally between the ends.

        Raises:
            ValueError: another number of settings, a cap that is not finite, or a score below the
                floor.
        """
        lower, upper = cell_values(scores, floor=floor, cap=cap, choose_by=choose_by)
        if len(scores) != self.settings:
            raise ValueError(f"cells of {self.settings} settings, but {len(scores)} scores")
        kept = self.masses.shape[1]
        low = max(floor, float(np.quantile(self.masses @ lower[:kept], level / 2)))
        high = min(cap, float(np.quantile(self.masses @ upper[:kept], 1 - level / 2)))
        return Interval(low, high)


class Spacings:
    """Draws of what B settings can have missed; they depend on B alone, so one object serves all
    models with B settings and all budgets.

    Args:
        settings: B, the number of settings.
        rng: where the draws come from.
        draws: how many; 4,000 put a Monte-Carlo error of about 1 % of its width on each end, 500 of
            3 %. Of very many settings fewer are drawn (`max_draws`).
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
        """The cells for the best of n, n real and at least 1.

        Raises:
            TooFewSettings: n/B is above one half.
            ValueError: a budget below 1, or below the least that was named.
        """
        if not budget >= self._least >= 1:
            raise ValueError(f"needs a budget of at least {self._least:g}, got {budget}")
        refuse_beyond(MAX_BUDGET_RATIO, budget, self.settings)
        return self._cells(budget)

    def _cells(self, budget: float) -> Cells:
        whole = self.settings <= MAX_EXACT_SETTINGS
        kept = self._above if whole else self._above[:, : 1 + _reach(self.settings, budget)]
        tail = kept**budget
        return Cells(tail[:, :-1] - tail[:, 1:], budget, self.settings)


def max_draws(settings: int, least: float = 1.0) -> int:
    """How many draws are made at the most: as many as fifty megabytes hold, and never fewer than
    `MIN_DRAWS`. All that anybody asks for up to some thousand settings."""
    return max(MIN_DRAWS, MAX_VALUES_IN_MEMORY // _reach(settings, least))


def _reach(settings: int, budget: float) -> int:
    """How many cells have a mass worth telling: (1 - x)^n beyond x = 40 / n is below e^-40. With
    some to spare, as the x of a setting is only about its rank over B."""
    if settings <= MAX_EXACT_SETTINGS:
        return settings + 1
    return min(settings + 1, math.ceil(1.2 * NEGLIGIBLE_EXPONENT * settings / budget) + 100)


def refuse_beyond(most: float, budget: float, settings: int) -> None:
    """Refuse an interval where n/B is above `most`.

    Raises:
        TooFewSettings: it is.
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
    """What the best counts as in each cell, for the lower and for the upper end of an interval.

    A cell between two settings counts as their midpoint; below the best setting: the floor for the
    lower end, that setting's score for the upper; beyond the worst: its score and the cap; between
    a score and a failure: the score and the cap. Where the search chooses by other scores, the one
    reported for its best setting has noise of its own that no neighbour evens out: for the upper
    end, the worse of the best two stands there (without that, laws no wider than the noise are
    covered in 92 %).

    Returns:
        Two arrays, (settings + 1,).

    Raises:
        ValueError: a cap that is not finite, or below the floor; a score below the floor.
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


def median_best_interval(scores: Array, budget: float, level: float = 0.05) -> MedianInterval:
    """Exact interval for the median of the best of n, from order statistics; needs no cap and no
    floor.

    The median of the best of n is the quantile p = 1 - 2^(-1/n) of one setting's law. For scores
    that the search itself looks at: where it chooses by others, only those have an exact interval.

    Args:
        scores: (settings,), failures as NaN or infinity.
        budget: n, real and at least 1.
        level: largest chance to miss; exact coverage is at least 1 - level.

    Raises:
        TooFewSettings: n/B is above one half.
    """
    if not budget >= 1:
        raise ValueError(f"needs a budget of at least 1, got {budget}")
    settings = len(scores)
    refuse_beyond(MAX_BUDGET_RATIO, budget, settings)
    lower, upper = median_ranks(settings, budget, level)
    quantile = 1 - 2 ** (-1 / budget)
    edges = np.concatenate([[-np.inf], np.sort(worst_last(scores)), [np.inf]])
    covered = binom.cdf(upper - 1, settings, quantile) - binom.cdf(lower - 1, settings, quantile)
    return MedianInterval(float(edges[lower]), float(edges[upper]), float(covered))


def median_ranks(settings: int, budget: float, level: float = 0.05) -> tuple[int, int]:
    """The ranks, from 1, of the settings that end the interval; 0 and settings + 1 are no end."""
    quantile = 1 - 2 ** (-1 / budget)
    ranks = np.arange(settings + 2)
    lower = ranks[binom.cdf(ranks - 1, settings, quantile) <= level / 2].max()
    upper = ranks[binom.sf(ranks - 1, settings, quantile) <= level / 2].min()
    return int(lower), int(upper)
