"""What a training step works with: images, conditions, generators, discriminator outputs."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from coequal.rng import Rng


class ImageShape(NamedTuple):
    """Channels, height, width."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class Conditions:
    """What n images should be: of which class, or translated from which image.

    Attributes:
        labels: (n,) int64, the class of each image, or the domain that it is translated into; None
            if no class is asked for.
        sources: (n, c, h, w) in [0, 1], the image that each one is translated from; None if nothing
            is translated. Their size and channels may differ from those of the images.
    """

    labels: Int[Tensor, " n"] | None = None
    sources: Float[Tensor, "n c h w"] | None = None

    @classmethod
    def in_turn(cls, count: int, classes: int) -> "Conditions":
        """Every class in turn: 0, 1, ..., 0, 1, ...; no conditions for data without classes.

        Args:
            count: how many images.
            classes: how many classes the data has; 0 for data without any.
        """
        return cls(torch.arange(count) % classes) if classes else UNCONDITIONAL

    def __getitem__(self, rows: slice | Int[Tensor, " rows"]) -> "Conditions":
        """The conditions of some of the images."""
        labels, sources = self.labels, self.sources
        return Conditions(
            None if labels is None else labels[rows], None if sources is None else sources[rows]
        )

    def to(self, device: torch.device | str) -> "Conditions":
        """The same conditions on a device."""
        labels, sources = self.labels, self.sources
        return Conditions(
            None if labels is None else labels.to(device),
            None if sources is None else sources.to(device),
        )


UNCONDITIONAL = Conditions()
"""Any images."""


@dataclass(frozen=True, eq=False)  # eq=False: two batches are the same only if they are one object
class Samples:
    """A batch of n images, real or generated alike.

    Attributes:
        images: (n, c, h, w), in [0, 1].
        labels: as in `Conditions`: what the image is, or was asked to be.
        sources: as in `Conditions`: what the image was translated from.
    """

    images: Float[Tensor, "n c h w"]
    labels: Int[Tensor, " n"] | None = None
    sources: Float[Tensor, "n c h w"] | None = None

    @property
    def conditions(self) -> Conditions:
        """The labels and sources; given them, a generator makes counterparts of these images."""
        return Conditions(self.labels, self.sources)

    def at(self, images: Float[Tensor, "n c h w"]) -> "Samples":
        """Other images with the labels and sources of these (for the points of a penalty)."""
        return replace(self, images=images)


@dataclass(frozen=True, eq=False)
class GeneratorInput:
    """What a generator makes n images from.

    Attributes:
        latents: tensors of n rows each, as `Generator.latents` gives them. Every random number
            behind an image is in them.
        conditions: what the images should be. A generator uses those that it knows how to use.
    """

    latents: tuple[Tensor, ...]
    conditions: Conditions = UNCONDITIONAL


class Generator(nn.Module, ABC):
    """A deterministic map from latents and conditions to images in [0, 1].

    Attributes:
        support: the interval from which every number of the latents is drawn; None for a
            distribution without bounds, which is taken to be standard normal. It is used only to
            invert a generator.
        conditional: whether the labels asked for change its images.
    """

    support: tuple[float, float] | None = None
    conditional: bool = False

    @abstractmethod
    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """Fresh latents for `count` images, each with `count` rows."""

    @abstractmethod
    def forward(self, request: GeneratorInput) -> Samples:
        """The images, with the labels and sources that were asked for."""


class StochasticLayer(nn.Module):
    """A layer of a discriminator that draws random numbers in training (dropout).

    The loop gives it a random stream before the first step; without one it can't be trained.
    """

    rng: Rng | None = None

    @property
    def stream(self) -> Rng:
        """What it draws from."""
        if self.rng is None:
            raise RuntimeError(f"{type(self).__name__} draws in training, and has no stream")
        return self.rng


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
        """Natural logarithm of the probability of each image, with its pixels as 256 levels
        (level / 255); given its label if the generator is conditional."""


class DiscriminatorOutput(ABC):  # noqa: B024  (kinds share a meaning, not a method)
    """A discriminator's output for a batch: one final subclass per kind of head."""


@dataclass(frozen=True, eq=False)
class Logits(DiscriminatorOutput):
    """One unbounded number per image, and the features below it."""

    logits: Float[Tensor, " n"]
    features: Float[Tensor, "n d"]


@dataclass(frozen=True, eq=False)
class ClassLogits(Logits):
    """In addition, one unbounded number per class: an auxiliary classifier."""

    classes: Float[Tensor, "n classes"]


@dataclass(frozen=True, eq=False)
class Reconstruction(DiscriminatorOutput):
    """An autoencoder's output; `shown` is what the network saw, including the loop's noise."""

    shown: Float[Tensor, "n c h w"]
    images: Float[Tensor, "n c h w"]
    code: Float[Tensor, "n d"]


G = TypeVar("G", bound=Generator)
D = TypeVar("D", bound=DiscriminatorOutput)
D_co = TypeVar("D_co", bound=DiscriminatorOutput, covariant=True)


class Discriminate(Protocol[D_co]):
    """The discriminator as an objective sees it: samples in, output out, and access to nothing
    else."""

    def __call__(self, samples: Samples, /) -> D_co:
        """The output for a batch."""
        ...


def discriminate_with_gradient(
    discriminate: Discriminate[D], samples: Samples, of: Callable[[D], Tensor]
) -> tuple[D, Float[Tensor, "n values"]]:
    """The output for `samples`, and the gradient of `of(output)` with respect to each image, one
    row per image.

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
