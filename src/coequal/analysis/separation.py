"""What separates models that the study's distance does not.

Two models whose distances differ by less than twice their joint error may still differ in another
metric: a classifier may learn from the images of one and not from those of the other. Whether they
do is tested by Student's t for every close pair and every metric whose error is known on both
sides, with Welch's degrees of freedom, and p-values adjusted after Holm over all of these tests.

Equal models are separated in 0 to 4 % of simulated studies (`benchmarks/validation/separation.py`,
docs/explanation/validation.md). The errors of single trainings hold for those networks alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import stdtr

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.estimates import Estimate, estimate
from coequal.analysis.metric import NamedMetric
from coequal.statistics.multiplicity import holm
from coequal.statistics.trimmed import LEVEL

CLOSE = 2.0
"""Joint errors by which the distances of a close pair differ at most."""


@dataclass(frozen=True)
class Separation:
    """A metric in which two models of the same distance differ.

    Attributes:
        high: the model with the higher value.
        low: the other model.
        metric: the name of the number.
        distances: the study's own metric of both.
        values: of the metric of both.
        adjusted: p-value after Holm's adjustment over all pairs and metrics that were looked at.
    """

    high: str
    low: str
    metric: str
    distances: tuple[Estimate, Estimate]
    values: tuple[Estimate, Estimate]
    adjusted: float


def separations(summary: DataSummary) -> list[Separation]:
    """Every shown difference between models of the same distance, the largest first, in units of
    its error. Of a measurement with several numbers (GAN-train and its gap) the first that is shown
    stands for all.

    Models of which a re-run failed have no mean, and are in no pair.
    """
    models = [m.name for m in summary.ranked if m.chosen and not _failed(summary, m.name)]
    wanted = [summary.metric.name, *(m.name for m in summary.other_metrics)]
    known = {
        metric: {
            name: found
            for name in models
            if (found := estimate(summary.model(name), metric)) is not None
        }
        for metric in wanted
        if summary.metrics[metric].info.better != "target"
    }
    own = known.pop(summary.metric.name, {})
    return _once_per_measurement(separated(own, known), summary)


def separated(
    distances: Mapping[str, Estimate], others: Mapping[str, Mapping[str, Estimate]]
) -> list[Separation]:
    """Test every pair of close distances in every other metric.

    Args:
        distances: of the models, by name.
        others: by metric, its numbers by model.

    Returns:
        The differences that are shown at 95 % over all tests, the largest first, in units of its
        joint error.
    """
    tests = [
        (a, b, metric)
        for a, b in combinations(distances, 2)
        if _close(distances[a], distances[b])
        for metric, values in others.items()
        if a in values and b in values and _joint(values[a], values[b]) is not None
    ]
    p_values = [_p_value(others[metric][a], others[metric][b]) for a, b, metric in tests]
    found = []
    for (a, b, metric), adjusted in zip(tests, holm(np.array(p_values)), strict=True):
        values = others[metric]
        high, low = (a, b) if values[a].value >= values[b].value else (b, a)
        if adjusted <= LEVEL:
            both = (distances[high], distances[low]), (values[high], values[low])
            found.append(Separation(high, low, metric, *both, float(adjusted)))
    return sorted(found, key=lambda one: -abs(_t(*one.values)))


def leaders(summary: DataSummary) -> dict[str, list[str]]:
    """By model, the metrics in which its value is the best that was observed, in the order of the
    metrics; one number of each measurement. A metric that is best at a target is so nearest to it,
    or to the value of real images, and is left out where that is not known.

    Empty where one model leads in all of them, or no other metric has been measured.
    """
    found: dict[str, list[str]] = {}
    protocols = set()
    for metric in [summary.metric, *summary.other_metrics]:
        protocol = summary.protocols[metric.name].get("test", metric.name)
        known = {m.name: e for m in summary.ranked if m.chosen and (e := estimate(m, metric.name))}
        costs = {name: _cost(summary, metric, one.value) for name, one in known.items()}
        if protocol in protocols or len(known) < 2 or None in costs.values():
            continue
        protocols.add(protocol)
        best = min(costs, key=lambda name: costs[name] or 0.0)
        found.setdefault(best, []).append(metric.name)
    return found if len(found) > 1 else {}


def _cost(summary: DataSummary, metric: NamedMetric, value: float) -> float | None:
    """A number of which less is better; None where the best value is not known."""
    if metric.info.better != "target":
        return metric.cost(value)
    target = metric.info.target
    if target is None:
        target = (summary.reference.get("floor") or {}).get(metric.name)
    return None if target is None else abs(value - target)


def _failed(summary: DataSummary, name: str) -> bool:
    rerun = summary.model(name).rerun
    return rerun is not None and any(run.failed for run in rerun.runs)


def _once_per_measurement(found: Sequence[Separation], summary: DataSummary) -> list[Separation]:
    """The first metric of each pair and protocol, in the order of the metrics."""
    order = [m.name for m in summary.other_metrics]
    kept: dict[tuple[frozenset[str], str], Separation] = {}
    for one in found:
        protocol = summary.protocols[one.metric].get("test", one.metric)
        key = frozenset((one.high, one.low)), protocol
        if key not in kept or order.index(one.metric) < order.index(kept[key].metric):
            kept[key] = one
    return sorted(kept.values(), key=lambda one: -abs(_t(*one.values)))


def _joint(a: Estimate, b: Estimate) -> float | None:
    """The standard error of a difference; None where one of the errors is not known, or both are
    0."""
    if a.error is None or b.error is None:
        return None
    return math.hypot(a.error, b.error) or None


def _close(a: Estimate, b: Estimate) -> bool:
    joint = _joint(a, b)
    return joint is not None and abs(a.value - b.value) < CLOSE * joint


def _t(a: Estimate, b: Estimate) -> float:
    joint = _joint(a, b)
    assert joint is not None
    return (a.value - b.value) / joint


def _p_value(a: Estimate, b: Estimate) -> float:
    """Two-sided, with the degrees of freedom of Welch 1947, Biometrika 34, 28-35."""
    assert a.error is not None
    assert b.error is not None
    squares = a.error**2, b.error**2
    degrees = sum(squares) ** 2 / (squares[0] ** 2 / a.degrees + squares[1] ** 2 / b.degrees)
    return float(2 * stdtr(degrees, -abs(_t(a, b))))
