"""What the instrument of a study adds to its numbers, from instrument.json."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from coequal.analysis.metric import NamedMetric
from coequal.analysis.variance import VarianceParts
from coequal.statistics.instrument import InstrumentVariance, encoder_variance, split_variance
from coequal.statistics.reruns import Scale
from coequal.statistics.search import Array

InstrumentSource = Literal["encoder", "test images"]


@dataclass(frozen=True)
class InstrumentPart:
    """What one property of the instrument adds to one number.

    Attributes:
        metric: the number.
        source: the training seed of the encoder, or the draw of the test images.
        variance: on the scale.
        scale: "log" where all values are above 0 and less is better, else "linear".
        fraction: the specific variance as a fraction of that between single runs of the study; None
            of a number that the study does not choose by, and where that variance is not known.
        images: generated images of each network.
        test_images: real ones.
    """

    metric: NamedMetric
    source: InstrumentSource
    variance: InstrumentVariance
    scale: Scale
    fraction: float | None
    images: int
    test_images: int


def instrument_parts(
    measured: Mapping[str, Any],
    metrics: Mapping[str, NamedMetric],
    chosen_by: str,
    runs: VarianceParts | None,
) -> tuple[InstrumentPart, ...]:
    """The parts of every number that was measured repeatedly, that by which the study chooses
    first.

    Args:
        measured: of one dataset, as `results.instrument_file` reads it; may be empty.
        metrics: of the study, by name.
        chosen_by: the name of the number by which the study chooses.
        runs: components of the variance between single runs.
    """
    numbers = measured.get("numbers", {})
    found: list[InstrumentPart] = []
    for name in sorted((name for name in numbers if name in metrics), key=chosen_by.__ne__):
        by_encoder = np.asarray(numbers[name]["by_encoder"], float)
        by_half = np.asarray(numbers[name]["by_half"], float)
        metric = metrics[name]
        low = min(by_encoder.min(), by_half.min())
        scale: Scale = "log" if metric.info.better == "lower" and low > 0 else "linear"
        if scale == "log":
            by_encoder, by_half = np.log(by_encoder), np.log(by_half)
        total = _between_runs(runs, scale) if name == chosen_by else None
        for source, variance in _variances(by_encoder, by_half, measured["models"]):
            fraction = None if total is None else max(0.0, variance.specific) / total
            counts = int(measured["images"]), int(measured["test_images"])
            found.append(InstrumentPart(metric, source, variance, scale, fraction, *counts))
    return tuple(found)


def _variances(
    by_encoder: Array, by_half: Array, models: list[str]
) -> Iterator[tuple[InstrumentSource, InstrumentVariance]]:
    networks, encoders = by_encoder.shape
    if networks > 1 and encoders > 1:
        yield "encoder", encoder_variance(by_encoder, models)
    if networks > 1 and (by_half[..., 0] != by_half[..., 1]).any():  # not of generated images alone
        yield "test images", split_variance(by_half, models)


def _between_runs(runs: VarianceParts | None, scale: Scale) -> float | None:
    """The sum of the components above 0; None where it is not known on this scale."""
    if runs is None or runs.scores.scale != scale:
        return None
    known = {c.source: c.variance for c in runs.scores.components}
    if known.get("model") is None:  # what it would contain is not known either
        return None
    return sum(max(0.0, variance) for variance in known.values() if variance is not None) or None
