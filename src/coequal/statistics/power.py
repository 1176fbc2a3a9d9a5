"""What a number of settings can show, before it is spent.

The normal score z of a pair grows with the root of the number of settings, at a fixed budget n. A
pair is decided with a probability of 80 % if z is expected at the critical value of its level plus
0.842. Both questions of a planner follow: how many settings decide a pair as it is, and which ratio
of typical scores a given number of settings would show.

An observed z is itself uncertain by 1, so that a number of settings from it is only the order of
magnitude (docs/explanation/validation.md).
"""

import math
from dataclasses import replace
from itertools import count
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from coequal.statistics.better import probability_better, standard_error
from coequal.statistics.search import Search
from coequal.statistics.swaps import least_p_value

POWER = 0.8
SPREAD, CORRELATION, SEED_SPREAD = 0.6, 0.5, 0.18
"""Assumed where no earlier runs are known, of logarithms of scores: the standard deviation over
random settings, its correlation between models that share draws, and the standard deviation over
seeds. Measured on eight GANs on Fashion-MNIST (docs/results/one_hour): 0.3 to 0.9, mean correlation
of ranks 0.57, and 0.09 to 0.32."""
ASSUMED_SETTINGS = 2000
MAX_SETTINGS = 1000
"""Of a larger search the first settings say enough about its spread."""
LARGEST_RATIO = 100.0


def fewest_settings(level: float) -> int:
    """Return the number of settings from which any scores at all can decide a pair.

    Args:
        level: error that the last look spends on the pair.
    """
    return next(settings for settings in count(2) if least_p_value(settings) <= level)


def settings_needed(z: float, settings: int, level: float) -> int | None:
    """Return how many settings would decide a pair with a probability of 80 %.

    Args:
        z: normal score of the pair.
        settings: number of settings of each model that it was observed on.
        level: error that the last look spends on the pair.

    Returns:
        The number in all, at least `fewest_settings`; None where z is 0.
    """
    if z == 0 or math.isnan(z):
        return None
    wanted = _critical(level) + float(ndtri(POWER))
    return max(fewest_settings(level), math.ceil(settings * (wanted / abs(z)) ** 2))


def smallest_difference(
    a: Search,
    b: Search,
    *,
    settings: int,
    level: float,
    scale: Literal["log", "linear"] = "log",
) -> float | None:
    """Return the difference that a number of settings would show with a probability of 80 %.

    The scores of B are shifted to where neither model is ahead, and from there until the pair is as
    clear as that; the spread of both models and the dependence between them stay as they were
    observed.

    Args:
        a: A's search in the order drawn, with two settings or more.
        b: B's search, with as many.
        settings: number of settings of each model that will be compared.
        level: error that the last look spends on the pair.
        scale: "log" for a ratio of scores above 0, "linear" for a difference.

    Returns:
        A ratio above 1, or a difference above 0; None if no difference, or none below a hundredfold
        (or a hundred standard deviations), would be shown.
    """
    if settings < fewest_settings(level):
        return None
    finite = np.isfinite(a.scores) & np.isfinite(b.scores)
    finite[MAX_SETTINGS:] = False
    if finite.sum() < 2:
        return None
    left, right = (_kept(search, finite) for search in (a, b))
    if scale == "log":
        if min(left.scores.min(), right.scores.min()) <= 0:
            return None
        left, right = (replace(s, scores=np.log(s.scores)) for s in (left, right))
        most = math.log(LARGEST_RATIO)
    else:
        most = 100 * float(np.std(np.concatenate([left.scores, right.scores])))
    if most == 0:
        return None
    wanted = _critical(level) + float(ndtri(POWER))

    def moved(shift: float) -> Search:
        return replace(right, scores=right.scores + shift)

    def ahead(shift: float) -> float:
        return probability_better(left, moved(shift)) - 0.5

    def lacks(shift: float) -> float:
        chance, error = ahead(shift) + 0.5, standard_error(left, moved(shift))
        # The normal score of a proportion at the null hypothesis, of as many settings as have this
        # error at this proportion: it grows with the shift, which that on the logit scale does not.
        spread = chance * (1 - chance)
        effective = spread / error**2 * settings / left.settings if error else math.inf
        return min(1e6, 2 * (chance - 0.5) * math.sqrt(effective)) - wanted

    if ahead(-most) > 0 or ahead(most) < 0:
        return None  # further apart than anything that is looked for
    even = float(brentq(ahead, -most, most, xtol=1e-4 * most))
    if not lacks(even) < 0 <= lacks(even + most):
        return None  # nothing that is looked for is shown, or there is no error to go by
    shift = float(brentq(lacks, even, even + most, xtol=1e-4 * most)) - even
    return math.exp(shift) if scale == "log" else shift


def assumed_searches(
    budget: int,
    *,
    spread: float = SPREAD,
    correlation: float = CORRELATION,
    seed_spread: float = SEED_SPREAD,
) -> tuple[Search, Search]:
    """Return searches of two equal models as a planner may assume them: log-normal, and large.

    Args:
        budget: n, the number of settings tried.
        spread: standard deviation of the logarithm of the score over random settings.
        correlation: of these between two models that share draws, in [0, 1].
        seed_spread: standard deviation of the logarithm of the score over seeds.
    """
    rng = np.random.default_rng(0)  # always the same two: a plan does not change by itself
    shared = rng.standard_normal(ASSUMED_SETTINGS)
    searches = []
    for _ in range(2):
        own = rng.standard_normal(ASSUMED_SETTINGS)
        log = spread * (math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own)
        first, fresh = seed_spread * rng.standard_normal((2, ASSUMED_SETTINGS))
        searches.append(Search(np.exp(log + fresh), budget, np.exp(log + first)))
    return searches[0], searches[1]


def _critical(level: float) -> float:
    return float(-ndtri(level / 2))


def _kept(search: Search, kept: np.typing.NDArray[np.bool_]) -> Search:
    by = None if search.choose_by is None else search.choose_by[kept]
    return Search(search.scores[kept], min(search.budget, int(kept.sum())), by)
