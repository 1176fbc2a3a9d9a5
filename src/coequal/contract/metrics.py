"""Metrics: image sets in, numbers with errors out."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.contract.data import KnownManifold
from coequal.contract.image_sets import ImageSet
from coequal.devices import full_products
from coequal.records import MetricInfo
from coequal.rng import Rng
from coequal.settings import Settings

WITHOUT_FLOAT64 = ("mps",)  # devices on which exact sums can't be had: the CPU computes instead
MOST_REPETITION = 1.2  # errors are up to a tenth too small there; beyond, none is given


class MetricValue(NamedTuple):
    """A number, and the standard deviation it would have over new samples of the same size.

    Attributes:
        value: the number; NaN where these images have none (see `undefined`).
        standard_error: None where no error is known.
        interval: a 95 % interval over new samples, for numbers for which value +- error does not
            give one (fractions near 0 and 1).
        details: JSON-ready values that the number summarises (accuracy by class, a confusion
            matrix).
        target: the best value for this many images, if `MetricInfo` says "target" and the best
            value depends on the counts; None: the one in `MetricInfo`.
        warnings: why this number may mislead, one sentence each; they are shown beside a score.
    """

    value: float
    standard_error: float | None = None
    interval: tuple[float, float] | None = None
    details: Mapping[str, Any] | None = None
    target: float | None = None
    warnings: tuple[str, ...] = ()

    @staticmethod
    def undefined(reason: str) -> "MetricValue":
        """NaN, with the reason, for images that have no such number."""
        return MetricValue(math.nan, details={"undefined": reason})


class ImageValueInfo(NamedTuple):
    """What a metric says about a number that it gives for each generated image.

    Attributes:
        better: the direction in which an image is better; None: neither, and images are not
            ranked by it.
        meaning: what it is, with its unit or range.
        label: its name on pages; None: its name without underscores.
    """

    better: Literal["lower", "higher"] | None
    meaning: str
    label: str | None = None


class ImageValues(NamedTuple):
    """A number for each generated image.

    Attributes:
        values: (n,) float64, in the order of the images; NaN for an image that has none.
        undefined: why no image has one; None if some may have one.
    """

    values: Float[Tensor, " n"]
    undefined: str | None = None

    @staticmethod
    def of_no_image(count: int, reason: str) -> "ImageValues":
        """NaN for `count` images, with the reason."""
        return ImageValues(torch.full((count,), math.nan, dtype=torch.float64), reason)


RequiredInput = Literal[
    "probabilities", "labels", "images", "train", "generator", "density", "counts"
]
# "counts": how many images each side has, which statistics from elsewhere need not say.
# "density" beside "generator": one that gives the probability of an image.

LACKING: Mapping[str, str] = {
    "probabilities": "no class probabilities; take an encoder that knows classes (classifier)",
    "labels": "no labels",
    "images": "no pixels, only features",
}
"""What to say of an image set that lacks a required input which belongs to every image."""


def _without_error(value: MetricValue) -> MetricValue:
    """The number without its error, for images that are repeats of each other."""
    if value.standard_error is None and value.interval is None:
        return value
    warning = "no error: many generated images are exact repeats of others, which bring nothing new"
    warnings = (*value.warnings, warning)
    return value._replace(standard_error=None, interval=None, warnings=warnings)


class Metric(Settings, ABC):
    """One or more named numbers from two image sets. Final subclasses are frozen dataclasses of
    settings, and give `compute_values` and, if it is not the features, `compute_reference`.

    Callers use `reference` and `values`, which do what is the same for all metrics. They check that
    everything in `required` is there, and that what the metric uses of an image is finite (its
    features if `sees_features`, its probabilities and pixels if they are required). Real and
    training images that are not finite are refused. Generated images that are not finite, or too
    few, give NaN for every number, with the reason as the detail `undefined`.
    """

    on_cpu: ClassVar[bool] = False  # whether it computes there, wherever the images lie
    version: ClassVar[int] = 1  # of what `reference` gives: cached ones of another are not read
    costly: ClassVar[bool] = False  # whether `reference` takes so long that it is always cached
    sees_features: ClassVar[bool] = True  # whether it looks at features at all
    takes_statistics: ClassVar[bool] = False
    """Whether `ImageSet.statistics`, if a set has them, replace its features. The metric must then
    accept them on either side."""
    outputs: ClassVar[Mapping[str, MetricInfo]]
    error_over: ClassVar[str] = "new generated images"  # what the errors of its numbers are over
    required: ClassVar[tuple[RequiredInput, ...]] = ()  # beyond features
    min_images: ClassVar[int] = 1  # of a side; fewer generated ones have NaN for every number
    required_for: ClassVar[
        Mapping[str, RequiredInput]
    ] = {}  # of single outputs: without it they are not given
    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What the literature calls some of the outputs, in addition to their names and labels: {"MMD":
    ("mmd_rbf",)}."""

    per_image_outputs: ClassVar[Mapping[str, ImageValueInfo]] = {}
    """Numbers for each generated image, which `per_image` gives; `outputs` are over all images."""

    @classmethod
    def unsupported_reason(cls, manifold: KnownManifold | None) -> str | None:
        """Why real images of this manifold (None: no known one) can't be the reference, or what the
        metric needs and is missing here (weights, a package), in words; None if it can be
        computed."""
        return None

    @final
    def reference(self, real: ImageSet, train: ImageSet | None = None) -> Mapping[str, Tensor]:
        """Everything that the metric needs to know about the real images; computed once and cached.

        Args:
            real: what generated images are compared with.
            train: what the generator was trained on, for metrics that need it (memorisation).

        Raises:
            ValueError: something required is missing or not finite, there are fewer than
                `min_images` real images, or the metric can't be computed for these images.
        """
        real = self._where_computed(real)
        train = None if train is None else self._where_computed(train)
        sides: dict[str, ImageSet | None] = {"real": real}
        if "train" in self.required:
            sides["training"] = train
        self.refuse(self.unsupported_reason(real.manifold))
        for side, images in sides.items():
            self.refuse(self._lacking(images, side) or self._undefined(images, side))
        self.refuse(self.too_few_images(self.count(real), "real"))
        with full_products():
            return self.compute_reference(real, train)

    @final
    def values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """The scores of generated images against a reference, one for each name in `outputs`.

        Outputs whose input in `required_for` was not given are left out; if a density is required
        and the generator has none, the result is empty. A score is NaN if what the metric uses of
        an image is not finite, or if there are fewer than `min_images` images. Errors over new
        generated images are left out if many images are exact repeats of others: repeats add no
        information, but the errors would count them.

        Args:
            real: what `reference` gave, on any device.
            fake: the generated images. The numbers are computed on the device of their features,
                except by a metric that is `on_cpu` and on devices without float64.
            rng: for the metric's own draws. It is fresh for each call and named after the metric,
                so that adding a metric changes no other metric's draws.

        Raises:
            ValueError: something required is missing, or there are too few images.
            FloatingPointError: the numbers are undefined for these images.
        """
        self.refuse(self._lacking(fake, "generated"))
        fake = self._where_computed(fake)
        real = {name: tensor.to(fake.features.device) for name, tensor in real.items()}
        if reason := self.too_few_images(self.count(fake), "generated") or self._undefined(
            fake, "generated"
        ):
            nothing = MetricValue.undefined(reason)
            return dict.fromkeys(self.outputs, nothing)
        with full_products():
            found = self.compute_values(real=real, fake=fake, rng=rng)
        if self.error_over != Metric.error_over or fake.repetition <= MOST_REPETITION:
            return found
        return {name: _without_error(value) for name, value in found.items()}

    @final
    def per_image(self, *, real: Mapping[str, Tensor], fake: ImageSet) -> Mapping[str, ImageValues]:
        """Numbers for each generated image, one for each name in `per_image_outputs`; NaN where
        `values` gives NaN.

        Args:
            real: what `reference` gave, on any device.
            fake: the generated images.

        Raises:
            ValueError: something required is missing.
        """
        self.refuse(self._lacking(fake, "generated"))
        fake = self._where_computed(fake)
        real = {name: tensor.to(fake.features.device) for name, tensor in real.items()}
        if reason := self.too_few_images(len(fake), "generated") or self._undefined(
            fake, "generated"
        ):
            nothing = ImageValues.of_no_image(len(fake), reason)
            return dict.fromkeys(self.per_image_outputs, nothing)
        with full_products():
            return self.compute_per_image(real=real, fake=fake) if self.per_image_outputs else {}

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """What `reference` gives, for finite images that have everything required; by default the
        features themselves, (n, d)."""
        return {"features": real.features}

    @abstractmethod
    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """What `values` gives, for finite images that have everything required."""

    def compute_per_image(
        self, *, real: Mapping[str, Tensor], fake: ImageSet
    ) -> Mapping[str, ImageValues]:
        """What `per_image` gives, for finite images that have everything required."""
        raise NotImplementedError(f"{type(self).__name__} names per-image numbers and gives none")

    def _where_computed(self, images: ImageSet) -> ImageSet:
        """The images where this metric computes."""
        device = images.features.device
        return images.to("cpu") if self.on_cpu or device.type in WITHOUT_FLOAT64 else images

    def refuse(self, reason: str | None) -> None:
        """Raise a ValueError that names the metric's first number, if there is a reason."""
        if reason is not None:
            raise ValueError(f"{next(iter(self.outputs))}: {reason}")

    def _lacking(self, images: ImageSet | None, side: str) -> str | None:
        """Which required input is missing, in words; None if none is."""
        if images is None:
            return f"needs the {side} images"
        for need in self.required:
            if need in LACKING and getattr(images, need) is None:
                return f"the {side} images have {LACKING[need]}"
        return None

    def count(self, images: ImageSet) -> int | None:
        """The number of images whose features or statistics the metric uses; None if it is not
        known."""
        if self.takes_statistics and images.statistics is not None:
            return images.statistics.count
        return len(images)

    def too_few_images(self, count: int | None, side: str) -> str | None:
        """Why `count` images of a side ("real", "generated") are too few for any number; None if
        they are enough, or if their number is not known."""
        if count is None or count >= self.min_images:
            return None
        return f"needs at least {self.min_images} {side} images, got {count}"

    def _undefined(self, images: ImageSet | None, side: str) -> str | None:
        """What the metric uses of these images and is not finite, in words; None if all is."""
        assert images is not None
        for what in (*(["features"] if self.sees_features else []), *self.required):
            if count := images.not_finite.get(what):
                rows = "pixels" if what == "images" else what
                return f"{rows} of {count} of {len(images)} {side} images hold NaN or infinity"
        return None
