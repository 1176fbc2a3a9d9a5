"""Intervals for a rate: how often a model's trials fail, or beat another's.

Wilson's interval is right on average over the rates (exact coverage for rates up to one half, mean
and minimum: .954 and .84 of 10 trials, .952 and .91 of 50; its minima lie at rates under about
2/total).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy  # loads its parts when they are used: each worker imports this, `stats` takes 0.5 s

Z = 1.959963984540054  # the 97.5 % quantile of the standard normal distribution


class Interval(NamedTuple):
    """The two ends of a 95 % interval.

    Attributes:
        low: lower end.
        high: upper end.
    """

    low: float
    high: float


def wilson(failures: float, total: float) -> Interval:
    """Return Wilson's 95 % interval of the probability behind `failures` out of `total`.

    The trials are independent. The interval is over the draw of settings and seeds. It stays inside
    [0, 1] and is usable at 0 failures.

    Args:
        failures: number of trials that failed, from 0 to `total`; no integer where `total` is an
            effective number of trials.
        total: number of trials, above 0.

    Raises:
        ValueError: there are no trials, or more failures than trials.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22, 209-212.
    """
    if not 0 <= failures <= total or total <= 0:
        raise ValueError(
            f"needs 0 <= failures <= total and a total above 0, got {failures}, {total}"
        )
    # The ends t solve (failures/total - t)^2 = Z^2 t (1-t) / total.
    middle = failures + Z**2 / 2
    half = Z * math.sqrt(failures * (total - failures) / total + Z**2 / 4)
    low, high = ((middle + side) / (total + Z**2) for side in (-half, half))
    return Interval(0.0 if failures == 0 else low, 1.0 if failures == total else high)


def clustered_rate(failures: Sequence[int], trials: Sequence[int]) -> Interval:
    """Return a 95 % interval of a failure rate whose trials come in clusters.

    Models of a study share their draws of settings, so that trials of one setting tend to fail
    together, and k of N pooled trials say less than k of N independent ones. After Korn and
    Graubard 1998, the number of trials is divided by the design effect, the variance of the rate
    between clusters over that of independent trials, and multiplied by the square of the ratio of
    the quantiles of Student's t with N - 1 and with (clusters - 1) degrees of freedom; then the
    interval is Wilson's.

    The design effect of a few failures can't be estimated. One cluster in which all trials end
    alike is therefore added to its estimate, which is the mean of the estimate, weighted by the
    number of clusters with a failure (or a success, whichever are fewer), and of the largest
    possible effect, the size of a cluster. Without failures the interval thus counts the clusters.

    Simulated for 3 and 8 trials in each of 4, 20 and 100 clusters, it covers 94 to 100 %; with few
    clusters or failures it is conservative (docs/explanation/validation.md).

    Args:
        failures: (clusters,) trials that failed, of each cluster.
        trials: (clusters,) all trials of each cluster, at least 1.

    Raises:
        ValueError: there are no clusters, or one has no trials or more failures than trials.

    Source: Korn and Graubard 1998, Survey Methodology 24, 193-201.
    """
    failed, size = np.asarray(failures, dtype=float), np.asarray(trials, dtype=float)
    if not len(size) or size.min() < 1 or np.any(failed > size) or failed.min() < 0:
        raise ValueError("needs clusters, each with trials and no more failures than trials")
    clusters, total = len(size), float(size.sum())
    rate = float(failed.sum()) / total
    # The variance is largest where the trials of a cluster all end alike.
    most = float(np.sum(size**2)) / total
    informative = min(np.count_nonzero(failed), np.count_nonzero(failed < size))
    if clusters == 1 or informative == 0:
        return wilson(rate * total / most, total / most)
    between = clusters / (clusters - 1) * float(np.sum((failed - rate * size) ** 2)) / total**2
    estimate = min(max(between * total / (rate * (1 - rate)), 1.0), most)
    effect = (informative * estimate + most) / (informative + 1)
    quantiles = [float(scipy.special.stdtrit(n - 1, 0.975)) for n in (total, clusters)]
    effective = total / effect * (quantiles[0] / quantiles[1]) ** 2
    return wilson(rate * effective, effective)


def newcombe(probability: float, a: float, b: float, level: float = 0.05) -> Interval:
    """Return an interval of P(a run of A beats a run of B), from the proportion of pairs that do.

    It holds all t with |probability - t| <= z sqrt(V(t)), where V(t) = t (1-t) (1 + (n-1)
    ((1-t)/(2-t) + t/(1+t))) / (a b) and n = (a+b)/2. It has a width even where all runs of A beat
    all of B, and is Wilson's interval for one run each.

    Args:
        probability: proportion of the pairs in which A is better, in [0, 1]; ties count one half.
        a: number of runs of A, at least 1; an effective number need not be whole.
        b: number of runs of B, at least 1.
        level: probability that the interval misses the truth, in (0, 1).

    Raises:
        ValueError: a side has no runs, or the probability is outside [0, 1].

    Source: Newcombe 2006, Stat. Med. 25, 559-573, method 5.
    """
    if min(a, b) < 1 or not 0 <= probability <= 1:
        raise ValueError(f"needs runs and a probability in [0, 1], got {a}, {b}, {probability}")
    z = float(-scipy.special.ndtri(level / 2))
    low = _newcombe_low(probability, a, b, z)
    return Interval(low, 1 - _newcombe_low(1 - probability, b, a, z))


def mean_rate(rates: Sequence[float], intervals: Sequence[Interval]) -> Interval:
    """Return the 95 % interval of the mean of independent rates, from the interval of each.

    On each side the distances from the rates to the ends of their intervals add up in squares
    ("MOVER").

    Args:
        rates: the rates, each in [0, 1].
        intervals: the interval of each rate, in the same order.

    Source: Zou and Donner 2008, Stat. Med. 27, 1693-1702.
    """
    mean, count = math.fsum(rates) / len(rates), len(rates)
    pairs = list(zip(rates, intervals, strict=True))
    down = math.sqrt(math.fsum((rate - ends.low) ** 2 for rate, ends in pairs)) / count
    up = math.sqrt(math.fsum((ends.high - rate) ** 2 for rate, ends in pairs)) / count
    return Interval(max(0.0, mean - down), min(1.0, mean + up))


def _newcombe_low(probability: float, a: float, b: float, z: float) -> float:
    if probability == 0:
        return 0.0

    def beyond(t: float) -> float:
        more = ((a + b) / 2 - 1) * ((1 - t) / (2 - t) + t / (1 + t))
        return probability - t - z * math.sqrt(t * (1 - t) * (1 + more) / (a * b))

    # Just below the probability itself, which at a probability of 1 is a root of its own.
    return float(scipy.optimize.brentq(beyond, 0.0, probability * (1 - 1e-9), xtol=1e-12))
