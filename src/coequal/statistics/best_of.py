"""The best of n settings, in closed form: what a search with a budget of n would have found.

B settings were measured; a search with a budget of n is a random subset of n of them, and the one
that it chooses is the first in the order of what it looks at. No resampling is needed: the chances
of the order statistics are known exactly, and with them mean, spread and quantiles.

Sources: Dodge et al. 2019, arXiv:1909.03004 (with replacement); Tang et al. 2020, ACL (without).
Lucic et al. 2018, arXiv:1711.10337, figure 4, resample 5,000 times with replacement, which
estimates the same number.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_EXACT_SETTINGS = 200
"""Settings of a model beyond which sums are taken in another way: by recursion and over sorted
scores instead of from whole numbers and tables as large as the square. The same to 1e-12."""


@dataclass(frozen=True, eq=False)
class Search:
    """One model's measured search, and the budget that it is looked at with.

    Attributes:
        scores: (settings,) reported scores, lower is better; NaN or infinity for a failed setting,
            never left out.
        budget: settings tried, n; real-valued only where that is said.
        choose_by: (settings,) scores that the search looks at (validation) while `scores` are
            reported (test); None: the search looks at `scores`. Failures are chosen last.
    """

    scores: Array
    budget: float = 1
    choose_by: Array | None = None

    @property
    def settings(self) -> int:
        """B, how many settings were measured."""
        return len(self.scores)

    @property
    def selection_scores(self) -> Array:
        """What the search chooses by."""
        return self.scores if self.choose_by is None else self.choose_by

    @property
    def ratio(self) -> float:
        """n/B: about B/n independent looks at the best of n exist."""
        return self.budget / self.settings

    def choice_probabilities(self, *, replacement: bool = False) -> Array:
        """P(a setting is the one chosen), in the settings' order, adding up to 1."""
        ranked = weights(self.settings, self.budget, replacement=replacement)
        probabilities = np.empty(self.settings)
        probabilities[np.argsort(worst_last(self.selection_scores), kind="stable")] = ranked
        if self.choose_by is None:
            return probabilities  # equal scores are as good as one another
        return average_over_ties(self.choose_by, probabilities)

    def in_order(self) -> Self:
        """The same search, best first by what it looks at: sums over it then don't depend on the
        order in which settings were drawn, not even in their last digit."""
        selection_scores, scores = worst_last(self.selection_scores), worst_last(self.scores)
        rises = selection_scores[:-1] < selection_scores[1:]
        if np.all(
            rises | ((selection_scores[:-1] == selection_scores[1:]) & (scores[:-1] <= scores[1:]))
        ):
            return self  # as it is after the first time
        order = np.lexsort((scores, selection_scores))
        chosen_by = None if self.choose_by is None else self.choose_by[order]
        return replace(self, scores=self.scores[order], choose_by=chosen_by)


@dataclass(frozen=True, eq=False)
class BestDistribution:
    """The law of the best of n: values, best first, and the chance of each.

    Attributes:
        values: (settings,) reported scores in rising order, failures as the cap.
        chances: (settings,) adding up to 1.
    """

    values: Array
    probabilities: Array

    @property
    def mean(self) -> float:
        """The expected best; infinite where a failure has a chance and no finite cap."""
        return self._expected(self.values)

    @property
    def sd(self) -> float:
        """Standard deviation of the best, from search to search: no error of the mean."""
        if not math.isfinite(self.mean):
            return math.nan
        return math.sqrt(max(0.0, self._expected((self.values - self.mean) ** 2)))

    def quantile(self, probability: float) -> float:
        """The lowest value that the best is at or below with a chance of at least `share`."""
        reached = np.cumsum(self.probabilities) >= probability - 1e-12
        return float(self.values[int(np.argmax(reached))] if reached.any() else self.values[-1])

    def _expected(self, values: Array) -> float:
        possible = self.probabilities > 0
        return float(self.probabilities[possible] @ values[possible])


def weights(settings: int, budget: float, *, replacement: bool = False) -> Array:
    """P(the i-th best of `settings` is the best of `budget` draws), best first; they add up to 1.

    Without replacement (default): C(B-i, n-1) / C(B, n), i from 1. The expectation is then unbiased
    for a search of n settings. With replacement: ((B-i+1)/B)^n - ((B-i)/B)^n, biased towards worse
    scores, and defined for every real n of at least 1.

    Raises:
        ValueError: no settings, or a budget below 1, or without replacement one that is above
            their number or no whole number.
    """
    if settings < 1 or not budget >= 1:
        raise ValueError(f"needs at least one setting and a budget of 1, got {settings}, {budget}")
    if replacement:
        tail = ((settings - np.arange(settings + 1)) / settings) ** budget
        return np.asarray(tail[:-1] - tail[1:], dtype=np.float64)
    if budget != int(budget):
        raise ValueError(f"a budget of {budget} settings is no whole number")
    if budget > settings:
        raise ValueError(f"a budget of {budget} can't be drawn from {settings} settings")
    if settings > MAX_EXACT_SETTINGS:
        ranks = np.arange(1, settings)  # each probability from the one before
        steps = (settings - ranks - (budget - 1)) / (settings - ranks)
        return np.cumprod(np.concatenate([[budget / settings], np.maximum(steps, 0)]))
    total, others = math.comb(settings, int(budget)), int(budget) - 1
    probabilities = [math.comb(settings - i, others) / total for i in range(1, settings + 1)]
    return np.asarray(probabilities, dtype=np.float64)


