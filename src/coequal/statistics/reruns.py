"""Re-runs of a chosen setting with fresh seeds: outliers, centre, spread, and who differs.

Every interval here is over the training seed, at one setting per model. Lower scores are better; a
failed run is NaN or infinity, is never dropped from a centre, and there counts as the cap.

Scores are compared on the log scale (a seed multiplies a distance rather than adding to it). Where
scores may be zero or negative, such as a negated precision, the linear scale must be asked for; the
results carry the name of the scale.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from coequal.statistics.best_of import Array
from coequal.statistics.multiplicity import holm
from coequal.statistics.rates import Interval, wilson
from coequal.statistics.trimmed import (
    LEVEL,
    interquartile_mean,
    median_interval,
    yuen_difference,
    yuen_interval,
    yuen_test,
)
from coequal.statistics.trimmed import MIN_RUNS as MIN_RUNS

Scale = Literal["log", "linear"]

MIN_RUNS_FOR_CLAIM = 10
"""Runs from which an interval may carry a claim; below, it is a screening."""
MANY_FAILURES = 0.2
"""Share of flagged runs from which the mark is "**"; share of failed ones from which the median is
the headline."""


@dataclass(frozen=True)
class Outliers:
    """Which runs are outliers on the bad side.

    Attributes:
        flagged: one entry per run, in the order given; every failed run is flagged.
        mark: empty without a flagged run, "*" for at least one, "**" for 20 % of the runs or more.
        centre: False if half of the runs or more are flagged: there is then no centre, as most runs
            fail.
    """

    flagged: tuple[bool, ...]
    mark: Literal["", "*", "**"]
    centre: bool


@dataclass(frozen=True)
class Reruns:
    """Summary of the re-runs of one setting, with scores in the metric's own units.

    Attributes:
        runs: number of runs.
        failed: number of runs without a finite score.
        failure_rate: Wilson's 95 % interval of the failure rate.
        outliers: which runs are outliers.
        kept: number of runs behind `mean` and `sd`.
        mean: mean of the runs that are not flagged; None without a centre.
        sd: standard deviation between those runs (ddof 1): the spread over seeds, not a standard
            error.
        iqm: interquartile mean of all runs, failures at the cap, computed on `scale`.
        iqm_interval: 95 % interval by Yuen's t; None below `MIN_RUNS` runs.
        median: median of all runs, failures at the cap.
        median_interval: interval of at least 95 % from order statistics; None below 6 runs.
        scale: scale on which the interquartile mean is computed.
        statement: what this number of runs allows: only points, a screening, or a claim.
        headline: which centre to print first.
    """

    runs: int
    failed: int
    failure_rate: Interval
    outliers: Outliers
    kept: int
    mean: float | None
    sd: float | None
    iqm: float
    iqm_interval: Interval | None
    median: float
    median_interval: Interval | None
    scale: Scale
    statement: Literal["points", "screening", "claim"]
    headline: Literal["points", "iqm", "median"]


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


@dataclass(frozen=True)
class SelectionGap:
    """How much better the chosen setting scored in the search than in its re-runs.

    Attributes:
        search: score in the search.
        rerun: interquartile mean of the re-runs.
        difference: search - rerun; negative where the search was lucky.
        relative: difference / rerun; None on the linear scale.
    """

    search: float
    rerun: float
    difference: float
    relative: float | None


def find_outliers(scores: Array, *, scale: Scale = "log") -> Outliers:
    """Flag the outliers among runs by a one-sided rule: a good run is never an outlier.

    Every failed run is flagged. The following is repeated on the others until nothing changes. Let
    M be the median of the log scores and s = 1.4826 x the median of |log score - M|, at least 1e-4.
    A run is flagged if it lies more than 5 s above M *and* above 1.5 x the median score exp(M). On
    the linear scale M and s are of the scores themselves, s is at least 1e-4 |M|, and the second
    condition is "above M by more than half of |M|", which is equivalent for positive scores.

    Lucic et al. 2018, arXiv:1711.10337, table 3, have the marks ("*": severe outliers were removed;
    "**": 20 % failures) but not the rule; rule and thresholds are this project's. The rule needs
    the majority of the runs to be good.

    Args:
        scores: (runs,) scores; failures as NaN or infinity.
        scale: "log", or "linear" where scores may be 0 or below.

    Raises:
        ValueError: there are no runs, or a score is at or below 0 on the log scale.
    """
    if not len(scores):
        raise ValueError("needs at least one run")
    values = _transformed(scores, None, scale)
    flagged = ~np.isfinite(values)
    while not flagged.all():
        middle = float(np.median(values[~flagged]))
        unit = 1.0 if scale == "log" else abs(middle)
        spread = 1.4826 * float(np.median(np.abs(values[~flagged] - middle)))
        # Half as much again as the median score: a factor on the log scale, else a distance.
        apart = math.log(1.5) if scale == "log" else 0.5 * unit
        limit = middle + max(5 * max(spread, 1e-4 * unit), apart)
        grown = flagged | (values > limit)
        if np.array_equal(grown, flagged):
            break
        flagged = grown
    fraction = float(np.mean(flagged))
    mark: Literal["", "*", "**"] = (
        "**" if fraction >= MANY_FAILURES else "*" if fraction > 0 else ""
    )
    return Outliers(tuple(flagged.tolist()), mark, fraction < 0.5)


def describe(scores: Array, *, cap: float, scale: Scale = "log") -> Reruns:
    """Summarise the re-runs of one setting, as the report prints them.

    Args:
        scores: (runs,) scores; failures as NaN or infinity.
        cap: the score that a failure counts as, and the worst that any run counts as. It is fixed
            before the results are known and is the same for all models. `mean` and `sd` do not use
            it.
        scale: "log", or "linear" where scores may be 0 or below.

    Raises:
        ValueError: there are no runs, or a score or the cap is at or below 0 on the log scale.
    """
    outliers = find_outliers(scores, scale=scale)
    kept = scores[~np.array(outliers.flagged)]
    runs = len(scores)
    failed = int(np.sum(~np.isfinite(scores)))
    capped = _capped(scores, cap)
    values = _transformed(scores, cap, scale)
    enough = runs >= MIN_RUNS
    median_ends = median_interval(capped)
    by_median = outliers.mark == "**"
    headline: Literal["points", "iqm", "median"] = "median" if by_median else "iqm"
    if not enough or (by_median and median_ends is None):
        headline = "points"
    return Reruns(
        runs=runs,
        failed=failed,
        failure_rate=wilson(failed, runs),
        outliers=outliers,
        kept=len(kept),
        mean=float(np.mean(kept)) if outliers.centre else None,
        sd=float(np.std(kept, ddof=1)) if outliers.centre and len(kept) > 1 else None,
        iqm=_back(interquartile_mean(values), scale),
        iqm_interval=Interval(*(_back(end, scale) for end in yuen_interval(values)))
        if enough
        else None,
        median=float(np.median(capped)),
        median_interval=median_ends,
        scale=scale,
        statement="claim" if runs >= MIN_RUNS_FOR_CLAIM else "screening" if enough else "points",
        headline=headline,
    )


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
    values = {name: _transformed(runs, cap, scale) for name, runs in enough.items()}
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
        n: _transformed(runs, cap, scale) for n, runs in scores.items() if len(runs) >= MIN_RUNS
    }
    planned = [(name, rival) for name, rival in pairs.items() if {name, rival} <= enough.keys()]
    tests = [yuen_test(enough[name], enough[rival])[2] for name, rival in planned]
    adjusted = holm(np.array(tests))
    results = []
    for (name, rival), p_value, corrected in zip(planned, tests, adjusted, strict=True):
        apart = interquartile_mean(enough[name]) - interquartile_mean(enough[rival])
        ends = yuen_difference(enough[name], enough[rival])
        interval = Interval(*(_back(end, scale) for end in ends))
        results.append(
            Effect(name, rival, _back(apart, scale), interval, p_value, float(corrected))
        )
    return tuple(results)


def selection_gap(search: float, reruns: Reruns) -> SelectionGap:
    """Compare the search's score of the chosen setting with the interquartile mean of its re-runs.

    Args:
        search: the chosen setting's score in the search, finite.
        reruns: summary of its re-runs.

    Raises:
        ValueError: the search's score is not finite.
    """
    if not math.isfinite(search):
        raise ValueError(f"the search's score must be finite, got {search}")
    difference = search - reruns.iqm
    relative = difference / reruns.iqm if reruns.scale == "log" else None
    return SelectionGap(search, reruns.iqm, difference, relative)


def _transformed(scores: Array, cap: float | None, scale: Scale) -> Array:
    """(runs,) scores on the scale, failures at the cap or, without one, NaN."""
    kept = np.where(np.isfinite(scores), scores, np.nan) if cap is None else _capped(scores, cap)
    if scale == "linear":
        return kept
    if np.any(kept <= 0):
        raise ValueError("the log scale needs scores and cap above 0: ask for the linear scale")
    return np.log(kept)


def _capped(scores: Array, cap: float) -> Array:
    return np.minimum(np.where(np.isfinite(scores), scores, cap), cap)


def _back(value: float, scale: Scale) -> float:
    return math.exp(value) if scale == "log" else value
