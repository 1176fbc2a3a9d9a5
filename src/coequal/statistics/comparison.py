"""Which chosen settings differ, by their re-runs: all of them, or the pairs that a study names.

Runs are compared by their ranks, with the exact test of Mann and Whitney. Its error is right for
any distribution, for unequal numbers of runs, and where runs collapse. That of a t test of two
trimmed means (Yuen 1974) is not, at the small levels that many comparisons ask for: of 38 changes
against one base, with 10 and 62 runs, it showed one in 12 % of studies in which there was none.
p-values are adjusted after Holm 1979, Scand. J. Stat. 6, 65-70.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from coequal.statistics.multiplicity import holm
from coequal.statistics.rank_test import (
    critical_rank,
    difference_interval,
    mann_whitney,
    median_difference,
    share_of_wins,
    smallest_gain,
)
from coequal.statistics.rates import Interval
from coequal.statistics.reruns import Scale, back_transformed, transformed
from coequal.statistics.search import Array, worst_last
from coequal.statistics.trimmed import LEVEL, MIN_RUNS

POWER = 0.8
"""Probability with which the smallest gain that is printed would have been shown."""
TWINS_TOLD_APART = (0.65, 0.71)
"""Share of simulated studies in which re-runs told apart the chosen settings of two identical
models (20 settings, 10 seeds each), from a correlation of .6 between the models' scores of the same
setting to none. benchmarks/validation/reruns.py measures it."""


@dataclass(frozen=True)
class Difference:
    """Two models' chosen settings compared by their re-runs.

    Attributes:
        better: the model whose runs win more often, whether or not the difference is shown.
        worse: the other model.
        wins: fraction of the pairs of runs in which the better model's is better, ties one half.
        p_value: two-sided p-value of this pair alone.
        adjusted: p-value after Holm's adjustment over all pairs.
    """

    better: str
    worse: str
    wins: float
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
        tier: models whose setting was not shown to be worse than any other, best median first.
        beaten: the other models, in the same order.
        differences: every pair, smallest p-value first.
        not_compared: models with fewer than `MIN_RUNS` runs, which are in no tier.
        could_separate: whether so many runs can show any difference over so many pairs.
    """

    tier: tuple[str, ...]
    beaten: tuple[str, ...]
    differences: tuple[Difference, ...]
    not_compared: tuple[str, ...]
    could_separate: bool


@dataclass(frozen=True)
class Effect:
    """A chosen setting against the one that the study compares it with.

    Attributes:
        name: the model.
        against: the model that it is compared with.
        wins: fraction of the pairs of runs in which the model's is better, ties one half.
        change: median ratio over all pairs of a run of each; on the linear scale the median
            difference. Infinite or 0 where failures decide it, NaN where all runs failed.
        interval: interval of the change, at 95 % jointly over all pairs that the study names; None
            where there are too few runs.
        smallest_gain: the change that would have been shown with a probability of about `POWER`,
            had it been true, at Holm's first step and with the spread of these runs; None where no
            change, however large, would have been.
        p_value: two-sided p-value of this pair alone.
        adjusted: p-value after Holm's adjustment over all pairs that the study names.
    """

    name: str
    against: str
    wins: float
    change: float
    interval: Interval | None
    smallest_gain: float | None
    p_value: float
    adjusted: float

    @property
    def shown(self) -> bool:
        """Whether the difference is significant at 95 % over all pairs that the study names."""
        return self.adjusted <= LEVEL


def compare(scores: Mapping[str, Array]) -> Comparison:
    """Determine which models' chosen settings differ, at 95 % over all pairs together.

    Args:
        scores: for each model the (runs,) scores of its chosen setting's re-runs, lower is better;
            failures are NaN or infinity.
    """
    enough = {name: worst_last(runs) for name, runs in scores.items() if len(runs) >= MIN_RUNS}
    order = sorted(enough, key=lambda name: (float(np.median(enough[name])), name))
    pairs = list(combinations(order, 2))
    tests = [mann_whitney(enough[a], enough[b]) for a, b in pairs]
    differences = []
    for (a, b), p_value, adjusted in zip(pairs, tests, holm(np.array(tests)), strict=True):
        wins = share_of_wins(enough[a], enough[b])
        first, second = (a, b) if wins >= 0.5 else (b, a)
        differences.append(Difference(first, second, max(wins, 1 - wins), p_value, float(adjusted)))
    beaten = {pair.worse for pair in differences if pair.shown}
    level = LEVEL / max(1, len(pairs))
    return Comparison(
        tier=tuple(name for name in order if name not in beaten),
        beaten=tuple(name for name in order if name in beaten),
        differences=tuple(sorted(differences, key=lambda pair: (pair.p_value, -pair.wins))),
        not_compared=tuple(sorted(set(scores) - set(enough))),
        could_separate=any(
            critical_rank(len(enough[a]), len(enough[b]), level) > 0 for a, b in pairs
        ),
    )


def effects(
    scores: Mapping[str, Array], pairs: Mapping[str, str], *, scale: Scale = "log"
) -> tuple[Effect, ...]:
    """Compare each setting with the one that it was planned to be compared with, and nothing else.

    Holm's adjustment of the p-values, and Bonferroni's of the intervals, are over all pairs that
    were planned, those that can't be compared yet included.

    Args:
        scores: for each model the (runs,) scores of its chosen setting's re-runs, lower is better;
            failures are NaN or infinity. A model that many others are compared with may have more
            runs than they.
        pairs: by model, the model that it is compared with; pairs with fewer than `MIN_RUNS` runs
            on a side are skipped.
        scale: "log" for ratios, or "linear" where scores may be 0 or below.

    Raises:
        ValueError: a score is at or below 0 on the log scale.
    """
    values = {n: transformed(r, None, scale) for n, r in scores.items() if len(r) >= MIN_RUNS}
    planned = [(name, rival) for name, rival in pairs.items() if {name, rival} <= values.keys()]
    tests = [mann_whitney(values[name], values[rival]) for name, rival in planned]
    adjusted = holm(np.array(tests + [1.0] * (len(pairs) - len(tests))))
    level = LEVEL / max(1, len(pairs))
    results = []
    for (name, rival), p_value, corrected in zip(planned, tests, adjusted, strict=False):
        a, b = values[name], values[rival]
        interval = difference_interval(a, b, level)
        gain = smallest_gain(a, b, level, POWER)
        results.append(
            Effect(
                name,
                rival,
                share_of_wins(a, b),
                back_transformed(median_difference(a, b), scale),
                interval and Interval(*(back_transformed(end, scale) for end in interval)),
                None if gain is None else back_transformed(-gain, scale),
                p_value,
                float(corrected),
            )
        )
    return tuple(results)
