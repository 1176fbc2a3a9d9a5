"""The typical score of a tuned model: its mean, on the scale of the study, and the ratio of two."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from coequal.statistics.better import influence_error, paired_error, search_influences
from coequal.statistics.looks import LEVEL
from coequal.statistics.rates import Interval
from coequal.statistics.rules import Rules
from coequal.statistics.search import Array, Search, capped

LEAST_SETTINGS = 6
"""Number of settings below which the typical score of one model has no interval: where two kinds of
settings are about as frequent, five are all of one kind in one study of eight, and the interval
then covers in 86 % of studies; six cover in 93 % (docs/explanation/validation.md)."""


@dataclass(frozen=True)
class TypicalScore:
    """What a tuned model typically scores, by itself.

    Attributes:
        score: geometric mean on the log scale, mean on the linear one.
        interval: 95 % interval of this model alone, over the draw of its settings; None with too
            few settings, and where they all score the same.
    """

    score: float
    interval: Interval | None


def typical_scores(searches: Mapping[str, Search], rules: Rules) -> dict[str, TypicalScore]:
    """Return what each tuned model typically scores, as the verdict compares it.

    The score is that of the best of n random settings by validation; the settings that were trained
    again count with their fresh seed, the others with the search's own run. The interval is by
    Student's t, from the influences of the settings, with B / n - 1 degrees of freedom: B settings
    hold about B / n independent searches of n.

    Args:
        searches: by model, in the order drawn.
        rules: give the scale, the cap, and how many settings the budget needs.

    Returns:
        The scores by model, without those whose failures have no score to count as.
    """
    failed = failure_score(rules, *searches.values())
    found = {name: typical_score(search, rules, failed) for name, search in searches.items()}
    return {name: score for name, score in found.items() if score is not None}


def typical_score(search: Search, rules: Rules, failed: float) -> TypicalScore | None:
    """Return what one tuned model typically scores; see `typical_scores`.

    Args:
        search: of the model.
        rules: see `typical_scores`.
        failed: the score of a failure (`failure_score`).
    """
    known = typical_influences(search, rules, failed)
    if known is None:
        return None
    middle, influences = known
    back = math.exp if rules.scale == "log" else float
    if search.settings < max(LEAST_SETTINGS, rules.first_settings):
        return TypicalScore(back(middle), None)
    error = influence_error(influences)
    if error == 0:
        return TypicalScore(back(middle), None)
    reach = -float(stdtrit(search.settings / search.budget - 1, LEVEL / 2)) * error
    return TypicalScore(back(middle), Interval(back(middle - reach), back(middle + reach)))


def failure_score(rules: Rules, *searches: Search) -> float:
    """Return the score that a failure counts as in the mean scores of models that are compared.

    It is the cap, or the worst score of a finished run where that is worse: finished runs keep
    their scores, or models that are no better than noise would all seem equal.

    Args:
        rules: give the cap.
        searches: of the models.
    """
    cap = math.inf if rules.cap is None else rules.cap
    every = np.concatenate([scores for s in searches for scores in (s.scores, s.own_scores)])
    return float(max(cap, every[np.isfinite(every)].max(initial=-math.inf)))


def typical_influences(search: Search, rules: Rules, failed: float) -> tuple[float, Array] | None:
    """Return the mean score of the tuned model on the scale of the rules, and its influences.

    Args:
        search: the model's search in the order drawn.
        rules: give the scale.
        failed: the score of a failure (`failure_score`); infinite: none is known.

    Returns:
        The unbiased mean of the score (of its logarithm, on the log scale), and (settings,) the
        influence of each setting on it; None where a failure has no score to count as.
    """

    def value(scores: Array) -> Array:
        found = capped(scores, failed)
        return np.log(found) if rules.scale == "log" else found

    own = search.own_scores
    every = capped(np.concatenate([search.scores, own[~np.isnan(own)]]), failed)
    if not np.all(np.isfinite(every)) or (rules.scale == "log" and np.any(every <= 0)):
        return None
    middle = float(search.choice_probabilities() @ value(search.scores))
    return middle, search_influences(search, value)


def typical_ratio(
    a: Search, b: Search, rules: Rules, level: float
) -> tuple[float | None, Interval | None]:
    """Return the ratio of typical scores, or the difference of means, and its interval.

    The interval is by Student's t. Of B settings about 2 B / (n + 1) count for the best of n: so
    many, less one, are the degrees of freedom. With B - 1 the interval covers too little from
    n = 4.

    Args:
        a: search of the first model, in the order drawn.
        b: search of the second.
        rules: give the scale and the cap.
        level: error of the interval, in (0, 1).

    Returns:
        The number and its interval; None where a failure has no score to count as, and no interval
        below two settings.
    """
    failed = failure_score(rules, a, b)
    left, right = (typical_influences(search, rules, failed) for search in (a, b))
    if left is None or right is None:
        return None, None
    back = math.exp if rules.scale == "log" else float
    middle = left[0] - right[0]
    if min(a.settings, b.settings) < 2:
        return back(middle), None
    error = paired_error(left[1], -right[1])
    freedom = max(1.0, 2 * min(a.settings, b.settings) / (a.budget + 1) - 1)
    reach = -float(stdtrit(freedom, level / 2)) * error
    return back(middle), Interval(back(middle - reach), back(middle + reach))


def within_margin(ends: Interval | None, rules: Rules) -> bool:
    """Return whether an interval of the ratio lies within the margin that the study declares."""
    if ends is None or rules.margin is None:
        return False
    if rules.scale == "log":
        return 1 / rules.margin <= ends.low and ends.high <= rules.margin
    return -rules.margin <= ends.low and ends.high <= rules.margin
