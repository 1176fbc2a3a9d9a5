"""From trials to what `coequal.statistics` takes: arrays of costs, random streams, a scale."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coequal.analysis.metric import NamedMetric
from coequal.analysis.trials import TrialSummary
from coequal.statistics.rates import Interval
from coequal.statistics.reruns import Scale

Array = NDArray[np.float64]


def test_costs(trials: Iterable[TrialSummary], metric: NamedMetric) -> Array:
    """(trials,) reported values as costs, less is better; NaN for a failure."""
    return np.array([metric.cost(trial.test) for trial in trials], dtype=np.float64)


def validation_costs(trials: Iterable[TrialSummary], metric: NamedMetric) -> Array:
    """(trials,) what the trials are chosen by, as costs; NaN for a failure."""
    return np.array([metric.cost(trial.validation) for trial in trials], dtype=np.float64)


def f1_costs(trials: Iterable[TrialSummary], f1: NamedMetric) -> Array:
    """(trials,) test F1 as costs; NaN for a failure, or where it was not measured."""
    return np.array([f1.cost(trial.f1) for trial in trials], dtype=np.float64)


def random_stream(seed: Any, *names: object) -> np.random.Generator:
    """A random stream of its own for each name: the report's intervals never change by
    themselves."""
    text = "/".join(map(str, (seed, *names)))
    return np.random.default_rng(list(text.encode()))


def scale_of(metric: NamedMetric, scores: Sequence[Array], cap: float) -> Scale:
    """Log where every score and the cap are above 0, as a distance's are; else linear."""
    finite = [score for listed in scores for score in listed if math.isfinite(score)]
    return "log" if not metric.higher and min([cap, *finite]) > 0 else "linear"


def cap_for(scores: Sequence[Array], cap: float | None, metric: NamedMetric) -> float | None:
    """The cap as a cost; without a declared one, infinity if no run failed, as no cap matters then;
    else None."""
    if cap is not None:
        return metric.cost(cap)
    everything = np.concatenate(scores) if scores else np.array([])
    return math.inf if len(everything) and np.all(np.isfinite(everything)) else None


def in_units(
    interval: Interval | tuple[float, float] | None, metric: NamedMetric
) -> Interval | None:
    """An interval of costs as one of the metric's values, low end first."""
    if interval is None:
        return None
    return Interval(*sorted(metric.cost(end) for end in interval))
