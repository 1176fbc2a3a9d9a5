"""Fractions of images as values, with their standard errors and 95 % intervals."""

import math

from jaxtyping import Bool
from torch import Tensor

from coequal.contract import MetricValue
from coequal.statistics.rates import wilson


def proportion_of(successes: Bool[Tensor, " n"]) -> MetricValue:
    """The proportion of successes, its binomial standard error, and Wilson's interval."""
    count, total = int(successes.sum()), len(successes)
    proportion = count / total
    low, high = wilson(count, total)
    return MetricValue(proportion, math.sqrt(proportion * (1 - proportion) / total), (low, high))


def distinct(places: Tensor) -> MetricValue:
    """How many places hold at least one image, and the jackknife's standard error.

    Without one image the number is one less if it is alone in its place, and else the same; so s
    lone images of n give the variance (n - 1) s/n (1 - s/n). On average not too small (Efron and
    Stein 1981, doi:10.1214/aos/1176345462), in simulations 1.5 to 1.8 times the true one; 0 where
    nothing hangs on a single image.

    Args:
        places: (n,) int64, at least 0; below 0 is an image that is nowhere and still counts in n.
    """
    total = len(places)
    counts = places[places >= 0].bincount()
    lone = int((counts == 1).sum()) / total
    return MetricValue(float((counts > 0).sum()), math.sqrt((total - 1) * lone * (1 - lone)))


def f1_value(precise: Bool[Tensor, " n"], recalled: Bool[Tensor, " m"]) -> MetricValue:
    """The harmonic mean 2 p r / (p + r) of two fractions of independent samples; 0 if both are 0.

    Its standard error is to first order, with dF/dp = 2 r^2 / (p + r)^2. Its interval is combined
    from those of p and r by the method of variance estimates recovery: each end lies the root of
    the summed squares of the changes of F beyond it, where each fraction goes to its own end.

    Source: Zou and Donner 2008, Statistics in Medicine 27, 1693-1702, for a function that grows
    with both.
    """
    p, r = proportion_of(precise), proportion_of(recalled)
    assert p.interval is not None
    assert r.interval is not None
    assert p.standard_error is not None
    assert r.standard_error is not None
    middle = harmonic(p.value, r.value)
    down, up = (
        math.hypot(
            harmonic(p.interval[end], r.value) - middle, harmonic(p.value, r.interval[end]) - middle
        )
        for end in (0, 1)
    )
    if p.value + r.value == 0:  # no slope there, and each fraction alone leaves F at 0
        return MetricValue(0.0, None, (0.0, harmonic(p.interval[1], r.interval[1])))
    squares = (p.value + r.value) ** 2
    error = math.hypot(
        2 * r.value**2 / squares * p.standard_error, 2 * p.value**2 / squares * r.standard_error
    )
    return MetricValue(middle, error, (max(0.0, middle - down), min(1.0, middle + up)))


def harmonic(first: float, second: float) -> float:
    """2 a b / (a + b); 0 if both are 0."""
    return 2 * first * second / (first + second) if first + second else 0.0
