"""Where differences come from: shares of variance, and what each hyper-parameter did."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coequal.analysis.metric import Metric
from coequal.analysis.range_position import Placed
from coequal.analysis.scores import stream, tests
from coequal.analysis.trials import TrialSummary
from coequal.ranges import Choice, LogUniform
from coequal.statistics.reruns import Scale
from coequal.statistics.sensitivity import MIN_SETTINGS, Categorical, Influence, Numeric, influences
from coequal.statistics.variance import (
    VarianceComponents,
    failure_components,
    variance_components,
    variance_from_errors,
)


@dataclass(frozen=True)
class Runs:
    """All runs of one model on one data set that have a result."""

    name: str
    search: tuple[TrialSummary, ...]
    again: tuple[tuple[TrialSummary, ...], ...]  # fresh seeds, by re-run setting


@dataclass(frozen=True)
class Variance:
    """Components of the variance of a score, and of "this run failed"."""

    scores: VarianceComponents
    failures: VarianceComponents | None  # None where nothing failed


def variance(models: Sequence[Runs], *, metric: Metric, scale: Scale, seed: int) -> Variance | None:
    """The shares on one data set; None where fewer than two runs have a score."""
    search = {runs.name: tests(runs.search, metric) for runs in models if runs.search}
    reruns = {
        runs.name: [tests(group, metric) for group in runs.again if group]
        for runs in models
        if any(runs.again)
    }
    scores = [x for listed in search.values() for x in listed if math.isfinite(x)]
    if len(scores) < 2:
        return None
    components = variance_components(
        search,
        reruns,
        evaluation_variance=_evaluation(models, metric, scale),
        scale=scale,
        rng=stream(seed, "variance"),
    )
    failed = {
        runs.name: [np.array([float(trial.failed)]) for trial in runs.search]
        for runs in models
        if runs.search
    }  # not the re-runs: their settings were chosen for not failing
    some = any(t.failed for runs in models for t in runs.search)
    return Variance(
        components, failure_components(failed, rng=stream(seed, "failures")) if some else None
    )


def sensitivity(
    settings: Sequence[TrialSummary], *, metric: Metric, seed: int, name: str
) -> tuple[Influence, ...] | None:
    """What each searched hyper-parameter did; None with too few drawn settings.

    The authors' setting is left out: it is no draw.
    """
    drawn = [trial for trial in settings if trial.number > 0 and trial.has_result]
    if len(drawn) < MIN_SETTINGS:
        return None
    searched = [place.name for place in drawn[0].values if place.range is not None]
    parameters = {}
    for parameter in searched:
        places = [place for trial in drawn if (place := trial.place(parameter)) is not None]
        if len(places) == len(drawn) and (made := _parameter(places)) is not None:
            parameters[parameter] = made
    if not parameters:
        return None
    return influences(tests(drawn, metric), parameters, rng=stream(seed, "influences", name))


def _parameter(places: Sequence[Placed]) -> Numeric | Categorical | None:
    space = places[0].range
    if isinstance(space, Choice):
        if len(space.values) < 2:
            return None
        return Categorical(tuple(str(place.value) for place in places))
    if space is None or space.high <= space.low:
        return None
    numbers = np.array([float(place.value) for place in places])
    return Numeric(numbers, space.low, space.high, isinstance(space, LogUniform))


def _evaluation(models: Sequence[Runs], metric: Metric, scale: Scale) -> float | None:
    """Evaluation noise from the metric's own standard errors, where it knows them."""
    trials = [t for runs in models for t in (*runs.search, *(r for g in runs.again for r in g))]
    errors = np.array([math.nan if t.moment is None else t.moment.error for t in trials])
    if scale == "log":
        return variance_from_errors(tests(trials, metric), errors)
    known = errors[np.isfinite(errors)]
    return float(np.mean(known**2)) if len(known) else None
