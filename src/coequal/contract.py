"""The contract between the training loop, an objective and an architecture.

In five sentences. The loop makes the fake images and calls the objective; the objective returns one
scalar, named parts and its state. The discriminator's loss gets no generator; the generator's loss
gets both, with the discriminator frozen. The objective reaches the discriminator only through the
loop's view of it, where noise and augmentation act for all alike. What an objective wants beyond
that is data (`Needs`), never code that runs after a step. All chance of an image is in its latents;
every other draw comes from a stream that the loop owns and checkpoints.

`docs/contract.md` explains it to somebody who wants to add a GAN.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Protocol, TypeVar

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from coequal.rng import Rng

# ------------------------------------------------------------------------------------------- images


class ImageShape(NamedTuple):
    """Channels, height, width."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True, eq=False)  # eq=False: two batches are the same only if they are one object
class Samples:
    """A batch of images, real or fake alike, with values in [0, 1]."""

    images: Float[Tensor, "n c h w"]
    labels: Int[Tensor, " n"] | None = None  # class, or domain
    source: Float[Tensor, "n c h w"] | None = None  # the image that each was translated from

    def at(self, images: Float[Tensor, "n c h w"]) -> "Samples":
        """Other images with the same labels and sources (for a penalty's points)."""
        return replace(self, images=images)


@dataclass(frozen=True, eq=False)
class Request:
    """What a generator is asked for. Every random number behind an image is in `latents`."""

    latents: tuple[Tensor, ...]
    labels: Int[Tensor, " n"] | None = None
    source: Float[Tensor, "n c h w"] | None = None


# --------------------------------------------------------------------------------------- generators


class Generator(nn.Module, ABC):
    """A deterministic map from a request to images in [0, 1].

    Attributes:
        support: the interval that every number of the latents is drawn from; None for a law without
            bounds, which is taken to be standard normal. Only what inverts a generator asks.
        conditional: whether the labels of a request change its images.
    """

    support: tuple[float, float] | None = None
    conditional: bool = False

    @abstractmethod
    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """Fresh latents for `count` images, each with `count` rows."""

    @abstractmethod
    def forward(self, request: Request) -> Samples:
        """The images of a request, with its labels and sources."""


