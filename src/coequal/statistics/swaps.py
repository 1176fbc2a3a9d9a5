"""The test of two models on few settings: what swapping them within settings could have given.

If A and B have one distribution, the two scores of a setting could as well have been the other way
round. All ways to swap them give the distribution of P(A better than B) at n = 1, whatever the
dependence between the two scores.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from coequal.statistics.better import LOGIT_MIN_SETTINGS, MIN_STANDARD_ERROR
from coequal.statistics.search import Array, worst_last

MAX_SWAPS = 8192
"""Ways to swap two models within their settings that are counted."""


def least_p_value(settings: int) -> float:
    """Return the smallest p-value that a pair can have: of all ways to swap the two models within
    their settings, only two are as clear as the clearest.

    Args:
        settings: number of settings of each model.
    """
    least = 2.0 ** (1 - settings)
    return least if settings >= LOGIT_MIN_SETTINGS else max(least, 1 / MAX_SWAPS)


def swap_p_value(a: Array, b: Array) -> float:
    """Return the two-sided p-value of P(A better than B) = 1/2 at n = 1, by swaps within settings.

    It is the proportion of the ways to swap the two scores of each setting for which P is at least
    as far from 1/2, measured by its own paired standard error. For models of one distribution it is
    exact, whatever the dependence between the scores of one setting; the standard error keeps it
    right, to within a point or two, for models that only have P = 1/2 in common, such as a narrow
    and a wide one. All 2^(B-1) ways up to a change of sign are counted for up to 14 settings, and
    a fixed random 8,192 of them beyond.

    Args:
        a: (settings,) scores of A, lower is better; failures as NaN or infinity.
        b: (settings,) scores of B, of the same settings.

    Source: Konietschke and Pauly 2012, Electron. J. Stat. 6, 1358-1372.
    """
    apart = np.abs(_studentised(worst_last(a), worst_last(b), _swaps(len(a))))
    return float(np.mean(apart >= apart[0] * (1 - 1e-9)))


@lru_cache(4)
def _swaps(settings: int) -> NDArray[np.bool_]:
    """(ways, settings) whether a setting is swapped; nothing is in the first row."""
    if 2 ** (settings - 1) <= MAX_SWAPS:
        ways = np.arange(2 ** (settings - 1))[:, None]
        return np.asarray((ways >> np.arange(settings)) & 1, dtype=bool)
    swapped = np.random.default_rng(0).random((MAX_SWAPS, settings)) < 0.5
    swapped[0] = False
    return swapped


def _studentised(a: Array, b: Array, swapped: NDArray[np.bool_]) -> Array:
    """(ways,) P - 1/2 over its paired standard error, for each way to swap; 0 where nothing
    differs, and infinite where every setting says the same."""
    settings = len(a)
    pooled = np.concatenate([a, b])
    ordered = np.sort(pooled)
    first, last = (np.searchsorted(ordered, pooled, side) for side in ("left", "right"))
    order = np.argsort(pooled, kind="stable")
    # How many scores that now are A's lie below each score, half of those at it.
    of_a = np.concatenate([~swapped, swapped], axis=1)
    upto = np.cumsum(of_a[:, order], axis=1)
    upto = np.concatenate([np.zeros((len(upto), 1)), upto], axis=1)
    below = (upto[:, first] + upto[:, last]) / 2
    # Of A's scores the part of B's that they beat, of B's the part of A's that beats them.
    beaten = np.where(of_a, 1 - ((first + last) / 2 - below) / settings, below / settings)
    of_setting = beaten[:, :settings] + beaten[:, settings:]
    ahead = of_setting.mean(axis=1) / 2 - 0.5
    error = of_setting.std(axis=1, ddof=1) / math.sqrt(settings)
    clear = np.where(np.abs(ahead) < 1e-12, 0.0, np.copysign(np.inf, ahead))
    np.divide(ahead, error, out=clear, where=error > MIN_STANDARD_ERROR)
    return np.asarray(clear, dtype=np.float64)
