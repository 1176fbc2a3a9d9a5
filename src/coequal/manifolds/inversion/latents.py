"""Unbounded coordinates for a search of latents, mapped into the support of the prior.

Without such a map a search leaves the support of the prior and finds images that the generator
never makes; recall would then only measure how long the search was.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.contract import Generator

EDGE_SHRINKAGE = 0.999
"""Starts on the edge of the support are moved inside by this factor, as the map is flat there."""
BALL_MARGIN = 2.0
"""Normal latents lie within sqrt(d) + 2 of the origin, except for 0.3 %."""


class Support(ABC):
    """The set that contains the latents of a generator."""

    @abstractmethod
    def inside(self, free: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Map unbounded coordinates to latents inside the support.

        Args:
            free: (n, d) any numbers.

        Returns:
            (n, d) latents.
        """

    @abstractmethod
    def free(self, latents: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Map latents to unbounded coordinates, after moving those on the edge slightly inside.

        Args:
            latents: (n, d) latents inside the support.

        Returns:
            (n, d) coordinates.
        """

    @property
    @abstractmethod
    def description(self) -> str:
        """Description for the protocol of a number."""


@dataclass(frozen=True)
class Box(Support):
    """Latents whose numbers all lie between two bounds: z = middle + half sin(u).

    Attributes:
        low: lower bound.
        high: upper bound.
    """

    low: float
    high: float

    def inside(self, free: Tensor) -> Tensor:
        """Return (n, d) latents within the bounds."""
        return (self.low + self.high) / 2 + (self.high - self.low) / 2 * free.sin()

    def free(self, latents: Tensor) -> Tensor:
        """Return the (n, d) coordinates of latents, by the inverse sine."""
        unit = (2 * latents - self.low - self.high) / (self.high - self.low)
        return (EDGE_SHRINKAGE * unit).asin()

    @property
    def description(self) -> str:
        """The bounds."""
        return f"each latent in [{self.low:g}, {self.high:g}]"


@dataclass(frozen=True)
class Ball(Support):
    """Latents within a radius around the origin: z = R u / sqrt(R^2 + |u|^2).

    Attributes:
        radius: R.
    """

    radius: float

    def inside(self, free: Tensor) -> Tensor:
        """Return (n, d) latents within the radius."""
        squares = free.square().sum(1, keepdim=True)
        return self.radius * free * (self.radius**2 + squares).rsqrt()

    def free(self, latents: Tensor) -> Tensor:
        """Return the (n, d) coordinates of latents, by the inverse map."""
        norms = latents.norm(dim=1, keepdim=True).clamp(min=1e-12)
        shrunk = latents * (EDGE_SHRINKAGE * self.radius / norms).clamp(max=1)
        squares = shrunk.square().sum(1, keepdim=True)
        free: Tensor = self.radius * shrunk * (self.radius**2 - squares).rsqrt()
        return free

    @property
    def description(self) -> str:
        """The radius."""
        return f"latents within {self.radius:.1f} of the origin"


def support_of(generator: Generator, size: int) -> Support:
    """Return the support that a search of a generator's latents is restricted to.

    Args:
        generator: the generator; without a declared support its latents are taken as normal.
        size: number of latents of one image.
    """
    if generator.support is not None:
        return Box(*generator.support)
    return Ball(math.sqrt(size) + BALL_MARGIN)


def split(flat: Float[Tensor, "n d"], like: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Split rows of all latents of an image into tensors.

    Args:
        flat: (n, d) latents, one row per image.
        like: tensors that have the shapes of the latents after the first dimension.
    """
    parts = flat.split([part[0].numel() for part in like], dim=1)
    return tuple(
        part.reshape(len(flat), *shape.shape[1:]) for part, shape in zip(parts, like, strict=True)
    )


def joined(latents: tuple[Tensor, ...]) -> Float[Tensor, "n d"]:
    """Join the latents of several tensors into one row per image.

    Args:
        latents: tensors with one entry per image.
    """
    return torch.cat([part.flatten(1) for part in latents], 1)
