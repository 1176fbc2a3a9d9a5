"""Agreement of two rankings."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from coequal.statistics.rates import Z

MIN_PAIRS = 5
"""Number of pairs below which no interval is given."""


class Correlation(NamedTuple):
    """A rank correlation with its 95 % interval over the draw of the pairs.

    Attributes:
        value: Spearman's rho, in [-1, 1].
        low: lower end of the interval; None where no interval is given.
        high: upper end of the interval; None where no interval is given.
        pairs: number of pairs.
    """

    value: float
    low: float | None
    high: float | None
    pairs: int


def spearman(first: ArrayLike, second: ArrayLike) -> Correlation | None:
    """Return Spearman's rank correlation of pairs; equal values share their mean rank.

    The interval is over the draw of the pairs, on Fisher's scale with the variance (1 + rho^2 / 2)
    / (n - 3) of Bonett and Wright 2000. Simulated for independent pairs of a normal distribution it
    covers .93 to .96 (`tests/statistics/test_correlation.py`).

    Args:
        first: (n,) numbers.
        second: (n,) numbers, paired with `first`. A pair with a number that is not finite is
            ignored.

    Returns:
        The correlation; None with fewer than two pairs, or where one side has only one value. There
        is no interval below `MIN_PAIRS` pairs, or where the correlation is -1 or 1.

    Source: Spearman 1904, Am. J. Psychol. 15, 72-101; Bonett and Wright 2000, Psychometrika 65,
    23-28.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    known = np.isfinite(a) & np.isfinite(b)
    x, y = rankdata(a[known]), rankdata(b[known])
    count = int(known.sum())
    if count < 2 or x.std() == 0 or y.std() == 0:
        return None
    value = float(np.corrcoef(x, y)[0, 1])
    if count < MIN_PAIRS or abs(value) >= 1 - 1e-12:
        return Correlation(value, None, None, count)
    half = Z * math.sqrt((1 + value**2 / 2) / (count - 3))
    middle = math.atanh(value)
    return Correlation(value, math.tanh(middle - half), math.tanh(middle + half), count)
