"""Where differences between scores come from: evaluation noise, seed, hyperparameters, model.

The components of variance are moment estimates (analysis of variance for unbalanced nested designs;
Searle, Casella and McCulloch 1992, Variance Components, chapter 3) on the log scores of the runs
that finished. Failures have components of their own (`failure_components`): at the cap they would
swamp those of the scores.

The variance over seeds is measured at the settings that were re-run, the best ones. Bad settings
usually vary more from seed to seed, so the component of the hyperparameters contains some of that
variance.

Intervals are generalised pivotal quantities (Weerahandi 1993, J. Am. Stat. Assoc. 88, 899-905):
each mean square is divided by draws of a chi-square over its degrees of freedom, and the fractions
are computed from every draw. Below the models, heavy tails cost degrees of freedom by the kurtosis
of the residuals (Box 1953, Biometrika 40, 318-335); models, being few, are taken as normal.
Resampling models and settings instead covers far less than 95 % (docs/explanation/validation.md):
a variance between eight models has seven degrees of freedom, which resampling ignores.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from coequal.statistics.rates import Interval
from coequal.statistics.reruns import Scale
from coequal.statistics.search import Array
from coequal.statistics.variance_sources import Source, failure_notes, score_notes


@dataclass(frozen=True)
class VarianceComponent:
    """One source's component of the variance.

    Attributes:
        source: where the variance comes from.
        variance: the estimate with its sign; None where it is not separable, see `note`.
        fraction: fraction of the sum of the components, in [0, 1], a negative one counting as 0;
            None where it is not defined.
        interval: 95 % interval of the fraction; None without a generator or without a fraction.
        note: where the number comes from, or why there is none.
    """

    source: Source
    variance: float | None
    fraction: float | None
    interval: Interval | None
    note: str


@dataclass(frozen=True)
class VarianceComponents:
    """All components of a variance.

    Attributes:
        components: in the order of `SOURCES` (failures have no "evaluation").
        scale: scale of the scores, or "failures".
    """

    components: tuple[VarianceComponent, ...]
    scale: Scale | Literal["failures"]

    def __getitem__(self, source: Source) -> VarianceComponent:
        """Return the component of one source."""
        return {component.source: component for component in self.components}[source]


def variance_from_errors(scores: Array, errors: Array) -> float | None:
    """Return the evaluation noise of log scores from standard errors: the mean of (error /
    score)^2.

    This is the delta method, for networks that were measured once by a metric that knows its own
    standard error.

    Args:
        scores: (measurements,) scores above 0; not finite for a failure.
        errors: (measurements,) standard errors in the unit of the score; NaN where unknown.

    Returns:
        The variance on the log scale; None if no finite score has a finite error.

    Raises:
        ValueError: a finite score is at or below 0.
    """
    known = np.isfinite(scores) & np.isfinite(errors)
    if np.any(scores[known] <= 0):
        raise ValueError("the log scale needs scores above 0")
    return float(np.mean((errors[known] / scores[known]) ** 2)) if known.any() else None


def variance_components(
    search: Mapping[str, Array],
    reruns: Mapping[str, Sequence[Array]],
    *,
    evaluation_variance: float | None = None,
    scale: Scale = "log",
    rng: np.random.Generator | None = None,
    draws: int = 2000,
) -> VarianceComponents:
    """Estimate the four components of the variance of a single score.

    A component that the design cannot separate has no number; a note says which one contains it.

    Args:
        search: for each model its (settings,) search scores, one seed and one evaluation each; NaN
            or infinity where a trial failed.
        reruns: for each model (it may be missing) one array per re-run setting: (runs,) or (runs,
            evaluations) scores of the same networks; NaN where missing or failed.
        evaluation_variance: evaluation noise known from elsewhere (`variance_from_errors`), used
            only if no network was measured twice.
        scale: "log", or "linear" where scores may be 0 or below.
        rng: source of the draws of the intervals; without it there are none.
        draws: number of these draws.

    Raises:
        ValueError: a score is at or below 0 on the log scale.
    """
    networks = [
        [_finite(run, scale) for run in np.asarray(setting)]
        for settings in reruns.values()
        for setting in settings
    ]
    evaluations = [run for setting in networks for run in setting if len(run)]
    means = [np.array([run.mean() for run in setting if len(run)]) for setting in networks]
    repeats = _carried([np.array([1 / len(run) for run in one if len(run)]) for one in networks])
    settings = [finite for scores in search.values() if len(finite := _finite(scores, scale))]
    layers = (
        _layer(evaluations),
        _layer(means),
        _layer(settings),
        _between([float(scores.mean()) for scores in settings]),
    )
    size = float(np.mean([1 / len(scores) for scores in settings])) if settings else 0.0

    def estimate(squares: Sequence[Array | None]) -> dict[Source, Array | None]:
        evaluation, runs, within, between = squares
        if evaluation is None and evaluation_variance is not None:
            evaluation = np.asarray(evaluation_variance)
        noise = 0.0 if evaluation is None else evaluation
        seed = None if runs is None else runs - repeats * noise
        below = noise + (0.0 if seed is None else seed)
        return {
            "evaluation": evaluation,
            "seed": seed,
            "hyperparameters": None if within is None else within - below,
            "model": None if between is None or within is None else between - size * within,
        }

    notes = score_notes(layers, evaluation_variance, len(settings), len(search))
    return VarianceComponents(_components(layers, estimate, notes, rng, draws), scale)


def failure_components(
    failed: Mapping[str, Sequence[Array]],
    *,
    rng: np.random.Generator | None = None,
    draws: int = 2000,
) -> VarianceComponents:
    """Estimate the components of the variance of "this run failed" (0 or 1).

    The sources are seed, hyperparameters and model.

    Args:
        failed: for each model one (runs,) array of 0 and 1 per setting: the settings that were run
            with several seeds, or, with arrays of length 1, the search (the component of the seed
            is then not separable from that of the hyperparameters).
        rng: source of the draws of the intervals, which are rough where failures are rare; without
            it there are none.
        draws: number of these draws.

    Raises:
        ValueError: an entry is neither 0 nor 1.
    """
    models = [[np.asarray(g, float) for g in groups if len(g)] for groups in failed.values()]
    models = [groups for groups in models if groups]
    if any(not np.all((group == 0) | (group == 1)) for groups in models for group in groups):
        raise ValueError("a run either failed (1) or didn't (0)")
    rates = [np.array([group.mean() for group in groups]) for groups in models]
    layers = (
        _layer([group for groups in models for group in groups]),
        _layer(rates),
        _between([float(rate.mean()) for rate in rates]),
    )
    runs = [np.array([1 / len(group) for group in groups]) for groups in models]
    repeats = _carried(runs)
    settings_in_mean = float(np.mean([1 / len(one) for one in runs])) if runs else 0.0
    runs_in_mean = float(np.mean([one.sum() / len(one) ** 2 for one in runs])) if runs else 0.0

    def estimate(squares: Sequence[Array | None]) -> dict[Source, Array | None]:
        seed, within, between = squares
        noise = 0.0 if seed is None else seed
        setting = None if within is None else within - repeats * noise
        spread = 0.0 if setting is None else settings_in_mean * setting
        model = None if between is None else between - spread - runs_in_mean * noise
        return {"seed": seed, "hyperparameters": setting, "model": model}

    return VarianceComponents(
        _components(layers, estimate, failure_notes(layers), rng, draws), "failures"
    )


class _Layer(NamedTuple):
    """A mean square and how many degrees of freedom its sampling error has."""

    square: float
    degrees: float

    def drawn(self, rng: np.random.Generator, draws: int) -> Array:
        return self.square * self.degrees / rng.chisquare(self.degrees, draws)


def _layer(groups: Sequence[Array]) -> _Layer | None:
    """The pooled variance within groups; None if no group has two members."""
    degrees = sum(len(group) - 1 for group in groups if len(group))
    if not degrees:
        return None
    apart = np.concatenate([group - group.mean() for group in groups if len(group) > 1])
    total = float(apart @ apart)
    kurtosis = len(apart) * float(np.sum(apart**4)) / total**2 if total else 3.0
    # A normal distribution has kurtosis 3; only heavier tails cost degrees of freedom.
    return _Layer(total / degrees, degrees / max(1.0, (kurtosis - 1) / 2))


def _carried(reciprocals: Sequence[Array]) -> float:
    """The fraction of the variance below that remains in the pooled variance of means within
    groups.

    Args:
        reciprocals: one array for each group, of 1 / repeats for each of its members, which are
            means of so many repeats.
    """
    degrees = sum(len(one) - 1 for one in reciprocals if len(one))
    carried = sum((1 - 1 / len(one)) * float(one.sum()) for one in reciprocals if len(one))
    return carried / degrees if degrees else 0.0


def _between(means: Sequence[float]) -> _Layer | None:
    return _Layer(float(np.var(means, ddof=1)), len(means) - 1) if len(means) > 1 else None


def _components(
    layers: Sequence[_Layer | None],
    estimate: Callable[[Sequence[Array | None]], dict[Source, Array | None]],
    notes: Mapping[Source, str],
    rng: np.random.Generator | None,
    draws: int,
) -> tuple[VarianceComponent, ...]:
    variances = estimate([layer and np.asarray(layer.square) for layer in layers])
    fractions = _fractions(variances)
    ends: dict[Source, Interval] = {}
    if rng is not None:
        drawn = estimate([layer and layer.drawn(rng, draws) for layer in layers])
        for source, values in _fractions(drawn).items():
            low, high = np.quantile(np.broadcast_to(values, draws), [0.025, 0.975])
            ends[source] = Interval(float(low), float(high))
    return tuple(
        VarianceComponent(
            source,
            None if variance is None else float(variance),
            float(fractions[source]) if source in fractions else None,
            ends.get(source),
            notes.get(source, ""),
        )
        for source, variance in variances.items()
    )


def _fractions(variances: Mapping[Source, Array | None]) -> dict[Source, Array]:
    """Fractions of the sum of the components above 0; empty where there is only one component, or
    no variance."""
    known = {source: np.maximum(v, 0) for source, v in variances.items() if v is not None}
    total = sum(known.values(), np.zeros(())) if len(known) > 1 else np.zeros(())
    if not np.all(total > 0):
        return {}
    return {source: np.asarray(v / total) for source, v in known.items()}


def _finite(scores: Array, scale: Scale) -> Array:
    values = np.atleast_1d(np.asarray(scores, dtype=np.float64))
    values = values[np.isfinite(values)]
    if scale == "linear":
        return values
    if np.any(values <= 0):
        raise ValueError("the log scale needs scores above 0: ask for the linear scale")
    return np.asarray(np.log(values), dtype=np.float64)
