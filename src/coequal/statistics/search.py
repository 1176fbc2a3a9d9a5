"""One model's measured search, and the probability of each setting to be the one that it chooses.

B settings of a model were measured. A search with a budget of n is a random subset of n of them,
and it chooses the setting that comes first in the order of its selection scores (validation).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


MAX_EXACT_SETTINGS = 200
"""Number of settings of a model beyond which searches within a budget of cost are simulated instead
of counted (`cost`), and spacings are drawn without sorting (`spacings`)."""


@dataclass(frozen=True, eq=False)
class Search:
    """One model's measured search, together with the budget that it is evaluated at.

    Attributes:
        scores: (settings,) reported scores (test), lower is better; NaN or infinity for a failed
            setting. Failed settings are never dropped.
        budget: number of settings tried, n; an integer unless a function says that it accepts real
            budgets.
        choose_by: (settings,) scores that the search selects by (validation), where `scores` are
            only reported (test). None means that it selects by `scores`. Failures are chosen last.
        own: (settings,) where `scores` are of a run with a fresh seed, the score of the run that
            the search selects by; NaN where `scores` is that. None means that it is everywhere.
    """

    scores: Array
    budget: float = 1
    choose_by: Array | None = None
    own: Array | None = None

    @property
    def settings(self) -> int:
        """B, the number of settings that were measured."""
        return len(self.scores)

    @property
    def selection_scores(self) -> Array:
        """(settings,) the scores that the search selects by."""
        return self.scores if self.choose_by is None else self.choose_by

    @property
    def own_scores(self) -> Array:
        """(settings,) `own`, NaN everywhere where it is None."""
        return np.full(self.settings, np.nan) if self.own is None else self.own

    @property
    def ratio(self) -> float:
        """n/B; about B/n independent draws of the best of n exist."""
        return self.budget / self.settings

    @cached_property
    def by_score(self) -> NDArray[np.intp]:
        """(settings,) the settings' places, best score first."""
        return np.argsort(worst_last(self.scores), kind="stable")

    def choice_probabilities(self, *, replacement: bool = False) -> Array:
        """Return the probability of each setting to be the one that the search chooses.

        Args:
            replacement: whether one setting may be tried twice; see `weights`.

        Returns:
            (settings,) probabilities in the order of the settings, adding up to 1. Settings with
            equal selection scores share their probability equally.
        """
        ranked = weights(self.settings, self.budget, replacement=replacement)
        probabilities = np.empty(self.settings)
        probabilities[np.argsort(worst_last(self.selection_scores), kind="stable")] = ranked
        if self.choose_by is None:
            return probabilities  # equal scores are as good as one another
        return average_over_ties(self.choose_by, probabilities)

    def in_order(self) -> Self:
        """Return this search with its settings sorted by selection score, best first.

        Sums over a sorted search do not depend on the order in which the settings were drawn, not
        even in their last digit.
        """
        return self._in_order

    @cached_property
    def _in_order(self) -> Self:
        selection_scores, scores = worst_last(self.selection_scores), worst_last(self.scores)
        rises = selection_scores[:-1] < selection_scores[1:]
        if np.all(
            rises | ((selection_scores[:-1] == selection_scores[1:]) & (scores[:-1] <= scores[1:]))
        ):
            return self  # as it is after the first time
        order = np.lexsort((scores, selection_scores))
        chosen_by = None if self.choose_by is None else self.choose_by[order]
        own = None if self.own is None else self.own[order]
        return replace(self, scores=self.scores[order], choose_by=chosen_by, own=own)


def weights(settings: int, budget: float, *, replacement: bool = False) -> Array:
    """Return the probability that the i-th best of `settings` is the best of `budget` draws.

    Without replacement (default): C(B-i, n-1) / C(B, n), with i counted from 1. The expectation is
    then unbiased for a search of n settings. With replacement: ((B-i+1)/B)^n - ((B-i)/B)^n, which
    is biased towards worse scores and defined for every real n of at least 1.

    Args:
        settings: B, at least 1.
        budget: n, at least 1; without replacement an integer of at most `settings`.
        replacement: whether one setting may be drawn twice.

    Returns:
        (settings,) probabilities, best setting first, adding up to 1.

    Raises:
        ValueError: there are no settings, or the budget is below 1, or, without replacement, the
            budget is above the number of settings or not an integer.
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
    ranks = np.arange(1, settings)  # C(B-i, n-1) / C(B, n), each from the one before
    steps = (settings - ranks - (budget - 1)) / (settings - ranks)
    return np.cumprod(np.concatenate([[budget / settings], np.maximum(steps, 0)]))


def average_over_ties(selection_scores: Array, values: Array) -> Array:
    """Replace each value by the mean over all settings with an equal selection score.

    Args:
        selection_scores: (settings,) scores that the search selects by; failures count as equal.
        values: (settings,) values to average.

    Returns:
        (settings,) averaged values, in the order given.
    """
    selection_scores = worst_last(selection_scores)
    ascending = np.sort(selection_scores)
    if np.all(ascending[:-1] < ascending[1:]):
        return values  # no ties, as mostly
    _, group, size = np.unique(selection_scores, return_inverse=True, return_counts=True)
    lowest, highest = np.full(len(size), np.inf), np.full(len(size), -np.inf)
    np.minimum.at(lowest, group, values)
    np.maximum.at(highest, group, values)
    # Equal values (failures at the cap) keep it to the last digit, which a rounded mean doesn't.
    means = np.clip(np.bincount(group, values) / size, lowest, highest)
    return np.asarray(means[group], dtype=np.float64)


def capped(scores: Array, cap: float) -> Array:
    """Replace failures, and scores above the cap, by the cap."""
    return np.asarray(np.minimum(worst_last(scores), cap), dtype=np.float64)


def worst_last(scores: Array) -> Array:
    """Replace failures, whether NaN or infinite, by plus infinity, so that they sort last."""
    return np.asarray(np.where(np.isfinite(scores), scores, np.inf), dtype=np.float64)