class LatentVariableGenerator(Generator):
    """A generator with an approximate posterior: the decoder and the encoder of a VAE."""

    @abstractmethod
    def encode(self, real: Samples) -> tuple[Float[Tensor, "n z"], Float[Tensor, "n z"]]:
        """Mean and standard deviation (above zero) of the posterior of each image."""

    @abstractmethod
    def decode(
        self, latents: Float[Tensor, "n z"], labels: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """The expected images, in [0, 1]."""


class DensityGenerator(Generator):
    """A generator that gives the probability of an image (autoregressive and flow models)."""

    @abstractmethod
    def log_likelihood(self, real: Samples) -> Float[Tensor, " n"]:
        """Natural logarithm of the probability of each image, its pixels taken as 256 levels (as
        level / 255); given its label, if the generator is conditional."""


# ----------------------------------------------------------------------------- discriminator
# outputs


class DiscriminatorOutput(ABC):  # noqa: B024  (kinds share a meaning, not a method)
    """What a discriminator says of a batch: one final subclass per kind of head."""


@dataclass(frozen=True, eq=False)
class Logits(DiscriminatorOutput):
    """One unbounded number per image, and the features below it."""

    logits: Float[Tensor, " n"]
    features: Float[Tensor, "n d"]


@dataclass(frozen=True, eq=False)
class ClassLogits(Logits):
    """Beside it one unbounded number per class: an auxiliary classifier."""

    classes: Float[Tensor, "n classes"]


@dataclass(frozen=True, eq=False)
class Reconstruction(DiscriminatorOutput):
    """An autoencoder's answer; `shown` is what the net saw, noise of the loop included."""

    shown: Float[Tensor, "n c h w"]
    images: Float[Tensor, "n c h w"]
    code: Float[Tensor, "n d"]


G = TypeVar("G", bound=Generator)
D = TypeVar("D", bound=DiscriminatorOutput)
D_co = TypeVar("D_co", bound=DiscriminatorOutput, covariant=True)


class Discriminate(Protocol[D_co]):
    """The discriminator as an objective sees it: samples in, output out, and nothing else to
    reach."""

    def __call__(self, samples: Samples, /) -> D_co:
        """The output for a batch."""
        ...


def discriminate_with_gradient(
    discriminate: Discriminate[D], samples: Samples, of: Callable[[D], Tensor]
) -> tuple[D, Float[Tensor, "n values"]]:
    """The output for `samples`, and the gradient of `of(output)` by each image, one row an image.

    The gradient can itself be differentiated (gradient penalties). `of` must give one number per
    image. This is the only place where an input gradient is taken. BatchNorm couples the images of
    a batch: the row of an image then holds the gradient of the whole batch's sum, as in every
    published implementation.
    """
    images = samples.images.detach().requires_grad_()
    # A view between the leaf and the net: torch's dispatch modes refuse a leaf that goes into a
    # module.
    output = discriminate(samples.at(images.view_as(images)))
    (gradient,) = torch.autograd.grad(of(output).sum(), images, create_graph=True)
    return output, gradient.flatten(1)


# ----------------------------------------------------------------------------------------
# objectives

State = Mapping[str, Tensor]


class Loss(NamedTuple):
    """What an objective returns: the scalar to minimise, named parts for the log, and its new
    state."""

    value: Float[Tensor, ""]
    parts: Mapping[str, Tensor]
    state: State


class PlayerLoss(Protocol):
    """A loss of one player. The discriminator's gets `discriminate`; the generator's `generator,
    discriminate`."""

    def __call__(self, *players: Any, real: Samples, fake: Samples, state: State, rng: Rng) -> Loss:
        """The loss of a batch."""
        ...


@dataclass(frozen=True)
class Lazy:
    """A further loss on every n-th step of a player, times n, in the same backward pass.

    One optimiser step per move for every model. (Karras et al. 2020 make a separate optimiser step
    of each lazy regulariser; a bench that counts steps can't.)
    """

    every: int
    loss: PlayerLoss


@dataclass(frozen=True)
class Needs:
    """What an objective wants of the loop and the nets, as data."""

    generator: type[Generator] = Generator
    output: type[DiscriminatorOutput] | None = None  # None: there is no discriminator
    weight_bound: float | None = None  # the loop clamps D's weights (2 axes or more) after D's step
    discriminator_lazy: tuple[Lazy, ...] = ()
    generator_lazy: tuple[Lazy, ...] = ()


class Objective(ABC):
    """The mathematics of one paper. Final subclasses are frozen dataclasses of its settings."""

    @abstractmethod
    def needs(self) -> Needs:
        """What this objective asks of the loop and of the nets."""

    def initial_state(self) -> State:
        """What it remembers at the start; the loop refuses other keys later."""
        return {}


class Adversarial(Objective, Generic[G, D]):
    """An objective of two players. Neither loss may step, draw from elsewhere, or write to a
    net."""

    @abstractmethod
    def discriminator_loss(
        self, discriminate: Discriminate[D], *, real: Samples, fake: Samples, state: State, rng: Rng
    ) -> Loss:
        """The discriminator's loss; `fake` has no gradient."""

    @abstractmethod
    def generator_loss(
        self,
        generator: G,
        discriminate: Discriminate[D],
        *,
        real: Samples,
        fake: Samples,
        state: State,
        rng: Rng,
    ) -> Loss:
        """The generator's loss; `fake` has a gradient, the discriminator is frozen."""


class Likelihood(Objective, Generic[G]):
    """An objective of one player (VAE, autoregressive and flow models)."""

    @abstractmethod
    def generator_loss(self, generator: G, *, real: Samples, state: State, rng: Rng) -> Loss:
        """The loss of the one player there is."""


# -------------------------------------------------------------------------------------
# architectures


@dataclass(frozen=True)
class Players:
    """The nets of one trial."""

    generator: Generator
    discriminator: nn.Module | None


@dataclass(frozen=True)
class Offers:
    """Which kinds of net an architecture can build, so that a bad pair is refused before anything
    starts."""

    generators: tuple[type[Generator], ...]
    outputs: tuple[type[DiscriminatorOutput], ...]
    shapes: str  # in words, for the message

    def missing(self, needs: Needs) -> list[str]:
        """What `needs` asks for and this architecture can't build, in words; empty if all is
        there."""
        lacks = []
        if not any(issubclass(kind, needs.generator) for kind in self.generators):
            lacks.append(f"a {needs.generator.__name__}")
        if needs.output and not any(issubclass(kind, needs.output) for kind in self.outputs):
            lacks.append(f"a discriminator that gives {needs.output.__name__}")
        return lacks


class Architecture(ABC):
    """Builds nets for an image shape. Final subclasses are frozen dataclasses of its settings."""

    offers: ClassVar[Offers]

    @property
    def uses_labels(self) -> frozenset[Literal["generator", "discriminator"]]:
        """Which of the nets are given the images' labels, with these settings."""
        return frozenset()

    def lacks(self, needs: Needs) -> list[str]:
        """What `needs` asks for and these nets, with these settings, can't give, in words."""
        return self.offers.missing(needs)

    @abstractmethod
    def refuses(self, shape: ImageShape) -> str | None:
        """Why images of this shape can't be had, in words; None if they can."""

    @abstractmethod
    def build(self, shape: ImageShape, classes: int | None, needs: Needs) -> Players:
        """Nets with fresh parameters, drawn from torch's global generator.

        torch's initialisers know no other source; the one caller seeds it in a fork of its own
        (`training.loop.build_players`).
        """


# ----------------------------------------------------------------------------------------------
# data


class KnownManifold(ABC):
    """Where the images of a made data set lie, in closed form: a frozen dataclass per family."""

    @property
    @abstractmethod
    def recipe(self) -> str:
        """All that the images follow from, seed and version included; fit for a file's name."""

    @property
    @abstractmethod
    def in_words(self) -> str:
        """What the images are, in one line for people."""


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a data set: all its images in one tensor.

    Images are uint8, as files hold them, or float32 in [0, 1] where they were made by a formula and
    8 bits would blur what is measured; all splits of a data set alike.
    """

    images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]
    labels: Int[Tensor, " n"] | None = None  # int64, 0 .. classes - 1

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three disjoint splits of images of one shape."""

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = field(
        default=()
    )  # what was done to the files, for the user and the record
    manifold: KnownManifold | None = None  # of images that were made by a formula

    @property
    def shape(self) -> ImageShape:
        """Channels, height, width of every image."""
        return ImageShape(*self.train.images.shape[1:])

    def split(self, name: str) -> Split:
        """The split called train, validation or test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


# --------------------------------------------------------------------------------- encoders,
# metrics

Log = Callable[[str], None]  # takes one line about long work


class Encoder(ABC):
    """Images in, features out. Two encoders with one `id` give the same features for the same
    images."""

    id: str  # its name, and a hash of weights and preprocessing
    note: str  # one line on how good it is, for the report
    knows_classes: bool = False  # whether it gives class probabilities
    resizes: bool = False  # whether it brings images to a square of its own, in colour
    is_fid: bool = False  # whether a Fréchet distance of its features may be called FID

    @classmethod
    def available(cls) -> str | None:
        """What is missing on this machine, and where to get it; None if the encoder can be had."""
        return None

    @classmethod
    @abstractmethod
    def refuses(cls, dataset: Dataset) -> str | None:
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


@dataclass(frozen=True)
class Output:
    """One number that a metric gives.

    Attributes:
        better: in which direction; "target" if it is best at `target`, and both sides are worse.
        unit: in words, with the range where that helps.
        target: of "target", where it is a fixed number.
        worst: the worst possible number, where there is one.
    """

    better: Literal["lower", "higher", "target"]
    unit: str
    target: float | None = None
    worst: float | None = None


class Value(NamedTuple):
    """A number, and the standard deviation it would have over new samples of the same size.

    `interval` is a 95 % interval over the same, of numbers for which value +- error is none (shares
    near 0 and 1). `details` are plain values, fit for JSON, that the number summarises (accuracy by
    class, a confusion matrix).
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
    read: Callable[[int, int], Tensor] | None = None  # features from .. to, not by way of the map
    manifold: KnownManifold | None = None  # of real images that were made by a formula
    generator: Generator | None = None  # what made fake images; not to be changed

    def __len__(self) -> int:
        return len(self.features)

    def parts(self, size: int) -> Iterator[Float[Tensor, "rows d"]]:
        """The features in order, `size` rows at a time; of a file no more than these are held."""
        for start in range(0, len(self), size):
            stop = start + size
            yield self.features[start:stop] if self.read is None else self.read(start, stop)


Want = Literal["probabilities", "labels", "images", "train", "generator", "density"]
# "density" beside "generator": one that gives the probability of an image.


class Metric(ABC):
    """One or more named numbers from two image sets. Final subclasses are frozen dataclasses of
    settings."""

    version: ClassVar[int] = 1  # of what `reference` gives: cached ones of another are not read
    costly: ClassVar[bool] = False  # whether `reference` takes so long that it is always cached
    sees_features: ClassVar[bool] = True  # whether it looks at features at all
    outputs: ClassVar[Mapping[str, Output]]
    over: ClassVar[str] = "new generated images"  # what the errors of its numbers are over
    wants: ClassVar[tuple[Want, ...]] = ()  # beyond features
    wants_for: ClassVar[Mapping[str, Want]] = {}  # of single outputs: without it they are not given

    @classmethod
    def refuses(cls, manifold: KnownManifold | None) -> str | None:
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
    ) -> Mapping[str, Value]:
        """The score of generated images against a reference, one per name in `outputs`, but for
        those whose want in `wants_for` was not met, and nothing where a density was wanted in vain.

        NaN where a feature is not finite. `rng` is fresh for each call and named after the metric,
        so that one metric more moves no other's draws.
        """
