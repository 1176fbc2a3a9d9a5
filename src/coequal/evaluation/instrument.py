"""The one instrument: generator to images to features to numbers, the same for every model of a
study."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from coequal import lookup
from coequal.contract import (
    UNCONDITIONAL,
    Conditions,
    Dataset,
    Encoder,
    Generator,
    GeneratorInput,
    ImageSet,
    Log,
    Metric,
)
from coequal.datasets._loading import fingerprint
from coequal.evaluation.reference_cache import Sets, cached_reference
from coequal.evaluation.requested import RequestedMetrics
from coequal.images import match_dtype
from coequal.records import Measurement
from coequal.rng import Rng
from coequal.seeds import seed_for

SplitName = Literal["validation", "test"]
SPLITS: tuple[SplitName, ...] = ("validation", "test")
GENERATED_AT_ONCE = 500


@dataclass(frozen=True)
class Measured:
    """Numbers, and what some of them summarise, by the number's name."""

    measurements: tuple[Measurement, ...]
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Instrument:
    """An encoder, metrics, and what both know of the real images."""

    dataset: Dataset
    encoder: Encoder
    asked: RequestedMetrics
    samples: int
    references: Mapping[tuple[str, str], Mapping[str, Tensor]]  # by metric and split

    def measure(
        self,
        images: Tensor,
        split: SplitName,
        note: str,
        *,
        labels: Tensor | None = None,
        generator: Generator | None = None,
    ) -> Measured:
        """Every metric of generated images against a split; those whose wants are not met are left
        out.

        Args:
            images: (n, c, h, w) in the form of the data set's own, uint8 or float32.
            split: of the real images.
            note: for the protocol.
            labels: (n,) the classes that the images are of, if they are.
            generator: what made the images.
        """
        features = self.encoder.features(images)
        fake = ImageSet(features, self.encoder.probabilities(features), labels, images)
        protocol = self._protocol(split, len(images), note)
        measurements: list[Measurement] = []
        details: dict[str, Mapping[str, Any]] = {}
        for name, metric in self.asked.parts.items():
            if labels is None and "labels" in metric.required:
                continue
            rng = Rng(seed_for("metric", name))
            seen = replace(fake, generator=generator if self._wants_generator(name) else None)
            values = metric.values(real=self.references[name, split], fake=seen, rng=rng)
            for key in self.asked.outputs[name]:
                if (found := values.get(key)) is None:
                    continue
                numbers = (found.value, protocol + own(metric), found.standard_error)
                measurements.append(Measurement(key, split, *numbers))
                if found.details is not None:
                    details[key] = found.details
        return Measured(tuple(measurements), details)

    def _wants_generator(self, name: str) -> bool:
        return "generator" in self.asked.required(name)

    def bounds(self) -> dict[str, dict[str, float]]:
        """Two scores on test that need no generator: `cap` of uniform noise, `floor` of validation
        images.

        The cap is what a failed trial counts as in means: fixed before anything is trained, the
        same for all models; of numbers that need a generator it is the worst possible. The floor is
        what a perfect generator would score. Where a metric wants classes of generated images,
        those of the noise are drawn, and those of validation images are their own.
        """
        rng = Rng(seed_for("cap", self.dataset.name))
        shape = (self.samples, *self.dataset.shape)
        real = self.dataset.validation.images
        noise = match_dtype(rng.uniform(*shape), real.dtype)
        rows = rng.permutation(len(real))[: self.samples]
        known = self.dataset.validation.labels
        classes = 0 if known is None else len(self.dataset.classes or known.unique())
        drawn = rng.integers(classes, self.samples) if classes else None
        found = {
            "cap": (noise, drawn),
            "floor": (real[rows], None if known is None else known[rows]),
        }
        bounds = {}
        for name, (images, labels) in found.items():
            measured = self.measure(images, "test", name, labels=labels)
            bounds[name] = {entry.metric: entry.value for entry in measured.measurements}
        for name, metric in self.asked.parts.items():
            for key in self.asked.outputs[name]:
                if key not in bounds["cap"] and (worst := metric.outputs[key].worst) is not None:
                    bounds["cap"][key] = worst
        return bounds

    def _protocol(self, split: str, count: int, note: str) -> str:
        real = len(self.dataset.split(split))
        return f"encoder={self.encoder.id} real={split}:{real} fake={count} {note}"


