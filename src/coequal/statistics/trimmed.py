"""Interquartile mean and median of a few numbers, with intervals.

The middle half is made of whole values: floor(m/4) of m are cut off at each end, as Yuen's t
requires; there are no fractional ends. Of 10 values it is thus the middle six, of 5 the middle
three.
"""

import math

import numpy as np
from scipy.stats import t as student

from coequal.statistics.rates import Interval
from coequal.statistics.search import Array

MIN_RUNS = 5
"""Number of values below which there is no interval."""
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


def yuen_interval(values: Array) -> Interval | None:
    """Return the 95 % interval of the interquartile mean, on the scale of the values.

    With g = floor(m/4), h = m - 2g and s_w the standard deviation (ddof 1) after the g values at
    each end are set to their nearest kept neighbour: mean +- t s_w / ((1 - 2g/m) sqrt(m)) with h -
    1 degrees of freedom.

    Args:
        values: (runs,) numbers.

    Returns:
        The interval; None where the values of the middle half and the next at each side are all
        equal, as where most runs are at the cap: nothing then tells how far the mean may be off.

    Raises:
        ValueError: there are fewer than `MIN_RUNS` values.

    Source: Tukey and McLaughlin 1963, Sankhya A 25, 331-352.
    """
    runs = len(values)
    if runs < MIN_RUNS:
        raise ValueError(f"an interval needs at least {MIN_RUNS} runs, got {runs}")
    kept = runs - 2 * (runs // 4)
    variance = _winsorised_variance(values)
    if variance == 0:
        return None
    error = math.sqrt(variance * runs) / kept
    half = float(student.ppf(1 - LEVEL / 2, kept - 1)) * error
    centre = interquartile_mean(values)
    return Interval(centre - half, centre + half)


def median_interval(values: Array) -> Interval | None:
    """Return the interval between two order statistics that covers the median in at least 95 % of
    studies.

    This holds for every distribution, with or without equal values. The interval ends at the l-th
    lowest and the l-th highest value, with the largest l for which P(Bin(m, 1/2) <= l - 1) <= 2.5
    %.

    Args:
        values: (runs,) numbers, or infinity.

    Returns:
        The interval, whose ends may be infinite; None below 6 values, where even the two extremes
        cover less.
    """
    runs, below, rank = len(values), 0, 0
    while 2 * (below := below + math.comb(runs, rank)) <= LEVEL * 2**runs:
        rank += 1
    ordered = np.sort(values)
    return Interval(float(ordered[rank - 1]), float(ordered[-rank])) if rank else None


def _winsorised_variance(values: Array) -> float:
    """Variance (ddof 1) after floor(m/4) values at each end are set to their nearest kept one."""
    ordered = np.sort(values)
    cut = len(ordered) // 4
    low, high = ordered[cut], ordered[-1 - cut]
    return 0.0 if low == high else float(np.var(np.clip(ordered, low, high), ddof=1))
