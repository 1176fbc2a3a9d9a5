"""From features to numbers: the one way to a measurement, of a study and of `coequal score`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from coequal.contract import (
    Encoder,
    Generator,
    ImageSet,
    ImageValueInfo,
    ImageValues,
    KnownManifold,
    Log,
    Metric,
    MetricValue,
    Statistics,
)
from coequal.contract.data import ImageRows
from coequal.devices import exact_on, protocol_of
from coequal.evaluation.requested import RequestedMetrics
from coequal.rng import Rng
from coequal.seeds import seed_for


class Number(NamedTuple):
    """One measured number.

    Attributes:
        value: the number, with its standard error, interval and details where the metric has them.
        protocol: how it was measured; numbers of different protocols are not comparable.
        metric: the metric that gave it, with its settings.
    """

    value: MetricValue
    protocol: str
    metric: Metric


class PerImageNumber(NamedTuple):
    """A number of each generated image, and what its metric says of it."""

    info: ImageValueInfo
    found: ImageValues


class Measured(NamedTuple):
    """What one pass of an instrument gave.

    Attributes:
        numbers: by name.
        undefined: by metric that has no number for these images, the reason.
        per_image: numbers of each generated image, by name; empty unless they were asked for.
    """

    numbers: Mapping[str, Number]
    undefined: Mapping[str, str]
    per_image: Mapping[str, PerImageNumber]

    @property
    def warnings(self) -> list[str]:
        """Why numbers may mislead, as their metrics say: one sentence for each reason."""
        told: dict[str, list[str]] = {}
        for name, number in self.numbers.items():
            for warning in number.value.warnings:
                told.setdefault(warning, []).append(name)
        return [f"{', '.join(names)}: {warning}" for warning, names in told.items()]


def measure(
    requested: RequestedMetrics,
    *,
    encoder: str,
    real: str,
    references: Callable[[str], Mapping[str, Tensor]],
    fake: ImageSet,
    real_statistics: Statistics | None = None,
    note: str = "",
    seed: int = 0,
    per_image: bool = False,
    device: torch.device | None = None,
    log: Log = lambda line: None,
) -> Measured:
    """Measure generated images by all metrics that are requested.

    Args:
        requested: metrics and numbers that can be had of these images (see `requirements.unmet`).
        encoder: id of what gave the features, for the protocol.
        real: the reference images, for the protocol: "test:355", a split and its size.
        references: gives a metric's reference by the metric's name; asked once for each.
        fake: the generated images; metrics compute on the device on which they are.
        real_statistics: what metrics that take statistics know of the real side, if there are some.
        note: how they were drawn, as "key=value" pairs, for the protocol.
        seed: of the metrics' own draws; one that is not 0 stands in the protocol.
        per_image: whether metrics are also asked for the numbers that they give each image.
        device: on which features were computed, for the protocol; None: where they are.
        log: is told which metric is measured.
    """
    numbers: dict[str, Number] = {}
    undefined: dict[str, str] = {}
    of_images: dict[str, PerImageNumber] = {}
    without_generator = replace(fake, generator=None)
    here = fake.features.device
    drawn = [note, protocol_of(device or here), f"seed={seed}" if seed else ""]
    for name, metric in requested.parts.items():
        log(f"measuring {name}")
        reference = {key: value.to(here) for key, value in references(name).items()}
        # Give each metric a random stream of its own, so that one more moves no other's draws.
        rng = Rng(seed_for("metric", name) if seed == 0 else seed_for("metric", name, seed))
        # Hide the generator where it would only make a number that nobody asked for.
        seen = fake if "generator" in requested.required(name) else without_generator
        try:
            values = metric.values(real=reference, fake=seen, rng=rng)
        except FloatingPointError as error:
            undefined[name] = str(error)
            continue
        # Write the protocol, and keep the numbers that were asked for.
        sides = (
            f"real={_side(real, real_statistics, metric)}",
            f"fake={_side(str(len(fake)), fake.statistics, metric)}",
        )
        protocol = " ".join(filter(None, [f"encoder={encoder}", *sides, *drawn]))
        for key in requested.outputs[name]:
            value = values.get(requested.as_computed(key))
            if value is not None:
                numbers[key] = Number(value, protocol + settings_suffix(metric), metric)
        for key, found in metric.per_image(real=reference, fake=seen).items() if per_image else ():
            of_images[key] = PerImageNumber(metric.per_image_outputs[key], found)
    return Measured(numbers, undefined, of_images)


def _side(images: str, statistics: Statistics | None, metric: Metric) -> str:
    """What a metric saw of a side, for the protocol: images, or statistics of so many."""
    if statistics is None or not metric.takes_statistics:
        return images
    return "statistics" if statistics.count is None else f"statistics:{statistics.count}"


def settings_suffix(metric: Metric) -> str:
    """A metric's settings, for the protocol of its numbers; empty if it has none."""
    settings = fields(metric) if is_dataclass(metric) else ()
    return f" {metric}" if settings else ""


def image_set(
    features: ImageRows,
    encoder: Encoder | None,
    required: Collection[str],
    *,
    images: ImageRows | None = None,
    labels: Tensor | None = None,
    manifold: KnownManifold | None = None,
    generator: Generator | None = None,
    statistics: Statistics | None = None,
    device: torch.device | None = None,
) -> ImageSet:
    """Images as metrics see them, all on one device.

    Args:
        features: (n, d), in memory or mapped from a file.
        encoder: what gave the features; None if that is not known.
        required: what the metrics need beyond features; class probabilities are computed only then.
        images: (n, c, h, w); all are read into memory if, and only if, a metric needs them.
        labels: (n,) int64, if there are any.
        manifold: of real images that were made by a formula.
        generator: what made the images.
        statistics: see `ImageSet.statistics`.
        device: where features are computed and, if it has float64, metrics; None: where the encoder
            does, else on the CPU.
    """
    if device is None:
        device = torch.device("cpu") if encoder is None else encoder.device
    device = exact_on(device)
    whole = features.whole.to(device)
    probabilities = None
    if encoder is not None and "probabilities" in required:
        known = encoder.probabilities(whole)
        probabilities = None if known is None else known.to(device)
    return ImageSet(
        whole,
        probabilities,
        None if labels is None else labels.to(device),
        images.whole.to(device) if images is not None and "images" in required else None,
        features.read if device.type == "cpu" else whole.__getitem__,
        manifold,
        generator,
        statistics,
    )
