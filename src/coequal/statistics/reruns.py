"""Re-runs of a chosen setting with fresh seeds: outliers, centre and spread.

Every interval here is over the training seed, at one setting per model. Lower scores are better; a
failed run is NaN or infinity and is never dropped from a centre: it is worst in the median, and
counts as the cap in the interquartile mean, as does a run that scores worse than the cap.

Scores are summarised on the log scale (a seed multiplies a distance rather than adding to it).
Where scores may be zero or negative, such as a negated precision, the linear scale must be asked
for; the results carry the name of the scale.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from coequal.statistics.rates import Interval, wilson
from coequal.statistics.search import Array, capped, worst_last
from coequal.statistics.trimmed import MIN_RUNS as MIN_RUNS
from coequal.statistics.trimmed import (
    interquartile_mean,
    median_interval,
    yuen_interval,
)

Scale = Literal["log", "linear"]

MIN_RUNS_FOR_CLAIM = 10
"""Number of runs from which an interval may carry a claim; below, it is a screening."""
MANY_FAILURES = 0.2
"""Fraction of flagged runs from which the mark is "**"."""


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
        collapsed: whether a run is flagged, or scores worse than the cap.
        iqm: interquartile mean of all runs, computed on `scale`; failures, and runs worse than the
            cap, count as the cap.
        at_cap: whether the runs of the middle half are all at the cap or worse: `iqm` is then the
            cap, and says only that the true value is not better.
        iqm_interval: 95 % interval by Yuen's t; None below `MIN_RUNS` runs, and where the middle
            half has no spread.
        median: median of all runs, whatever the cap; infinite where a failure decides it.
        median_interval: interval of at least 95 % from order statistics, whose ends may be
            infinite; None below 6 runs.
        scale: scale on which the interquartile mean is computed.
        headline: which centre to print first: the median if `collapsed`, else the interquartile
            mean; "points" where that centre has no interval for want of runs.
    """

    runs: int
    failed: int
    failure_rate: Interval
    outliers: Outliers
    kept: int
    mean: float | None
    sd: float | None
    collapsed: bool
    iqm: float
    at_cap: bool
    iqm_interval: Interval | None
    median: float
    median_interval: Interval | None
    scale: Scale
    headline: Literal["points", "iqm", "median"]

    @property
    def centre(self) -> float:
        """The centre that leads: the median if a run collapsed, else the interquartile mean."""
        return self.median if self.collapsed else self.iqm

    @property
    def centre_interval(self) -> Interval | None:
        """The 95 % interval of `centre`; None where it has none."""
        return self.median_interval if self.collapsed else self.iqm_interval


@dataclass(frozen=True)
class SelectionGap:
    """How much better the chosen setting scored in the search than in its re-runs.

    Attributes:
        search: score in the search.
        rerun: centre of the re-runs; infinite where most of them failed.
        difference: search - rerun; negative where the search was lucky.
        relative: difference / rerun; None on the linear scale, and where most re-runs failed.
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
    values = transformed(scores, None, scale)
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
        cap: the score that a failure counts as in the interquartile mean, and the worst that any
            run counts as there. It is fixed before the results are known and is the same for all
            models. `mean`, `sd` and the median do not use it.
        scale: "log", or "linear" where scores may be 0 or below.

    Raises:
        ValueError: there are no runs, or a score or the cap is at or below 0 on the log scale.
    """
    outliers = find_outliers(scores, scale=scale)
    kept = scores[~np.array(outliers.flagged)]
    runs = len(scores)
    failed = int(np.sum(~np.isfinite(scores)))
    values = transformed(scores, cap, scale)
    enough = runs >= MIN_RUNS
    iqm = interquartile_mean(values)
    iqm_ends = yuen_interval(values) if enough else None
    ordered = worst_last(scores)
    median_ends = median_interval(ordered)
    collapsed = has_collapsed(scores, cap=cap, scale=scale)
    headline: Literal["points", "iqm", "median"] = "median" if collapsed else "iqm"
    if not enough or (collapsed and median_ends is None):
        headline = "points"
    return Reruns(
        runs=runs,
        failed=failed,
        failure_rate=wilson(failed, runs),
        outliers=outliers,
        kept=len(kept),
        mean=float(np.mean(kept)) if outliers.centre else None,
        sd=float(np.std(kept, ddof=1)) if outliers.centre and len(kept) > 1 else None,
        collapsed=collapsed,
        iqm=back_transformed(iqm, scale),
        at_cap=iqm == float(values.max()) and cap <= float(ordered.max()),
        iqm_interval=None
        if iqm_ends is None
        else Interval(*(back_transformed(end, scale) for end in iqm_ends)),
        median=float(np.median(ordered)),
        median_interval=median_ends,
        scale=scale,
        headline=headline,
    )


def has_collapsed(scores: Array, *, cap: float, scale: Scale = "log") -> bool:
    """Return whether any run is flagged (`find_outliers`) or scores worse than the cap.

    The interquartile mean of such runs is neither headline nor what a comparison decides by: with
    runs of two kinds its interval can miss it in most studies (docs/explanation/validation.md).

    Args:
        scores: (runs,) scores; failures as NaN or infinity.
        cap: see `describe`.
        scale: "log", or "linear" where scores may be 0 or below.

    Raises:
        ValueError: there are no runs, or a score is at or below 0 on the log scale.
    """
    outliers = find_outliers(scores, scale=scale)
    return bool(outliers.mark) or bool(np.any(scores > cap))


def selection_gap(search: float, reruns: Reruns) -> SelectionGap:
    """Compare the search's score of the chosen setting with the centre of its re-runs.

    Args:
        search: the chosen setting's score in the search, finite.
        reruns: summary of its re-runs.

    Raises:
        ValueError: the search's score is not finite.
    """
    if not math.isfinite(search):
        raise ValueError(f"the search's score must be finite, got {search}")
    centre = reruns.centre
    difference = search - centre
    relative = difference / centre if reruns.scale == "log" and math.isfinite(centre) else None
    return SelectionGap(search, centre, difference, relative)


def transformed(scores: Array, cap: float | None, scale: Scale) -> Array:
    """Return scores on the scale of the comparison.

    Args:
        scores: (runs,) scores; failures as NaN or infinity.
        cap: the score that failures count as; None makes them NaN.
        scale: "log" or "linear".

    Raises:
        ValueError: a score or the cap is at or below 0 on the log scale.
    """
    kept = np.where(np.isfinite(scores), scores, np.nan) if cap is None else capped(scores, cap)
    if scale == "linear":
        return kept
    if np.any(kept <= 0):
        raise ValueError("the log scale needs scores and cap above 0: ask for the linear scale")
    return np.log(kept)


def back_transformed(value: float, scale: Scale) -> float:
    """Return a value on the scale of the comparison in the metric's own unit.

    Args:
        value: a number on the scale.
        scale: "log" or "linear".
    """
    return math.exp(value) if scale == "log" else value
