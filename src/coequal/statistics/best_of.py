"""The expected score of the best of n settings, in closed form.

A search with a budget of n chooses the best of n of the B settings that were measured (`search`).
No resampling is needed: the probabilities of the order statistics are known exactly, and with them
the mean and the quantiles of the score that the search reports.

Source: Tang et al. 2020, ACL. Dodge et al. 2019, arXiv:1909.03004, have the closed form for draws
with replacement, which Lucic et al. 2018, arXiv:1711.10337, figure 4, estimate by 5,000 resamples;
its mean is biased towards worse scores, the more the larger the budget.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from coequal.statistics.search import (
    Array,
    Search,
    average_over_ties,
    capped,
    weights,
    worst_last,
)


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
        possible = self.probabilities > 0
        return float(self.probabilities[possible] @ self.values[possible])

    def quantile(self, probability: float) -> float:
        """Return the lowest value that the score is at or below with at least this probability.

        Args:
            probability: in [0, 1]; 0.5 gives the median.
        """
        reached = np.cumsum(self.probabilities) >= probability - 1e-12
        return float(self.values[int(np.argmax(reached))] if reached.any() else self.values[-1])


def best_distribution(
    scores: Array, budget: float, *, cap: float = math.inf, choose_by: Array | None = None
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

    Raises:
        ValueError: the budget is not valid; see `search.weights`.
    """
    search = Search(scores, budget, choose_by).in_order()
    probabilities, values = search.choice_probabilities(), capped(search.scores, cap)
    order = np.argsort(values, kind="stable")
    return BestDistribution(values[order], probabilities[order])


def expected_best(
    scores: Array, budget: float, *, cap: float, choose_by: Array | None = None
) -> float:
    """Return the expected score of the setting that a search of `budget` settings would choose.

    Args:
        scores: (settings,) reported scores, lower is better; failures as NaN or infinity.
        budget: number of settings tried, n.
        cap: the score of a failure; see `best_distribution`.
        choose_by: (settings,) scores that the search selects by; None means `scores`.

    Raises:
        ValueError: the budget is not valid; see `search.weights`.
    """
    return best_distribution(scores, budget, cap=cap, choose_by=choose_by).mean


def budget_curve(
    scores: Array,
    budgets: Iterable[int] | None = None,
    *,
    cap: float,
    choose_by: Array | None = None,
) -> Array:
    """Return `expected_best` at several budgets.

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
    mean: the derivative of the sum with replacement. Settings with equal selection scores share
    the probability W of their group of k: each counts with the group's mean, to which it adds
    B W / k times what it differs from it. At n = 1 the influence is h_j less the mean.

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
    if choose_by is None:
        return influence  # equal scores are equal values
    # Within a group of equal selection scores the values differ, and which of them the search
    # reports is chance.
    shared = np.empty(settings)
    shared[order] = weights(settings, budget, replacement=True)
    own = values - average_over_ties(choose_by, values)
    return influence + settings * average_over_ties(choose_by, shared) * own


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
