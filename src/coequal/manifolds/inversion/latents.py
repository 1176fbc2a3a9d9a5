"""Latents without bounds for a search: free numbers that are mapped into the support of the prior.

Without it a search leaves the prior's support, finds images that the generator never makes, and
recall becomes a matter of patience.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.contract import Generator

INSIDE = 0.999  # starts are moved so far inside: on the edge the map is flat
BEYOND = 2.0  # of a normal law: its latents lie within sqrt(d) + 2 of the origin, but for 0.3 %


class Support(ABC):
    """Where the latents of a generator can be."""

    @abstractmethod
    def inside(self, free: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Latents of free numbers."""

    @abstractmethod
    def free(self, latents: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Free numbers of latents, moved inside a little where they are on the edge."""

    @property
    @abstractmethod
    def description(self) -> str:
        """For the protocol of a number."""


@dataclass(frozen=True)
class Box(Support):
    """Every number between two bounds: z = middle + half sin(u)."""

    low: float
    high: float

    def inside(self, free: Tensor) -> Tensor:
        """(n, d) within the bounds."""
        return (self.low + self.high) / 2 + (self.high - self.low) / 2 * free.sin()

    def free(self, latents: Tensor) -> Tensor:
        """(n, d), asin of the latents."""
        unit = (2 * latents - self.low - self.high) / (self.high - self.low)
        return (INSIDE * unit).asin()

    @property
    def description(self) -> str:
        """The bounds."""
        return f"each latent in [{self.low:g}, {self.high:g}]"


@dataclass(frozen=True)
class Ball(Support):
    """A radius around the origin: z = R u / sqrt(R^2 + |u|^2)."""

    radius: float

    def inside(self, free: Tensor) -> Tensor:
        """(n, d) within the radius."""
        squares = free.square().sum(1, keepdim=True)
        return self.radius * free * (self.radius**2 + squares).rsqrt()

    def free(self, latents: Tensor) -> Tensor:
        """(n, d), its inverse."""
        norms = latents.norm(dim=1, keepdim=True).clamp(min=1e-12)
        held = latents * (INSIDE * self.radius / norms).clamp(max=1)
        squares = held.square().sum(1, keepdim=True)
        found: Tensor = self.radius * held * (self.radius**2 - squares).rsqrt()
        return found

    @property
    def description(self) -> str:
        """The radius."""
        return f"latents within {self.radius:.1f} of the origin"


def support_of(generator: Generator, size: int) -> Support:
    """Where a search may look, of a generator with `size` latents an image."""
    if generator.support is not None:
        return Box(*generator.support)
    return Ball(math.sqrt(size) + BEYOND)


def split(flat: Float[Tensor, "n d"], like: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Rows of all numbers of an image as latents of the shapes of `like`."""
    parts = flat.split([part[0].numel() for part in like], dim=1)
    return tuple(
        part.reshape(len(flat), *shape.shape[1:]) for part, shape in zip(parts, like, strict=True)
    )


def joined(latents: tuple[Tensor, ...]) -> Float[Tensor, "n d"]:
    """Latents of several tensors as rows of all numbers of an image."""
    return torch.cat([part.flatten(1) for part in latents], 1)
