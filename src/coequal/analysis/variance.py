"""Where differences come from: fractions of variance, and what each hyperparameter did."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coequal.analysis.metric import NamedMetric
from coequal.analysis.range_position import RangePosition
from coequal.analysis.scores import random_stream, test_costs
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
class ModelRuns:
    """All runs of one model on one dataset that have a result.

    Attributes:
        name: of the model.
        search: one run of each setting.
        reruns: for each setting that was re-run, its fresh seeds.
    """

    name: str
    search: tuple[TrialSummary, ...]
    reruns: tuple[tuple[TrialSummary, ...], ...]


@dataclass(frozen=True)
class VarianceParts:
    """Components of the variance of a score, and of whether a run fails.

    Attributes:
        scores: of the scores of runs that finished.
        failures: of the indicator of a failure; None where nothing failed.
    """

    scores: VarianceComponents
    failures: VarianceComponents | None


def variance(
    models: Sequence[ModelRuns], *, metric: NamedMetric, scale: Scale, seed: int
) -> VarianceParts | None:
    """The fractions on one dataset; None where fewer than two runs have a score."""
    search = {runs.name: test_costs(runs.search, metric) for runs in models if runs.search}
    reruns = {
        runs.name: [test_costs(group, metric) for group in runs.reruns if group]
        for runs in models
        if any(runs.reruns)
    }
    scores = [x for listed in search.values() for x in listed if math.isfinite(x)]
    if len(scores) < 2:
        return None
    components = variance_components(
        search,
        reruns,
        evaluation_variance=_evaluation(models, metric, scale),
        scale=scale,
        rng=random_stream(seed, "variance"),
    )
    failed = {
        runs.name: [np.array([float(trial.failed)]) for trial in runs.search]
        for runs in models
        if runs.search
    }  # not the re-runs: their settings were chosen for not failing
    some = any(t.failed for runs in models for t in runs.search)
    return VarianceParts(
        components,
        failure_components(failed, rng=random_stream(seed, "failures")) if some else None,
    )


def sensitivity(
    settings: Sequence[TrialSummary], *, metric: NamedMetric, seed: int, name: str
) -> tuple[Influence, ...] | None:
    """What each searched hyperparameter did; None with too few drawn settings.

    The authors' setting is left out: it is no draw.
    """
    drawn = [trial for trial in settings if trial.number > 0 and trial.has_result]
    if len(drawn) < MIN_SETTINGS:
        return None
    searched = [place.name for place in drawn[0].values if place.range is not None]
    parameters = {}
    for parameter in searched:
        places = [
            place for trial in drawn if (place := trial.hyperparameter(parameter)) is not None
        ]
        if len(places) == len(drawn) and (made := _parameter(places)) is not None:
            parameters[parameter] = made
    if not parameters:
        return None
    return influences(
        test_costs(drawn, metric), parameters, rng=random_stream(seed, "influences", name)
    )


def _parameter(places: Sequence[RangePosition]) -> Numeric | Categorical | None:
    space = places[0].range
    if isinstance(space, Choice):
        if len(space.values) < 2:
            return None
        return Categorical(tuple(str(place.value) for place in places))
    if space is None or space.high <= space.low:
        return None
    numbers = np.array([float(place.value) for place in places])
    return Numeric(numbers, space.low, space.high, isinstance(space, LogUniform))


def _evaluation(models: Sequence[ModelRuns], metric: NamedMetric, scale: Scale) -> float | None:
    """Evaluation noise from the metric's own standard errors, where it knows them."""
    trials = [t for runs in models for t in (*runs.search, *(r for g in runs.reruns for r in g))]
    errors = np.array([math.nan if t.checkpoint is None else t.checkpoint.error for t in trials])
    if scale == "log":
        return variance_from_errors(test_costs(trials, metric), errors)
    known = errors[np.isfinite(errors)]
    return float(np.mean(known**2)) if len(known) else None
