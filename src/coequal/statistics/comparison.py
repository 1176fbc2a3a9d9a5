"""Which models' chosen settings differ, by the interquartile means of their re-runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from coequal.statistics.multiplicity import holm
from coequal.statistics.rates import Interval
from coequal.statistics.reruns import Scale, back_transformed, transformed
from coequal.statistics.search import Array
from coequal.statistics.trimmed import (
    LEVEL,
    MIN_RUNS,
    interquartile_mean,
    yuen_difference,
    yuen_test,
)


@dataclass(frozen=True)
class Difference:
    """Two models' chosen settings compared by the interquartile means of their re-runs.

    Attributes:
        better: the model with the lower interquartile mean, whether or not the difference is shown.
        worse: the other model.
        t: Yuen's statistic, at or above 0.
        degrees: degrees of freedom.
        p_value: two-sided p-value of this pair alone.
        adjusted: p-value after Holm's adjustment over all pairs.
    """

    better: str
    worse: str
    t: float
    degrees: float
    p_value: float
    adjusted: float

    @property
    def shown(self) -> bool:
        """Whether the difference is significant at 95 % over all pairs."""
        return self.adjusted <= LEVEL


@dataclass(frozen=True)
class Comparison:
    """Which chosen settings differ. It compares settings, not models.

    Attributes:
        tier: models not shown to be beaten by any other, lowest interquartile mean first.
        beaten: the other models, in the same order.
        differences: every pair, smallest p-value first.
        not_compared: models with fewer than `MIN_RUNS` runs, which are in no tier.
        scale: scale of the comparison.
    """

    tier: tuple[str, ...]
    beaten: tuple[str, ...]
    differences: tuple[Difference, ...]
    not_compared: tuple[str, ...]
    scale: Scale


@dataclass(frozen=True)
class Effect:
    """A chosen setting against the one that the study compares it with.

    Attributes:
        name: the model.
        against: the model that it is compared with.
        ratio: ratio of the interquartile means; on the linear scale their difference.
        interval: 95 % interval of the ratio, of this pair alone.
        p_value: two-sided p-value of this pair alone.
        adjusted: p-value after Holm's adjustment over all pairs that the study names.
    """

    name: str
    against: str
    ratio: float
    interval: Interval
    p_value: float
    adjusted: float

    @property
    def shown(self) -> bool:
        """Whether the difference is significant at 95 % over all pairs that the study names."""
        return self.adjusted <= LEVEL


def compare(scores: Mapping[str, Array], *, cap: float, scale: Scale = "log") -> Comparison:
    """Determine which models' chosen settings differ, at 95 % over all pairs together.

    Every pair is tested by Yuen's t test of two interquartile means (Yuen 1974, Biometrika 61,
    165-170: unequal variances, Welch's degrees of freedom); p-values are adjusted after Holm 1979,
    Scand. J. Stat. 6, 65-70.

    Args:
        scores: for each model the (runs,) scores of its chosen setting's re-runs.
        cap: the score that a failure counts as; see `describe`.
        scale: "log", or "linear" where scores may be 0 or below.

    Raises:
        ValueError: a score or the cap is at or below 0 on the log scale.
    """
    enough = {name: runs for name, runs in scores.items() if len(runs) >= MIN_RUNS}
    values = {name: transformed(runs, cap, scale) for name, runs in enough.items()}
    order = sorted(values, key=lambda name: (interquartile_mean(values[name]), name))
    tests = [(a, b, *yuen_test(values[a], values[b])) for a, b in combinations(order, 2)]
    adjusted = holm(np.array([p_value for *_, p_value in tests]))
    differences = [
        Difference(*test, adjusted=float(p)) for test, p in zip(tests, adjusted, strict=True)
    ]
    beaten = {pair.worse for pair in differences if pair.shown}
    return Comparison(
        tier=tuple(name for name in order if name not in beaten),
        beaten=tuple(name for name in order if name in beaten),
        differences=tuple(sorted(differences, key=lambda pair: (pair.p_value, -pair.t))),
        not_compared=tuple(sorted(set(scores) - set(enough))),
        scale=scale,
    )


def effects(
    scores: Mapping[str, Array],
    pairs: Mapping[str, str],
    *,
    cap: float,
    scale: Scale = "log",
) -> tuple[Effect, ...]:
    """Compare each setting with the one that it was planned to be compared with, and nothing else.

    The test is Yuen's, as in `compare`; Holm's adjustment is over the planned pairs alone.

    Args:
        scores: for each model the (runs,) scores of its chosen setting's re-runs.
        pairs: by model, the model that it is compared with; pairs with fewer than `MIN_RUNS` runs
            on a side are skipped.
        cap: the score that a failure counts as; see `describe`.
        scale: "log", or "linear" where scores may be 0 or below.

    Raises:
        ValueError: a score or the cap is at or below 0 on the log scale.
    """
    enough = {
        n: transformed(runs, cap, scale) for n, runs in scores.items() if len(runs) >= MIN_RUNS
    }
    planned = [(name, rival) for name, rival in pairs.items() if {name, rival} <= enough.keys()]
    tests = [yuen_test(enough[name], enough[rival])[2] for name, rival in planned]
    adjusted = holm(np.array(tests))
    results = []
    for (name, rival), p_value, corrected in zip(planned, tests, adjusted, strict=True):
        apart = interquartile_mean(enough[name]) - interquartile_mean(enough[rival])
        ends = yuen_difference(enough[name], enough[rival])
        interval = Interval(*(back_transformed(end, scale) for end in ends))
        results.append(
            Effect(name, rival, back_transformed(apart, scale), interval, p_value, float(corrected))
        )
    return tuple(results)
