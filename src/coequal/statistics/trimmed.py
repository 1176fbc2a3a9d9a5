"""Interquartile mean and median of a few numbers, with intervals and a test.

The middle half is made of whole values: floor(m/4) of m are cut off at each end, as Yuen's t
requires; there are no fractional ends.
"""

import math
import warnings
from typing import Any

import numpy as np
from scipy.stats import quantile_test, ttest_ind
from scipy.stats import t as student

from coequal.statistics.rates import Interval
from coequal.statistics.search import Array

MIN_RUNS = 5
"""Number of values below which there is neither an interval nor a test."""
LEVEL = 0.05


def interquartile_mean(values: Array) -> float:
    """Return the mean of the middle half: floor(m/4) of the m values are cut off at each end.

    Whole values are cut, with no fractional ends, because Yuen's interval is about this mean.

    Args:
        values: (runs,) numbers, at least one.
    """
    ordered = np.sort(values)
    cut = len(ordered) // 4
    middle = ordered[cut : len(ordered) - cut]
    # Equal values (all at the cap) have exactly that mean, which a rounded sum doesn't promise.
    return float(middle[0] if middle[0] == middle[-1] else np.mean(middle))


def yuen_interval(values: Array) -> Interval:
    """Return the 95 % interval of the interquartile mean, on the scale of the values.

    With g = floor(m/4), h = m - 2g and s_w the standard deviation (ddof 1) after the g values at
    each end are set to their nearest kept neighbour: mean +- t s_w / ((1 - 2g/m) sqrt(m)) with h -
    1 degrees of freedom.

    Args:
        values: (runs,) numbers.

    Raises:
        ValueError: there are fewer than `MIN_RUNS` values.

    Source: Tukey and McLaughlin 1963, Sankhya A 25, 331-352.
    """
    runs = len(values)
    if runs < MIN_RUNS:
        raise ValueError(f"an interval needs at least {MIN_RUNS} runs, got {runs}")
    kept = runs - 2 * (runs // 4)
    error = math.sqrt(_winsorised_variance(values) * runs) / kept
    half = float(student.ppf(1 - LEVEL / 2, kept - 1)) * error
    centre = interquartile_mean(values)
    return Interval(centre - half, centre + half)


def median_interval(values: Array) -> Interval | None:
    """Return the interval between two order statistics that covers the median in at least 95 % of
    studies.

    This holds for every distribution. The interval ends at the l-th lowest and the l-th highest
    value, with the largest l for which P(Bin(m, 1/2) <= l - 1) <= 2.5 %.

    Args:
        values: (runs,) numbers.

    Returns:
        The interval; None below 6 values, where even the two extremes cover less.
    """
    low, high = quantile_test(values, p=0.5).confidence_interval(1 - LEVEL)
    return None if math.isnan(low) else Interval(float(low), float(high))


def yuen_test(a: Array, b: Array) -> tuple[float, float, float]:
    """Test whether A and B have the same interquartile mean, whatever their variances.

    With d = (m-1) s_w^2 / (h (h-1)) of each, t = |difference| / sqrt(d_A + d_B), and Welch's
    degrees of freedom (d_A + d_B)^2 / (d_A^2 / (h_A - 1) + d_B^2 / (h_B - 1)).

    Args:
        a: (runs of A,) numbers.
        b: (runs of B,) numbers.

    Returns:
        The statistic (at or above 0), the degrees of freedom and the two-sided p-value.

    Raises:
        ValueError: there are fewer than `MIN_RUNS` values on either side.

    Source: Yuen 1974, Biometrika 61, 165-170.
    """
    found = _yuen(a, b)
    if found is None:
        apart = interquartile_mean(a) != interquartile_mean(b)
        return (math.inf, math.inf, 0.0) if apart else (0.0, math.inf, 1.0)
    return abs(float(found.statistic)), float(found.df), float(found.pvalue)


def yuen_difference(a: Array, b: Array) -> Interval:
    """Return the 95 % interval of A's interquartile mean less B's, by inverting `yuen_test`.

    Args:
        a: (runs of A,) numbers.
        b: (runs of B,) numbers.

    Raises:
        ValueError: there are fewer than `MIN_RUNS` values on either side.
    """
    found = _yuen(a, b)
    if found is None:
        apart = interquartile_mean(a) - interquartile_mean(b)
        return Interval(apart, apart)
    low, high = found.confidence_interval(1 - LEVEL)
    return Interval(float(low), float(high))


def _yuen(a: Array, b: Array) -> Any:
    """SciPy's test of both; None where neither has any spread, such as both at the cap."""
    if min(len(a), len(b)) < MIN_RUNS:
        raise ValueError(f"a test needs at least {MIN_RUNS} runs each, got {len(a)} and {len(b)}")
    if not (_winsorised_variance(a) or _winsorised_variance(b)):
        return None
    with warnings.catch_warnings():
        # SciPy warns of lost digits where one side's values are all but equal. The variance of that
        # side is then 0 up to rounding, which is what it is.
        warnings.simplefilter("ignore", RuntimeWarning)
        return ttest_ind(a, b, equal_var=False, trim=0.25)


def _winsorised_variance(values: Array) -> float:
    """Variance (ddof 1) after floor(m/4) values at each end are set to their nearest kept one."""
    ordered = np.sort(values)
    cut = len(ordered) // 4
    low, high = ordered[cut], ordered[-1 - cut]
    return 0.0 if low == high else float(np.var(np.clip(ordered, low, high), ddof=1))
