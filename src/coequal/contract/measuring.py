"""Encoders and metrics: images in, features and numbers out."""

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self, final

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from coequal.contract.data import Dataset, KnownManifold
from coequal.contract.neighbours import NearestMemory
from coequal.contract.nets import Generator
from coequal.records import MetricInfo
from coequal.rng import Rng
from coequal.settings import Settings

Log = Callable[[str], None]  # takes one line about long work
CHECKED_AT_ONCE = 2000  # images
MOST_REPETITION = 1.2  # errors are up to a tenth too small there; beyond, none is given


class Encoder(ABC):
    """Images in, features out. Two encoders with one `id` give the same features for the same
    images.

    Attributes:
        id: its name, and a hash of its weights and preprocessing.
        note: one line on how good it is, for the report.
        weak: why distances of its features may mean little; empty if nothing is known against it.
        knows_classes: whether it gives class probabilities.
        resizes: whether it brings images to a square of its own, in colour.
        light: whether it is quick enough to be asked in the middle of a training.
        is_fid: whether a Fréchet distance of its features may be called FID; of a class: with some
            weights.
        batch: how many images it encodes at a time: a multiple of so many images may be encoded
            apart from others without changing a bit. None: not known.
        default_rank: where it stands among the encoders that a score tries when none is named, the
            lowest first; None: it is used by name only.
    """

    id: str
    note: str
    weak: str = ""
    knows_classes: bool = False
    resizes: bool = False
    light: bool = False
    is_fid: bool = False
    batch: int | None = None
    default_rank: int | None = None

    @classmethod
    def suits_by_default(cls, dataset: Dataset) -> bool:
        """Whether a score that names no encoder should try this one for a data set."""
        return True

    @classmethod
    def available(cls) -> str | None:
        """What is missing on this machine, and where to get it; None if the encoder can be had."""
        return None

    @classmethod
    @abstractmethod
    def unsupported_reason(cls, dataset: Dataset) -> str | None:
        """Why this encoder can't be had for a data set, in words; None if it can."""

    @classmethod
    @abstractmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> "Encoder":
        """The encoder for a data set: trained or loaded, weights from the cache if they lie
        there."""

    @classmethod
    def weights_name(cls, dataset: Dataset) -> str | None:
        """The name of the safetensors file that holds all of a small encoder that is trained here.

        The name follows from the images and from how the encoder is trained, so that it is the same
        on every machine. Where `prepare` trains, it leaves the file under this name in `encoders`
        in the cache. Every run keeps a copy and measures with it wherever the run goes on.

        Returns:
            None by default: an encoder that is large, downloaded, or has no weights.
        """
        return None

    @classmethod
    def restored(cls, dataset: Dataset, path: Path) -> Self:
        """The encoder whose weights a file holds, with the `id` that it had when it was trained.

        Args:
            dataset: The images that it was trained for.
            path: A file that is called `weights_name`, in any folder.

        Raises:
            OSError: The file holds something else.
        """
        raise NotImplementedError(f"{cls.__name__} has a weights_name, and must define `restored`")

    @classmethod
    def retrained(cls, dataset: Dataset, cache: Path, log: Log, repeat: int) -> "Encoder | None":
        """The encoder as the same recipe gives it from another seed: how much a number changes with
        it is part of that number's error.

        Args:
            dataset: The images that it is for.
            cache: The folder of all caches.
            log: Is told about long work.
            repeat: 1, 2, ...: the seed follows from it.

        Returns:
            None by default: an encoder that is not trained here.
        """
        return None

    @abstractmethod
    def features(
        self, images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n d"]:
        """Float32 features, on the CPU. Always in batches of one size, so that no caller can change
        a bit.

        Args:
            images: uint8, or float32 in [0, 1].
        """

    def probabilities(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n classes"] | None:
        """Class probabilities of images with these features; None for a net that knows no
        classes."""
        return None


class MetricValue(NamedTuple):
    """A number, and the standard deviation it would have over new samples of the same size.

    Attributes:
        value: the number; NaN where these images have none (see `undefined`).
        standard_error: None where no error is known.
        interval: a 95 % interval over the same, of numbers for which value +- error is none
            (fractions near 0 and 1).
        details: plain values, fit for JSON, that the number summarises (accuracy by class, a
            confusion matrix).
        target: the best value for as many images as these, of a number whose `MetricInfo` says
            "target" and whose best value depends on the counts; None: that of `MetricInfo`.
        warnings: why this number may mislead, in a sentence each, told beside a score.
    """

    value: float
    standard_error: float | None = None
    interval: tuple[float, float] | None = None
    details: Mapping[str, Any] | None = None
    target: float | None = None
    warnings: tuple[str, ...] = ()

    @staticmethod
    def undefined(reason: str) -> "MetricValue":
        """NaN, for images that have no such number, with the reason."""
        return MetricValue(math.nan, details={"undefined": reason})


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images as a metric sees them: what an encoder made of them, and themselves where they are
    wanted."""

    features: Float[Tensor, "n d"]  # of a file: mapped, so that they take memory when looked at
    probabilities: Float[Tensor, "n classes"] | None = None
    labels: Int[Tensor, " n"] | None = None
    images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"] | None = None
    read: Callable[[slice], Tensor] | None = None  # some of the features, not by way of the map
    manifold: KnownManifold | None = None  # of real images that were made by a formula
    generator: Generator | None = None  # what made fake images; not to be changed
    neighbours: NearestMemory = field(default_factory=NearestMemory)  # of these features
    shared: dict[Any, Any] = field(default_factory=dict)
    """What one metric has made of these images and another may use, by a key that names it."""

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def not_finite(self) -> Mapping[str, int]:
        """How many images hold NaN or infinity in their features, probabilities or pixels; what is
        finite, or not there, is left out. Read once, some rows at a time."""
        tensors = {"probabilities": self.probabilities, "images": self.images}
        parts = {
            "features": self.parts(CHECKED_AT_ONCE),
            **{k: iter(v.split(CHECKED_AT_ONCE)) for k, v in tensors.items() if v is not None},
        }
        counts = {name: sum(map(_not_finite, some)) for name, some in parts.items()}
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def repetition(self) -> float:
        """By how much repeats raise the variance of a mean: the sum of the squares of how often
        each different image comes, over the number of images. 1 if all differ, n if all are
        equal."""
        if not len(self):
            return 1.0
        sums = torch.cat([rows.sum(1) for rows in self.parts(CHECKED_AT_ONCE)])
        _, place, counts = sums.unique(return_inverse=True, return_counts=True)
        (maybe,) = (counts[place] > 1).nonzero(as_tuple=True)
        others = len(self) - len(maybe)  # equal images have equal sums
        seen: Counter[bytes] = Counter()
        for rows in maybe.split(CHECKED_AT_ONCE):
            contents = [_row_bytes(tensor[rows]) for tensor in self._given]
            seen.update(map(b"".join, zip(*contents, strict=True)))
        return (others + sum(count**2 for count in seen.values())) / len(self)

    @property
    def _given(self) -> list[Tensor]:
        """What is known of every image: features; probabilities and pixels where they are there."""
        return [x for x in (self.features, self.probabilities, self.images) if x is not None]

    def parts(self, size: int) -> Iterator[Float[Tensor, "rows d"]]:
        """The features in order, `size` rows at a time; of a file no more than these are held."""
        for start in range(0, len(self), size):
            some = slice(start, start + size)
            yield self.features[some] if self.read is None else self.read(some)


def _row_bytes(rows: Tensor) -> list[bytes]:
    """The content of each row."""
    return [row.tobytes() for row in rows.detach().cpu().contiguous().numpy()]


def _not_finite(rows: Tensor) -> int:
    """How many rows hold NaN or infinity."""
    # The extremes pass NaN on; an array of answers is made only where there is something to count.
    if not rows.is_floating_point() or not rows.numel():
        return 0
    if all(math.isfinite(edge) for edge in rows.aminmax()):
        return 0
    return int((~rows.isfinite()).flatten(1).any(1).sum())


RequiredInput = Literal["probabilities", "labels", "images", "train", "generator", "density"]
# "density" beside "generator": one that gives the probability of an image.

LACKING: Mapping[str, str] = {
    "probabilities": "no class probabilities; take an encoder that knows classes (classifier)",
    "labels": "no labels",
    "images": "no pixels, only features",
}
"""What image sets have that lack one of the required inputs which belong to every image."""


def _without_error(value: MetricValue) -> MetricValue:
    """The number alone, of images that are repeats of each other."""
    if value.standard_error is None and value.interval is None:
        return value
    warning = "no error: many generated images are exact repeats of others, which bring nothing new"
    warnings = (*value.warnings, warning)
    return value._replace(standard_error=None, interval=None, warnings=warnings)


class Metric(Settings, ABC):
    """One or more named numbers from two image sets. Final subclasses are frozen dataclasses of
    settings, and give `compute_values` and, if it is not the features, `compute_reference`.

    Callers use `reference` and `values`, which hold what is the same for all metrics: what is in
    `required` has to be there, and what a metric takes of an image (its features if
    `sees_features`, its probabilities and pixels if they are required) has to be finite. Real and
    training images that are not finite are refused; generated ones, and too few of them, give NaN
    for every number, with the reason as the detail `undefined`.
    """

    version: ClassVar[int] = 1  # of what `reference` gives: cached ones of another are not read
    costly: ClassVar[bool] = False  # whether `reference` takes so long that it is always cached
    sees_features: ClassVar[bool] = True  # whether it looks at features at all
    outputs: ClassVar[Mapping[str, MetricInfo]]
    error_over: ClassVar[str] = "new generated images"  # what the errors of its numbers are over
    required: ClassVar[tuple[RequiredInput, ...]] = ()  # beyond features
    min_images: ClassVar[int] = 1  # of a side; fewer generated ones have NaN for every number
    required_for: ClassVar[
        Mapping[str, RequiredInput]
    ] = {}  # of single outputs: without it they are not given
    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What the literature calls some of the outputs, beside their names and labels: {"MMD":
    ("mmd_rbf",)}."""
    fid_names: ClassVar[Mapping[str, str]] = {}
    """Of outputs that are other outputs, under the name that these have where `Encoder.is_fid`:
    {"fid": "fd"}. `values` does not give them."""

    @classmethod
    def unsupported_reason(cls, manifold: KnownManifold | None) -> str | None:
        """Why real images of this manifold (None: of none that is known) can't be the reference, in
        words; None if they can."""
        return None

    @final
    def reference(self, real: ImageSet, train: ImageSet | None = None) -> Mapping[str, Tensor]:
        """All that the metric needs to know of the real images; computed once and cached.

        Args:
            real: what generated images are compared with.
            train: what the generator was trained on, for metrics that want it (memorisation).

        Raises:
            ValueError: something that is required is not there, or is not finite, there are fewer
                than `min_images` real images, or the metric can't be had of these images.
        """
        sides: dict[str, ImageSet | None] = {"real": real}
        if "train" in self.required:
            sides["training"] = train
        self.refuse(self.unsupported_reason(real.manifold))
        for side, images in sides.items():
            self.refuse(self._lacking(images, side) or self._undefined(images, side))
        self.refuse(self.too_few_images(len(real), "real"))
        return self.compute_reference(real, train)

    @final
    def values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """The score of generated images against a reference, one per name in `outputs`, but for
        those in `fid_names`, those whose input in `required_for` was not given, and nothing where a
        density was required in vain. NaN if what the metric takes of an image is not finite, or for
        fewer than `min_images` images. Errors over new generated images are left out where many
        images are exact repeats of others: they bring nothing new, and the errors count them.

        Args:
            real: what `reference` gave.
            fake: the generated images.
            rng: of the metric's own draws: fresh for each call and named after the metric, so that
                one metric more moves no other's draws.

        Raises:
            ValueError: something that is required is not there, or there are too few images.
            FloatingPointError: the numbers are undefined for these images.
        """
        self.refuse(self._lacking(fake, "generated"))
        if reason := self.too_few_images(len(fake), "generated") or self._undefined(
            fake, "generated"
        ):
            nothing = MetricValue.undefined(reason)
            return {name: nothing for name in self.outputs if name not in self.fid_names}
        found = self.compute_values(real=real, fake=fake, rng=rng)
        if self.error_over != Metric.error_over or fake.repetition <= MOST_REPETITION:
            return found
        return {name: _without_error(value) for name, value in found.items()}

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """What `reference` gives, of finite images that have all that is required; by default the
        features themselves, (n, d)."""
        return {"features": real.features}

    @abstractmethod
    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """What `values` gives, of finite images that have all that is required."""

    def refuse(self, reason: str | None) -> None:
        """Raise a ValueError that names the metric's first number, if there is a reason."""
        if reason is not None:
            raise ValueError(f"{next(iter(self.outputs))}: {reason}")

    def _lacking(self, images: ImageSet | None, side: str) -> str | None:
        """Which of the required inputs is not there, in words; None if all are."""
        if images is None:
            return f"needs the {side} images"
        for need in self.required:
            if need in LACKING and getattr(images, need) is None:
                return f"the {side} images have {LACKING[need]}"
        return None

    def too_few_images(self, count: int, side: str) -> str | None:
        """Why so many images of a side ("real", "generated") are too few for any number; None if
        they are not."""
        if count >= self.min_images:
            return None
        return f"needs at least {self.min_images} {side} images, got {count}"

    def _undefined(self, images: ImageSet | None, side: str) -> str | None:
        """What the metric takes of these images and is not finite, in words; None if all is."""
        assert images is not None
        for what in (*(["features"] if self.sees_features else []), *self.required):
            if count := images.not_finite.get(what):
                rows = "pixels" if what == "images" else what
                return f"{rows} of {count} of {len(images)} {side} images hold NaN or infinity"
        return None