def average_over_ties(selection_scores: Array, values: Array) -> Array:
    """Each value replaced by the mean over the settings that the search can't tell from its own."""
    _, group, size = np.unique(
        worst_last(selection_scores), return_inverse=True, return_counts=True
    )
    lowest, highest = np.full(len(size), np.inf), np.full(len(size), -np.inf)
    np.minimum.at(lowest, group, values)
    np.maximum.at(highest, group, values)
    # Equal values (failures at the cap) keep it to the last digit, which a rounded mean doesn't.
    means = np.clip(np.bincount(group, values) / size, lowest, highest)
    return np.asarray(means[group], dtype=np.float64)


def best_distribution(
    scores: Array,
    budget: float,
    *,
    cap: float = math.inf,
    choose_by: Array | None = None,
    replacement: bool = False,
) -> BestDistribution:
    """The exact law of the score that a search of `budget` settings would report.

    Args:
        scores: (settings,) reported scores; NaN or infinity for a failed setting, never left out.
        budget: number of settings tried.
        cap: the score that a failure counts as, and the worst that any setting counts as: fixed
            before the results are known, the same for all models. Without one, quantiles exist and
            means are infinite as soon as a failure can be drawn.
        choose_by: (settings,) scores that the search looks at (validation) while `scores` are
            reported (test); without it, the search looks at `scores`. Failures there are chosen
            last.
        replacement: see `weights`.
    """
    search = Search(scores, budget, choose_by).in_order()
    probabilities, values = (
        search.choice_probabilities(replacement=replacement),
        capped(search.scores, cap),
    )
    order = np.argsort(values, kind="stable")
    return BestDistribution(values[order], probabilities[order])


def expected_best(
    scores: Array,
    budget: float,
    *,
    cap: float,
    choose_by: Array | None = None,
    replacement: bool = False,
) -> float:
    """Expected score of the setting that a search of `budget` settings would choose; lower is
    better. Arguments as in `best_distribution`."""
    return best_distribution(
        scores, budget, cap=cap, choose_by=choose_by, replacement=replacement
    ).mean


def budget_curve(
    scores: Array,
    budgets: Iterable[int] | None = None,
    *,
    cap: float,
    choose_by: Array | None = None,
) -> Array:
    """`expected_best` without replacement for budgets, 1 .. B if none are given; that of B is the
    observed best itself."""
    budgets = range(1, len(scores) + 1) if budgets is None else budgets
    return np.array([expected_best(scores, n, cap=cap, choose_by=choose_by) for n in budgets])


def influences(values: Array, budget: float, *, choose_by: Array | None = None) -> Array:
    """What each setting does to the expected best of n, first order, adding up to 0.

    With F the law of what the search looks at and h the value that counts, the influence of setting
    j is n (1 - F_j)^(n-1) h_j less what it takes from all settings that it beats, less the mean:
    the derivative of the sum with replacement. n = 1: h_j less the mean.

    Args:
        values: (settings,) finite values that count.
        budget: settings tried, n.
        choose_by: (settings,) what the search looks at; without it, `values`.

    Returns:
        (settings,) in the order given.
    """
    selection_scores = values if choose_by is None else choose_by
    settings = len(values)
    if not budget >= 1:
        raise ValueError(f"needs a budget of at least 1, got {budget}")
    order = np.argsort(worst_last(selection_scores), kind="stable")
    ordered = average_over_ties(selection_scores, values)[order]
    steps = ((settings - np.arange(1, settings)) / settings) ** (budget - 1) * np.diff(ordered)
    above = np.append(np.cumsum((budget * steps)[::-1])[::-1], 0.0)
    influence = np.empty(settings)
    influence[order] = above.mean() - above
    return influence


def standard_error(
    scores: Array, budget: float, *, cap: float, choose_by: Array | None = None
) -> float:
    """Standard error of the expected best of n, over the draw of settings, from `influences`.

    Too small beyond n/B = 0.1: the interval to print is that of `spacings`.

    Raises:
        ValueError: fewer than two settings, or a failure without a finite cap.
    """
    values = capped(scores, cap)
    settings = len(values)
    if settings < 2:
        raise ValueError("a standard error needs at least two settings")
    if not np.all(np.isfinite(values)):
        raise ValueError("a failed setting has no score to count as: declare a cap")
    influence = influences(values, budget, choose_by=choose_by)
    return math.sqrt(float(influence @ influence) / (settings * (settings - 1)))


def bootstrap_best(
    scores: Array,
    budget: int,
    *,
    cap: float,
    rng: np.random.Generator,
    draws: int = 5000,
    choose_by: Array | None = None,
) -> Array:
    """The best of `budget` settings drawn with replacement, `draws` times: Lucic et al. 2018,
    figure 4, for comparison with the closed form, which is its limit.

    Returns:
        (draws,) reported scores of the chosen settings.
    """
    order = np.argsort(worst_last(scores if choose_by is None else choose_by), kind="stable")
    ranks = rng.integers(len(scores), size=(draws, budget)).min(axis=1)
    return np.asarray(capped(scores, cap)[order][ranks], dtype=np.float64)


def capped(scores: Array, cap: float) -> Array:
    """Failures, and scores above the cap, as the cap."""
    return np.asarray(np.minimum(worst_last(scores), cap), dtype=np.float64)


def worst_last(scores: Array) -> Array:
    """Failures, however they are marked, as plus infinity."""
    return np.asarray(np.where(np.isfinite(scores), scores, np.inf), dtype=np.float64)
