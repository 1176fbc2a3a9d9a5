"""The instrument of a study: generator to images to features to numbers, the same for every
model."""

import functools
import hashlib
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

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
from coequal.contract.data import in_memory
from coequal.datasets._loading import fingerprint
from coequal.devices import exact_on, protocol_of
from coequal.evaluation.encoder_choice import RunEncoder, prepared_encoder
from coequal.evaluation.feature_cache import features_in_parts
from coequal.evaluation.measure import Number, image_set, measure
from coequal.evaluation.noise import noise_stream, uniform_noise
from coequal.evaluation.reference_cache import Sets, cached_reference
from coequal.evaluation.requested import RequestedMetrics
from coequal.evaluation.requirements import Available, unmet_requests
from coequal.images import match_dtype
from coequal.rng import Rng

SplitName = Literal["validation", "test"]
SPLITS: tuple[SplitName, ...] = ("validation", "test")
GENERATED_AT_ONCE = 500


@dataclass(frozen=True)
class Instrument:
    """An encoder, metrics, and what both know of the real images of a dataset; everything is
    computed on the encoder's device.

    Attributes:
        dataset: the real images.
        encoder: what gives the features.
        requested: the metrics and their numbers.
        samples: how many images are generated for one measurement.
        references: what each metric knows of the real images, by metric and split.
    """

    dataset: Dataset
    encoder: Encoder
    requested: RequestedMetrics
    samples: int
    references: Mapping[tuple[str, str], Mapping[str, Tensor]]

    def measure(
        self,
        images: Tensor,
        split: SplitName,
        note: str,
        *,
        labels: Tensor | None = None,
        generator: Generator | None = None,
    ) -> Mapping[str, Number]:
        """Measure generated images against a split, by all metrics whose needs are met.

        Args:
            images: (n, c, h, w) in the form of the dataset's own, uint8 or float32; on any
                device.
            split: of the real images.
            note: how the images were drawn, for the protocol.
            labels: (n,) the classes that the images are of, if they are.
            generator: what made the images.

        Raises:
            FloatingPointError: a metric is undefined for these images.
        """
        available = replace(
            _available(self.dataset, self.encoder),
            fake_labels=labels is not None,
            generator=None if generator is None else type(generator),
            conditional=generator is not None and generator.conditional,
        )
        requested = self.requested.without(unmet_requests(self.requested, available))
        features = in_memory(self.encoder.features(images))
        measured = measure(
            requested,
            encoder=self.encoder.id,
            real=f"{split}:{len(self.dataset.split(split))}",
            references=lambda name: self.references[name, split],
            fake=image_set(
                features,
                self.encoder,
                self.requested.required_of("fake"),
                images=in_memory(images),
                labels=labels,
                generator=generator,
            ),
            note=note,
            device=self.encoder.device,
        )
        for reason in measured.undefined.values():
            raise FloatingPointError(reason)
        return measured.numbers

    def bounds(self) -> dict[str, dict[str, float]]:
        """Two scores on test that need no generator: `cap` of uniform noise, or the worst possible
        score where one is known, and `floor` of validation images.

        The cap is what a failed trial counts as in means: fixed before anything is trained, the
        same for all models. Noise alone would not do for numbers that have a worst value: some
        encoders see it near real images, and give it nearly their precision. The floor is
        what a perfect generator would score. Where a metric wants classes of generated images,
        those of the noise are drawn, and those of validation images are their own.
        """
        rng = noise_stream(self.dataset.name)
        real = self.dataset.validation.images
        noise = uniform_noise(self.samples, self.dataset.shape, real.dtype, rng)
        rows = rng.permutation(len(real))[: self.samples]
        known = self.dataset.validation.labels
        classes = 0 if known is None else len(self.dataset.classes or known.unique())
        drawn = rng.integers(classes, self.samples) if classes else None
        extremes = {
            "cap": (noise, drawn),
            "floor": (real[rows], None if known is None else known[rows]),
        }
        bounds = {}
        for name, (images, labels) in extremes.items():
            numbers = self.measure(images, "test", name, labels=labels)
            bounds[name] = {key: number.value.value for key, number in numbers.items()}
        infos = self.requested.infos()
        for key in itertools.chain(*self.requested.outputs.values()):
            if (worst := infos[key].worst) is not None:
                bounds["cap"][key] = worst
        return bounds


