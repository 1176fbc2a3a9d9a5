"""Two small samples compared by their ranks alone: an exact test and the interval that belongs to
it.

Only the order of the values counts, so that runs which collapsed, and those that failed, can be as
bad as they like.
"""

import math
from functools import lru_cache

import numpy as np
from scipy.stats import norm, rankdata
from scipy.stats import t as student

from coequal.statistics.rates import Interval
from coequal.statistics.search import Array
from coequal.statistics.wins import beats

MAX_EXACT_RUNS = 50
"""Runs of the smaller sample beyond which the normal approximation replaces the exact null
distribution."""


def mann_whitney(a: Array, b: Array) -> float:
    """Return the two-sided p-value of the Mann-Whitney test that A and B have one distribution.

    It is exact, ties included: the rank sum of A is compared with that of every choice of as many
    of the pooled values. Where the distributions differ, it tests whether a run of A beats a run of
    B as often as the other way round.

    Args:
        a: (runs of A,) scores; failures are NaN or infinity, worst and equal.
        b: (runs of B,) scores.

    Raises:
        ValueError: a side has no runs.

    Source: Mann and Whitney 1947, Ann. Math. Stat. 18, 50-60.
    """
    if not min(len(a), len(b)):
        raise ValueError("a test needs runs on both sides")
    pooled = np.concatenate([np.where(np.isfinite(side), side, np.inf) for side in (a, b)])
    doubled = np.rint(2 * rankdata(pooled)).astype(int)  # mid-ranks of ties are halves
    few = min(len(a), len(b))
    ranks = doubled[: len(a)] if len(a) == few else doubled[len(a) :]
    total, middle = int(ranks.sum()), few * (len(pooled) + 1)
    if few > MAX_EXACT_RUNS:
        deviation = math.sqrt(
            few * (len(pooled) - few) / len(pooled) * float(np.var(doubled, ddof=1))
        )
        return 1.0 if deviation == 0 else float(2 * norm.sf(abs(total - middle) / deviation))
    chances = _rank_sums(tuple(sorted(doubled.tolist())), few)
    far = np.abs(np.arange(len(chances)) - middle) >= abs(total - middle)
    return min(1.0, float(chances[far].sum()))


def median_difference(a: Array, b: Array) -> float:
    """Return the median of A's value less B's over all pairs of runs (Hodges and Lehmann 1963).

    Args:
        a: (runs of A,) values; failures are NaN or infinity. A pair of two failures is left out.
        b: (runs of B,) values.

    Returns:
        The difference; infinite where a failure decides it, NaN where all runs failed.
    """
    differences = _differences(a, b)
    known = np.sort(differences[~np.isnan(differences)])
    if not len(known):
        return math.nan
    low, high = known[(len(known) - 1) // 2], known[len(known) // 2]
    return float(low) if low == high else float((low + high) / 2)


def difference_interval(a: Array, b: Array, level: float) -> Interval | None:
    """Return the interval of A's value less B's that inverts `mann_whitney`.

    It ends at the c-th lowest and the c-th highest difference over all pairs of runs, with the
    largest c for which the test's statistic is below c with a probability of at most level / 2. If
    A's values are distributed like B's, moved by some amount, it covers that amount with a
    probability of at least 1 - level. Pairs of two failures count against both ends.

    Args:
        a: (runs of A,) values; failures are NaN or infinity.
        b: (runs of B,) values.
        level: one minus the probability of coverage.

    Returns:
        The interval, whose ends are infinite where a failure decides them; None where so few runs
        can't reach the level.

    Source: Lehmann 1963, Ann. Math. Stat. 34, 1507-1512.
    """
    rank = critical_rank(len(a), len(b), level)
    if rank < 1:
        return None
    differences = _differences(a, b)
    both = np.isnan(differences)
    low = np.sort(np.where(both, -np.inf, differences))[rank - 1]
    high = np.sort(np.where(both, np.inf, differences))[-rank]
    return Interval(float(low), float(high))


def smallest_gain(a: Array, b: Array, level: float, power: float) -> float | None:
    """Return by how much A's value would have had to lie below B's to be shown to be better.

    A's runs are moved until the medians agree (`median_difference` 0), then down, and the power of
    the test is approximated by the normal distribution of its statistic, the fraction of pairs that
    A loses, with the variance of the two samples as they are (DeLong et al. 1988) and the quantile
    of Student's t with one degree of freedom less than the smaller sample has runs. Failures stay
    failures. Simulated, a gain of that size was shown with a probability of .63 to .80 where .8
    was asked for (docs/explanation/validation.md).

    Args:
        a: (runs of A,) values; failures are NaN or infinity.
        b: (runs of B,) values.
        level: of the two-sided test.
        power: probability with which it is to be shown.

    Returns:
        The difference, above 0; None where none, however large, would do.

    Source: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837-845.
    """
    apart = median_difference(a, b)
    lost = (critical_rank(len(a), len(b), level) - 1) / (len(a) * len(b))
    if lost < 0 or not math.isfinite(apart) or min(len(a), len(b)) < 2:
        return None
    level_with_b, quantile = a - apart, float(student.ppf(power, min(len(a), len(b)) - 1))

    def excess(gain: float) -> float:
        loses = 1 - beats(level_with_b - gain, b)
        variance = sum(
            float(np.var(loses.mean(axis=1 - axis), ddof=1)) / loses.shape[axis] for axis in (0, 1)
        )
        return float(loses.mean()) + quantile * math.sqrt(variance) - lost

    finite = [side[np.isfinite(side)] for side in (level_with_b, b)]
    low, high = 0.0, 1 + float(np.ptp(np.concatenate(finite)))  # all finite runs are then apart
    if excess(high) > 0:
        return None
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def critical_rank(a: int, b: int, level: float) -> int:
    """Return the largest c for which fewer than c pairs are lost with a probability of at most
    level / 2 if A and B have one distribution without ties; 0 where there is none.

    Args:
        a: number of runs of A.
        b: number of runs of B.
        level: of the two-sided test.
    """
    few, many = sorted((a, b))
    if few > MAX_EXACT_RUNS:
        deviation = math.sqrt(few * many * (few + many + 1) / 12)
        return math.floor(few * many / 2 + float(norm.ppf(level / 2)) * deviation)
    chances = _rank_sums(tuple(range(2, 2 * (few + many) + 1, 2)), few)
    upto = np.cumsum(chances[few * (few + 1) :: 2])  # of 0, 1, 2, ... pairs lost
    return int(np.searchsorted(upto, level / 2, side="right"))


def share_of_wins(a: Array, b: Array) -> float:
    """Return the fraction of the pairs of runs in which A's is better, ties counting one half.

    Args:
        a: (runs of A,) scores, lower is better; failures are NaN or infinity.
        b: (runs of B,) scores.
    """
    return float(np.mean(beats(a, b)))


def _differences(a: Array, b: Array) -> Array:
    """(pairs,) A's value less B's; NaN for two failures."""
    left, right = (np.where(np.isfinite(side), side, np.inf) for side in (a, b))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.subtract.outer(left, right)).ravel()


@lru_cache(256)  # every comparison of as many runs without ties has the same
def _rank_sums(ranks: tuple[int, ...], size: int) -> Array:
    """Probability of each sum, from 0 on, of `size` of the ranks, all choices being as likely."""
    counts = np.zeros((size + 1, sum(ranks[-size:]) + 1))
    counts[0, 0] = 1
    for rank in ranks:
        counts[1:, rank:] += counts[:-1, : counts.shape[1] - rank]
    return np.asarray(counts[size] / math.comb(len(ranks), size), dtype=np.float64)
