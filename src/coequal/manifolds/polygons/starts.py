"""Where a search for the closest polygon begins: moments of the image, and a bank of polygons."""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from coequal.manifolds.polygons.family import PolygonFamily
from coequal.rng import Rng
from coequal.seeds import seed_for

BANK_SIZES = {3: 20_000}
"""Numbers of members in a bank by vertices; with more vertices searches also begin elsewhere."""
DEFAULT_BANK_SIZE = 5_000
BANK_SEED = 20_000
IMAGES_PER_BATCH = 256
MAX_CACHED_BANKS = 9
"""One for every number of vertices, and for one more family."""


class Bank(NamedTuple):
    """Polygons with their images, in rows for matrix products.

    Attributes:
        vertices: the polygons, in pixels.
        angles: angles of the vertices on the circle, in radians; meaningful for members of a family
            only.
        ink: fraction of ink of each pixel.
    """

    vertices: Float[Tensor, "m k 2"]
    angles: Float[Tensor, "m k"]
    ink: Float[Tensor, "m pixels"]

    def nearest(self, ink: Float[Tensor, "n size size"], count: int) -> Int[Tensor, "n count"]:
        """Return the rows nearest to each image, nearest first.

        They are ranked by float32 products, with ties within 1e-4.

        Args:
            ink: (n, size, size) fraction of ink of each pixel.
            count: number of rows for each image.
        """
        norms = self.ink.square().sum(1)
        indices = [
            torch.topk(norms - 2 * (part.flatten(1) @ self.ink.T), count, largest=False).indices
            for part in ink.split(IMAGES_PER_BATCH)
        ]
        return torch.cat(indices)


def bank(
    family: PolygonFamily,
    count: int | None = None,
    seed: int = BANK_SEED,
    device: torch.device | str = "cpu",
) -> Bank:
    """Return members of a family, identical at every call.

    Args:
        family: the family.
        count: number of members; None means as many as `project` starts from.
        seed: seed of the draws.
        device: device of the tensors; the members are identical on every device.
    """
    count = BANK_SIZES.get(family.vertices, DEFAULT_BANK_SIZE) if count is None else count
    return _bank(family, count, seed, torch.device(device))


@lru_cache(maxsize=MAX_CACHED_BANKS)
def _bank(family: PolygonFamily, count: int, seed: int, device: torch.device) -> Bank:
    angles = family.draw_angles(count, Rng(seed)).to(device)
    vertices = family.at(angles)
    return Bank(vertices, angles, 1 - family.images(vertices).flatten(1))


@lru_cache(maxsize=MAX_CACHED_BANKS)
def anywhere(family: PolygonFamily, device: torch.device) -> Bank:
    """Return polygons inscribed in circles of any place and size within the image, turned by any
    angle.

    Args:
        family: the number of vertices and the size of the images.
        device: device of the tensors.
    """
    rng, size, k = Rng(seed_for("polygons", "anywhere")), family.size, family.vertices
    gaps = rng.uniform(DEFAULT_BANK_SIZE, k) + 0.25
    angles = gaps.cumsum(1) / gaps.sum(1, keepdim=True) * math.tau
    angles = angles + rng.uniform(DEFAULT_BANK_SIZE, 1) * math.tau
    radius = (0.1 + 0.4 * rng.uniform(DEFAULT_BANK_SIZE, 1, 1)) * size
    middle = radius + (size - 2 * radius) * rng.uniform(DEFAULT_BANK_SIZE, 1, 2)
    vertices = middle + radius * torch.stack([angles.cos(), angles.sin()], -1)
    vertices = vertices.to(device)
    return Bank(vertices, angles.to(device), 1 - family.images(vertices).flatten(1))


def split_edges(vertices: Float[Tensor, "n j 2"]) -> Float[Tensor, "n j j+1 2"]:
    """Return each polygon with one additional vertex, in the middle of each edge in turn.

    The additional vertex does not change the shape.

    Args:
        vertices: (n, j, 2) in pixels.
    """
    j = vertices.shape[1]
    middles = (vertices + vertices.roll(-1, 1)) / 2
    splits = [
        torch.cat([vertices[:, : i + 1], middles[:, i : i + 1], vertices[:, i + 1 :]], 1)
        for i in range(j)
    ]
    return torch.stack(splits, 1)


def by_moments(ink: Float[Tensor, "n size size"], k: int) -> Float[Tensor, "n k 2"]:
    """Return the affine image of a regular k-gon that has the ink's mean and covariance.

    It is turned as its k-th moment says; for a triangle's own image this is the triangle. A regular
    k-gon of radius R has the covariance R^2 (2 + cos(2 pi / k)) / 12 along each axis. Images with
    hardly any ink give a point in the middle.

    Args:
        ink: (n, size, size) fraction of ink of each pixel, in [0, 1].
        k: number of vertices.
    """
    size = ink.shape[-1]
    at = torch.arange(size, dtype=ink.dtype, device=ink.device) + 0.5
    mass = ink.sum((1, 2)).clamp(min=1e-3)
    mean = torch.stack([(ink.sum(1) @ at) / mass, (ink.sum(2) @ at) / mass], 1)
    x = at - mean[:, :1]  # (n, size)
    y = at - mean[:, 1:]
    xx = torch.einsum("nrc,nc->n", ink, x.square()) / mass
    yy = torch.einsum("nrc,nr->n", ink, y.square()) / mass
    xy = torch.einsum("nrc,nr,nc->n", ink, y, x) / mass
    box = 1 / 12  # variance within a pixel
    spread = torch.stack([torch.stack([xx - box, xy], 1), torch.stack([xy, yy - box], 1)], 1)
    values, axes = torch.linalg.eigh(spread)
    root = values.clamp(min=1e-2).sqrt()
    half = axes * root[:, None] @ axes.mT  # the square root of the covariance
    whiten = axes / root[:, None] @ axes.mT
    grid_x, grid_y = x[:, None, :].expand(ink.shape), y[:, :, None].expand(ink.shape)
    white_x = whiten[:, 0, 0, None, None] * grid_x + whiten[:, 0, 1, None, None] * grid_y
    white_y = whiten[:, 1, 0, None, None] * grid_x + whiten[:, 1, 1, None, None] * grid_y
    moment = (ink * torch.complex(white_x, white_y) ** k).sum((1, 2))
    turns = moment.angle()[:, None] / k + math.tau / k * torch.arange(k, device=ink.device)
    radius = math.sqrt(12 / (2 + math.cos(math.tau / k)))
    corners = radius * torch.stack([turns.cos(), turns.sin()], -1)
    vertices: Tensor = mean[:, None] + corners @ half.mT
    return vertices