def prepare(
    dataset: Dataset,
    encoder: str,
    requested: RequestedMetrics,
    samples: int,
    cache: Path,
    log: Log,
    run: RunEncoder | None = None,
    device: torch.device | str = "cpu",
) -> Instrument:
    """Load or make everything that measuring needs; what is costly is cached by content.

    Args:
        dataset: the real images.
        encoder: a name of `coequal list encoders`, or "module:Class".
        requested: the metrics and their numbers.
        samples: how many images are generated for one measurement.
        cache: the folder of all caches.
        log: is told about long work.
        run: whose encoder it is, if it belongs to one.
        device: what everything is computed on.

    Raises:
        ValueError: the encoder or a metric cannot be had for this dataset.
        OSError: a file of weights holds something else.
    """
    ready = prepared_encoder(encoder, dataset, cache, log, run).to(device)
    if missing := unmet_requests(requested, _available(dataset, ready)):
        reasons = (f"{name} can't measure {dataset.name}: {why}" for name, why in missing.items())
        raise ValueError("\n".join(reasons))
    known_by = " ".join(filter(None, [fingerprint(dataset), ready.id, protocol_of(ready.device)]))
    key = hashlib.sha256(known_by.encode()).hexdigest()[:16]

    @functools.cache  # each split is encoded once, if a metric's reference is not in the cache
    def images(split: str) -> ImageSet:
        return _split_set(dataset, split, ready, requested.required_of(split))

    references: dict[tuple[str, str], Mapping[str, Tensor]] = {}
    for split in SPLITS:
        for name, part in requested.parts.items():

            def sets(split: SplitName = split, part: Metric = part) -> Sets:
                log(f"reference of {dataset.name}, {split} split: {ready.id}")
                return images(split), images("train") if "train" in part.required else None

            reference = cached_reference(name, part, f"{key}-{split}", cache, sets, log)
            here = exact_on(ready.device)
            references[name, split] = {k: v.to(here) for k, v in reference.items()}
    return Instrument(dataset, ready, requested, samples, references)


def _available(dataset: Dataset, encoder: Encoder) -> Available:
    """What is known of a study's measurements before any image is generated."""
    return Available(
        class_probabilities=encoder.knows_classes,
        published_names=encoder.published_names,
        real_labels=dataset.train.labels is not None,
        manifold=dataset.manifold,
    )


def _split_set(
    dataset: Dataset, name: str, encoder: Encoder, required: Collection[str]
) -> ImageSet:
    """A split as the metrics see it that require this."""
    split = dataset.split(name)
    features = in_memory(features_in_parts(split.images, encoder))
    return image_set(
        features,
        encoder,
        required,
        images=split.images,
        labels=split.labels,
        manifold=dataset.manifold,
    )


def drawing(ema: float | None) -> str:
    """How `generate` draws images of a trained generator, for a protocol.

    Args:
        ema: the decay of the moving average of the generator's weights; None or 0: there is none.
    """
    return f"batch_norm=moving-averages ema={ema or 'none'}"


def device_of(generator: Generator) -> torch.device:
    """Where a generator computes: the device of its parameters and buffers; the CPU without any."""
    tensors = itertools.chain(generator.parameters(), generator.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


@torch.inference_mode()
def generate(
    generator: Generator,
    count: int,
    rng: Rng,
    conditions: Conditions = UNCONDITIONAL,
    dtype: torch.dtype = torch.uint8,
) -> Tensor:
    """`count` images on the generator's device, (n, c, h, w), with BatchNorm's moving averages.

    The latents are drawn on the device of `rng`: a stream of the CPU gives the same ones, and so
    the same images but for rounding, on every device.

    Always in batches of one size. The generator's mode is left as it was.

    Args:
        generator: any.
        count: at least 1.
        rng: the images depend on it and the weights only.
        conditions: what the images are to be, a row for each; on any device.
        dtype: uint8, or float32 as they come, in [0, 1]: the form of the images to compare with.

    Raises:
        FloatingPointError: an image is not finite.
    """
    training = generator.training
    device = device_of(generator)
    generator.eval()
    try:
        images: list[Tensor] = []
        finite: list[Tensor] = []
        for start in range(0, count, GENERATED_AT_ONCE):
            size = min(GENERATED_AT_ONCE, count - start)
            latents = tuple(part.to(device) for part in generator.latents(size, rng))
            request = GeneratorInput(latents, conditions[start : start + size].to(device))
            made = generator(request).images
            finite.append(torch.isfinite(made).flatten(1).all(1))
            images.append(match_dtype(made, dtype))
    finally:
        generator.train(training)
    bad = count - int(torch.cat(finite).sum())
    if bad:
        raise FloatingPointError(f"{bad} of {count} generated images held NaN or infinity")
    return torch.cat(images)
