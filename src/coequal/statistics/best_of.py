"""The expected score of the best of n settings, in closed form.

A search with a budget of n chooses the best of n of the B settings that were measured (`search`).
No resampling is needed: the probabilities of the order statistics are known exactly, and with them
the mean, the standard deviation and the quantiles of the score that the search reports.

Sources: Dodge et al. 2019, arXiv:1909.03004 (with replacement); Tang et al. 2020, ACL (without
replacement). Lucic et al. 2018, arXiv:1711.10337, figure 4, resample 5,000 times with replacement,
which estimates the same number.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from coequal.statistics.search import Array, Search, average_over_ties, capped, worst_last


@dataclass(frozen=True, eq=False)
class BestDistribution:
    """The distribution of the score of the best of n.

    Attributes:
        values: (settings,) reported scores in ascending order, failures as the cap.
        probabilities: (settings,) probability of each value, adding up to 1.
    """

    values: Array
    probabilities: Array

    @property
    def mean(self) -> float:
        """Expected score; infinite where a failure has positive probability and there is no finite
        cap."""
        return self._expected(self.values)

    @property
    def sd(self) -> float:
        """Standard deviation from search to search; it is not the standard error of the mean."""
        if not math.isfinite(self.mean):
            return math.nan
        return math.sqrt(max(0.0, self._expected((self.values - self.mean) ** 2)))

    def quantile(self, probability: float) -> float:
        """Return the lowest value that the score is at or below with at least this probability.

        Args:
            probability: in [0, 1]; 0.5 gives the median.
        """
        reached = np.cumsum(self.probabilities) >= probability - 1e-12
        return float(self.values[int(np.argmax(reached))] if reached.any() else self.values[-1])

    def _expected(self, values: Array) -> float:
        possible = self.probabilities > 0
        return float(self.probabilities[possible] @ values[possible])


def best_distribution(
    scores: Array,
    budget: float,
    *,
    cap: float = math.inf,
    choose_by: Array | None = None,
    replacement: bool = False,
) -> BestDistribution:
    """Return the exact distribution of the score that a search of `budget` settings would report.

    Args:
        scores: (settings,) reported scores; NaN or infinity for a failed setting. Failed settings
            are never dropped.
        budget: number of settings tried, n.
        cap: the score that a failure counts as, and the worst that any setting counts as. It is
            fixed before the results are known and is the same for all models. Without a finite cap
            the quantiles exist, but the mean is infinite as soon as a failure can be chosen.
        choose_by: (settings,) scores that the search selects by (validation), where `scores` are
            only reported (test). None means that it selects by `scores`. Failures are chosen last.
        replacement: whether one setting may be tried twice; see `weights`.

    Raises:
        ValueError: the budget is not valid; see `weights`.
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
    """Return the expected score of the setting that a search of `budget` settings would choose.

    Args:
        scores: (settings,) reported scores, lower is better; failures as NaN or infinity.
        budget: number of settings tried, n.
        cap: the score of a failure; see `best_distribution`.
        choose_by: (settings,) scores that the search selects by; None means `scores`.
        replacement: whether one setting may be tried twice; see `weights`.

    Raises:
        ValueError: the budget is not valid; see `weights`.
    """
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
    """Return `expected_best` without replacement at several budgets.

    Args:
        scores: (settings,) reported scores; failures as NaN or infinity.
        budgets: numbers of settings tried; None means 1 .. B. At B the value is the observed best
            itself.
        cap: the score of a failure; see `best_distribution`.
        choose_by: (settings,) scores that the search selects by; None means `scores`.

    Returns:
        (budgets,) expected scores.
    """
    budgets = range(1, len(scores) + 1) if budgets is None else budgets
    return np.array([expected_best(scores, n, cap=cap, choose_by=choose_by) for n in budgets])


def influences(values: Array, budget: float, *, choose_by: Array | None = None) -> Array:
    """Return the first-order influence of each setting on the expected best of n.

    Let F be the distribution of the selection score and h the value that counts. The influence of
    setting j is n (1 - F_j)^(n-1) h_j, less what it takes from all settings that it beats, less the
    mean: the derivative of the sum with replacement. At n = 1 it is h_j less the mean.

    Args:
        values: (settings,) finite values that count.
        budget: number of settings tried, n, real and at least 1.
        choose_by: (settings,) scores that the search selects by; None means `values`.

    Returns:
        (settings,) influences in the order given, adding up to 0.

    Raises:
        ValueError: the budget is below 1.
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
    """Return the standard error of the expected best of n over the draw of settings, from
    `influences`.

    It is too small beyond n/B = 0.1: the interval to print is that of `spacings`.

    Args:
        scores: (settings,) reported scores; failures as NaN or infinity.
        budget: number of settings tried, n, real and at least 1.
        cap: the score of a failure; finite if any setting failed.
        choose_by: (settings,) scores that the search selects by; None means `scores`.

    Raises:
        ValueError: there are fewer than two settings, or a failure without a finite cap.
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
    """Draw the best of `budget` settings with replacement, `draws` times.

    This is the resampling of Lucic et al. 2018, figure 4, for comparison with the closed form,
    which is its limit.

    Args:
        scores: (settings,) reported scores; failures as NaN or infinity.
        budget: number of settings tried, n.
        cap: the score of a failure.
        rng: source of the draws.
        draws: number of resamples.
        choose_by: (settings,) scores that the search selects by; None means `scores`.

    Returns:
        (draws,) reported scores of the chosen settings.
    """
    order = np.argsort(worst_last(scores if choose_by is None else choose_by), kind="stable")
    ranks = rng.integers(len(scores), size=(draws, budget)).min(axis=1)
    return np.asarray(capped(scores, cap)[order][ranks], dtype=np.float64)
