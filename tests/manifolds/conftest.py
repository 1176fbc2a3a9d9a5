"""Generators whose inversion is known, and images that are near a manifold or far from it."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad

from coequal.contract import Generator, GeneratorInput, Samples
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.rng import Rng


class Affine(Generator):
    """x = A z + b as images of 1 x h x w; not clipped to [0, 1], so that the closed form holds."""

    def __init__(self, latents: int, side: int, support: tuple[float, float] | None) -> None:
        super().__init__()
        rng = Rng(3)
        self.matrix = nn.Parameter(0.1 * rng.normal(side * side, latents))
        self.shift = nn.Parameter(0.5 * torch.ones(side * side))
        self.side, self.support = side, support

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        size = self.matrix.shape[1]
        if self.support is None:
            return (rng.normal(count, size),)
        return (rng.uniform(count, size, low=self.support[0], high=self.support[1]),)

    def forward(self, request: GeneratorInput) -> Samples:
        flat = request.latents[0] @ self.matrix.T + self.shift
        return Samples(flat.view(-1, 1, self.side, self.side))


@pytest.fixture(scope="session")
def affine():
    return Affine


@pytest.fixture(scope="session")
def mush():
    """Mixtures of two polygons, blurred: what a half-trained generator makes of them."""

    def made(count, seed=0, k=3):
        family, rng = PolygonFamily(k), Rng(seed)
        one, other = (family.images(family.draw(count, rng)) for _ in range(2))
        share = rng.uniform(count, 1, 1, 1, low=0.6, high=0.9)
        mixed = torch.lerp(other, one, share)
        return avg_pool2d(pad(mixed, (1, 1, 1, 1), value=1.0), 3, 1)

    return made
