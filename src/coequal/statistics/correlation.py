"""Agreement of two rankings."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from scipy.stats import t as student

from coequal.statistics.rates import Z
from coequal.statistics.search import Array

MIN_PAIRS = 5
"""Number of pairs below which no interval is given."""
MIN_MODELS = 5
"""Number of models below which no interval over the draw of models is given."""
MAX_GROUPS = 50
"""Groups of settings that are left out one at a time, of several settings if there are more."""
TINY = 1e-12


class Correlation(NamedTuple):
    """A rank correlation with its 95 % interval.

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

    The pairs are independent. The interval is over their draw, on Fisher's scale with the variance
    (1 + rho^2 / 2) / (n - 3) of Bonett and Wright 2000. Simulated for independent pairs of a normal
    distribution it covers .93 to .96 (`tests/statistics/test_correlation.py`).

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
    value, count = _rho(a[known], b[known]), int(known.sum())
    if value is None:
        return None
    if count < MIN_PAIRS or abs(value) >= 1 - TINY:
        return Correlation(value, None, None, count)
    half = Z * math.sqrt((1 + value**2 / 2) / (count - 3))
    middle = math.atanh(value)
    return Correlation(value, math.tanh(middle - half), math.tanh(middle + half), count)


def clustered_spearman(
    first: ArrayLike, second: ArrayLike, models: Sequence[object], settings: Sequence[object]
) -> Correlation | None:
    """Return Spearman's rank correlation over the settings of several models.

    The pairs of a model belong together, and so do those of a setting that models share: the
    interval is over the draw of both. Its variance on Fisher's scale is the sum of two jackknife
    variances, of one model left out at a time and of one setting (or one of 50 groups of settings),
    which counts the error of a single pair twice and is thus conservative; its quantile is that of
    Student's t with one degree of freedom less than there are models, or settings, whichever are
    fewer. Simulated for 5 to 12 models with 6 to 60 settings each, it covers 90 to 100 %
    (docs/explanation/validation.md), where the interval of `spearman` covers 24 to 97 %.

    Args:
        first: (n,) numbers.
        second: (n,) numbers, paired with `first`. A pair with a number that is not finite is
            ignored.
        models: (n,) the model of each pair.
        settings: (n,) the setting of each pair; models share those that are equal.

    Returns:
        The correlation; None with fewer than two pairs, or where one side has only one value. There
        is no interval below `MIN_MODELS` models, where the correlation is -1 or 1, or where it is
        undefined with a model or a setting left out.

    Source: Efron and Stein 1981, Ann. Stat. 9, 586-596 (the jackknife); Cameron, Gelbach and Miller
    2011, J. Bus. Econ. Stat. 29, 238-249 (clusters of two kinds).
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    value = _rho(a, b)
    if value is None:
        return None
    groups = [
        _groups([label for label, k in zip(labels, known, strict=True) if k])
        for labels in (models, settings)
    ]
    found = Correlation(value, None, None, len(a))
    if len(groups[0]) < MIN_MODELS or abs(value) >= 1 - TINY:
        return found
    variance, fewest = 0.0, len(groups[0])
    for parts in groups:
        if len(parts) < 2:
            continue  # one setting of each model: the models alone are the draw
        left = [_rho(np.delete(a, part), np.delete(b, part)) for part in parts]
        if any(rho is None for rho in left):
            return found
        scaled = np.arctanh(np.clip(np.array(left, dtype=float), TINY - 1, 1 - TINY))
        variance += (len(parts) - 1) * float(np.var(scaled))
        fewest = min(fewest, len(parts))
    middle = math.atanh(value)
    half = float(student.ppf(0.975, fewest - 1)) * math.sqrt(variance)
    return found._replace(low=math.tanh(middle - half), high=math.tanh(middle + half))


def _groups(labels: Sequence[object]) -> list[NDArray[np.intp]]:
    """The places of each label; with more than `MAX_GROUPS` labels, of some together."""
    distinct = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    count = min(len(distinct), MAX_GROUPS)
    groups = np.array([distinct[label] * count // len(distinct) for label in labels])
    return [np.flatnonzero(groups == group) for group in range(count)]


def _rho(a: Array, b: Array) -> float | None:
    """Spearman's rank correlation; None below two pairs, or where a side has only one value."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    x, y = (ranks - ranks.mean() for ranks in (rankdata(a), rankdata(b)))
    return float(x @ y / math.sqrt((x @ x) * (y @ y)))
