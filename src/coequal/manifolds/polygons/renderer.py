"""Polygons as images: how much of each pixel a polygon covers, exactly, and its exact derivative.

By Green's theorem the covered area of a pixel is an integral along the polygon's edges, and on each
edge only the piece inside the pixel and the pieces to its left (in the same row) count. That is the
method of font renderers, here in batches and differentiable.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

GUTTER = (
    -1e4
)  # coordinate from which ink to the left of the image counts for the pixels to its right
STEEP = 1e-7  # pixels; an edge along an axis is taken to lean by so much
POLYGONS_PER_BATCH = 64
"""As many polygons as have their pieces in the processor's cache."""


class Fit(NamedTuple):
    """How well a polygon's image fits a target, and what a least-squares step needs.

    The residual is r = coverage - target, and J is the derivative of the coverage by the vertices,
    x and y of each in turn.

    Attributes:
        squared: r'r.
        gradient: J'r.
        normal: J'J.
    """

    squared: Float[Tensor, " n"]
    gradient: Float[Tensor, "n 2k"]
    normal: Float[Tensor, "n 2k 2k"]


def area(vertices: Float[Tensor, "n k 2"]) -> Float[Tensor, " n"]:
    """Return the area in square pixels.

    It is above 0 if x cos + y sin grow with the index, with x to the right and y down.

    Args:
        vertices: (n, k, 2) in pixels.
    """
    x, y = vertices.unbind(-1)
    return 0.5 * (x * y.roll(-1, 1) - x.roll(-1, 1) * y).sum(1)


def coverage(vertices: Float[Tensor, "n k 2"], size: int) -> Float[Tensor, "n size size"]:
    """Return the fraction of each pixel that lies in the polygon, in [0, 1] up to rounding.

    Args:
        vertices: (n, k, 2), x (right) and y (down) in pixels; pixel (row, column) is the square
            from (column, row) to (column + 1, row + 1). Simple polygons of positive `area`.
        size: height and width of the images in pixels.
    """
    parts = [_covered(part, *_pieces(part, size)) for part in vertices.split(POLYGONS_PER_BATCH)]
    return torch.cat(parts)


def fit(vertices: Float[Tensor, "n k 2"], target: Float[Tensor, "n size size"]) -> Fit:
    """Return how well polygons fit their targets, with gradient and normal matrix.

    Args:
        vertices: (n, k, 2) in pixels.
        target: (n, size, size) fraction of each pixel to be covered, in [0, 1].
    """
    fits = [
        _fit(part, wanted)
        for part, wanted in zip(
            vertices.split(POLYGONS_PER_BATCH), target.split(POLYGONS_PER_BATCH), strict=True
        )
    ]
    return Fit(*(torch.cat(parts) for parts in zip(*fits, strict=True)))


def _fit(vertices: Tensor, target: Tensor) -> Fit:
    count, k, _ = vertices.shape
    m0, m1 = _pieces(vertices, target.shape[-1])
    # d coverage = sum over edges of cross(da, D) (m0 - m1) + cross(db, D) m1, with D = b - a. One
    # product of these pieces and the residual with themselves has all that is wanted.
    rows = vertices.new_empty(count, 2 * k + 1, *target.shape[1:])
    torch.sub(m0[..., 1:], m1[..., 1:], out=rows[:, :k])
    rows[:, k:-1] = m1[..., 1:]
    torch.sub(_covered(vertices, m0, m1), target, out=rows[:, -1])
    rows = rows.flatten(2)
    products = rows @ rows.mT
    turn = _turn(vertices)
    return Fit(
        products[:, -1, -1],
        (turn.mT @ products[:, :-1, -1:])[..., 0],
        turn.mT @ products[:, :-1, :-1] @ turn,
    )


def _turn(vertices: Tensor) -> Tensor:
    """(n, 2 k, 2 k): from moves of the vertices to weights of each edge's two pieces."""
    count, k, _ = vertices.shape
    edges = vertices.roll(-1, 1) - vertices
    across = torch.stack([edges[..., 1], -edges[..., 0]], -1)  # cross(d, D) = d . across
    turn = vertices.new_zeros(count, 2, k, k, 2)
    at = torch.arange(k, device=vertices.device)
    turn[:, 0, at, at] = across  # the edge's first vertex moves
    turn[:, 1, at, (at + 1) % k] = across  # the edge's second
    return turn.view(count, 2 * k, 2 * k)


def _pieces(vertices: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """For each edge a + s D the interval of s inside each pixel: its length and its integral of s.

    Both are (n, k, rows, 1 + columns); column 0 is the gutter.
    """
    edges = vertices.roll(-1, 1) - vertices
    edges = torch.where(edges.abs() < STEEP, STEEP, edges)
    lines = torch.arange(size + 1, dtype=vertices.dtype, device=vertices.device)
    columns = torch.cat([lines.new_full((1,), GUTTER), lines])
    across = (columns - vertices[..., :1]) / edges[..., :1]  # (n, k, columns + 2)
    down = (lines - vertices[..., 1:]) / edges[..., 1:]
    x0, x1 = (
        torch.minimum(across[..., :-1], across[..., 1:]),
        torch.maximum(across[..., :-1], across[..., 1:]),
    )
    y0, y1 = (
        torch.minimum(down[..., :-1], down[..., 1:]),
        torch.maximum(down[..., :-1], down[..., 1:]),
    )
    s0 = torch.maximum(x0.clamp(min=0)[..., None, :], y0[..., :, None])
    s1 = torch.minimum(x1.clamp(max=1)[..., None, :], y1[..., :, None])
    length = (s1 - s0).clamp_(min=0)
    return length, (s0 + s1).mul_(length).mul_(0.5)


def _covered(vertices: Tensor, m0: Tensor, m1: Tensor) -> Tensor:
    size = m0.shape[2]
    edges = vertices.roll(-1, 1) - vertices
    right = torch.arange(1, size + 1, dtype=vertices.dtype, device=vertices.device)
    weights = edges[..., 1]  # dy
    # sum over edges of dy m0, in each pixel and the gutter; then all to its left.
    rise = torch.einsum("nk,nkrc->nrc", weights, m0)
    cumulated = rise.cumsum(2)[..., :-1]
    own = (
        right * rise[..., 1:]
        - torch.einsum("nk,nkrc->nrc", weights * vertices[..., 0], m0[..., 1:])
        - torch.einsum("nk,nkrc->nrc", weights * edges[..., 0], m1[..., 1:])
    )
    return -(own + cumulated)
