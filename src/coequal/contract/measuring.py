"""Encoders and metrics: images in, features and numbers out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from jaxtyping import Float, Int, UInt8
from torch import Tensor

from coequal.contract.data import Dataset, KnownManifold
from coequal.contract.neighbours import NearestMemory
from coequal.contract.nets import Generator
from coequal.records import MetricInfo
from coequal.rng import Rng
from coequal.settings import Settings

Log = Callable[[str], None]  # takes one line about long work


class Encoder(ABC):
    """Images in, features out. Two encoders with one `id` give the same features for the same
    images.

    Attributes:
        id: its name, and a hash of its weights and preprocessing.
        note: one line on how good it is, for the report.
        knows_classes: whether it gives class probabilities.
        resizes: whether it brings images to a square of its own, in colour.
        light: whether it is quick enough to be asked in the middle of a training.
        is_fid: whether a Fréchet distance of its features may be called FID; of a class: with some
            weights.
        default_rank: where it stands among the encoders that a score tries when none is named, the
            lowest first; None: it is used by name only.
    """

    id: str
    note: str
    knows_classes: bool = False
    resizes: bool = False
    light: bool = False
    is_fid: bool = False
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

    `interval` is a 95 % interval over the same, of numbers for which value +- error is none
    (fractions near 0 and 1). `details` are plain values, fit for JSON, that the number summarises
    (accuracy by class, a confusion matrix).
    """

    value: float
    standard_error: float | None = None
    interval: tuple[float, float] | None = None
    details: Mapping[str, Any] | None = None


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

    def __len__(self) -> int:
        return len(self.features)

    def parts(self, size: int) -> Iterator[Float[Tensor, "rows d"]]:
        """The features in order, `size` rows at a time; of a file no more than these are held."""
        for start in range(0, len(self), size):
            some = slice(start, start + size)
            yield self.features[some] if self.read is None else self.read(some)


RequiredInput = Literal["probabilities", "labels", "images", "train", "generator", "density"]
# "density" beside "generator": one that gives the probability of an image.


class Metric(Settings, ABC):
    """One or more named numbers from two image sets. Final subclasses are frozen dataclasses of
    settings."""

    version: ClassVar[int] = 1  # of what `reference` gives: cached ones of another are not read
    costly: ClassVar[bool] = False  # whether `reference` takes so long that it is always cached
    sees_features: ClassVar[bool] = True  # whether it looks at features at all
    outputs: ClassVar[Mapping[str, MetricInfo]]
    error_over: ClassVar[str] = "new generated images"  # what the errors of its numbers are over
    required: ClassVar[tuple[RequiredInput, ...]] = ()  # beyond features
    required_for: ClassVar[
        Mapping[str, RequiredInput]
    ] = {}  # of single outputs: without it they are not given
    fid_names: ClassVar[Mapping[str, str]] = {}
    """Of outputs that are other outputs, under the name that these have where `Encoder.is_fid`:
    {"fid": "fd"}. `values` does not give them."""

    @classmethod
    def unsupported_reason(cls, manifold: KnownManifold | None) -> str | None:
        """Why real images of this manifold (None: of none that is known) can't be the reference, in
        words; None if they can."""
        return None

    @abstractmethod
    def reference(self, real: ImageSet, train: ImageSet | None = None) -> Mapping[str, Tensor]:
        """All that the metric needs to know of the real images; computed once and cached.

        Args:
            real: what generated images are compared with.
            train: what the generator was trained on, for metrics that want it (memorisation).
        """

    @abstractmethod
    def values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """The score of generated images against a reference, one per name in `outputs`, but for
        those in `fid_names`, those whose input in `required_for` was not given, and nothing where a
        density was required in vain.

        NaN where a feature is not finite. `rng` is fresh for each call and named after the metric,
        so that one metric more moves no other's draws.
        """