def prepare(
    dataset: Dataset,
    encoder: str,
    asked: RequestedMetrics,
    samples: int,
    cache: Path,
    log: Log,
) -> Instrument:
    """Load or make everything that measuring needs; what is costly is cached by content.

    Raises:
        ValueError: the encoder can't be had for this data set; the message says what would do.
    """
    kind = lookup.load("encoders", encoder)
    refusal = kind.available() or kind.unsupported_reason(dataset)
    if refusal is not None:
        raise ValueError(refusal)
    ready: Encoder = kind.prepare(dataset, cache, log)
    for name, part in asked.parts.items():
        if "probabilities" in part.required and not ready.knows_classes:
            raise ValueError(f"metric {name} needs class probabilities, and {encoder} gives none")
        if "labels" in part.required and dataset.train.labels is None:
            raise ValueError(f"metric {name} needs labels, and {dataset.name} has none")
        if refusal := part.unsupported_reason(dataset.manifold):
            raise ValueError(f"metric {name} can't measure {dataset.name}: {refusal}")
    key = hashlib.sha256(f"{fingerprint(dataset)} {ready.id}".encode()).hexdigest()[:16]
    references: dict[tuple[str, str], Mapping[str, Tensor]] = {}
    for split in SPLITS:
        for name, part in asked.parts.items():

            def sets(split: SplitName = split, part: Metric = part) -> Sets:
                log(f"reference of {dataset.name}, {split} split: {ready.id}")
                train = _image_set(dataset, "train", ready) if "train" in part.required else None
                return _image_set(dataset, split, ready), train

            references[name, split] = cached_reference(name, part, f"{key}-{split}", cache, sets)
    return Instrument(dataset, ready, asked, samples, references)


def own(metric: Metric) -> str:
    """A metric's settings, for the protocol of its numbers; empty if it has none."""
    settings = fields(metric) if is_dataclass(metric) else ()
    return f" {metric}" if settings else ""


def _image_set(dataset: Dataset, name: str, encoder: Encoder) -> ImageSet:
    split = dataset.split(name)
    features = encoder.features(split.images)
    return ImageSet(
        features,
        encoder.probabilities(features),
        split.labels,
        split.images,
        manifold=dataset.manifold,
    )


@torch.inference_mode()
def generate(
    generator: Generator,
    count: int,
    rng: Rng,
    conditions: Conditions = UNCONDITIONAL,
    dtype: torch.dtype = torch.uint8,
) -> Tensor:
    """`count` images on the CPU, (n, c, h, w), with BatchNorm's moving averages.

    Always in batches of one size. The generator's mode is left as it was.

    Args:
        generator: any.
        count: at least 1.
        rng: of the generator's device; the images depend on it and the weights only.
        conditions: what the images are to be, a row for each; on any device.
        dtype: uint8, or float32 as they come, in [0, 1]: the form of the images to compare with.

    Raises:
        FloatingPointError: an image is not finite.
    """
    training = generator.training
    generator.eval()
    try:
        images = []
        for start in range(0, count, GENERATED_AT_ONCE):
            size = min(GENERATED_AT_ONCE, count - start)
            asked = conditions[start : start + size].to(rng.device)
            request = GeneratorInput(generator.latents(size, rng), asked)
            images.append(generator(request).images.cpu())
    finally:
        generator.train(training)
    found = torch.cat(images)
    bad = int((~torch.isfinite(found)).flatten(1).any(1).sum())
    if bad:
        raise FloatingPointError(f"{bad} of {count} generated images held NaN or infinity")
    return match_dtype(found, dtype)
