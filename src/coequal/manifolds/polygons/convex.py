"""Convex polygons of the image: which are allowed, and how a polygon is made allowed."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from coequal.manifolds.polygons.descent import Coordinates
from coequal.manifolds.polygons.limits import Limits
from coequal.manifolds.polygons.renderer import Fit, area

TOLERANCE = 1e-4  # pixels by which three vertices may turn the wrong way
UNFOLDING_ROUNDS = 4
"""Rounds of moving vertices that point inwards onto the line between their neighbours."""


@dataclass(frozen=True)
class ConvexPolygons(Coordinates):
    """Convex polygons of k vertices within bounds and of at least some area.

    Several vertices may coincide or lie on a line. The coordinates are x and y of each vertex in
    turn, in pixels.

    Attributes:
        bounds: smallest and largest coordinate of a vertex.
        least_area: smallest area in square pixels. Without it, a blank image would have a polygon
            that covers nothing.
    """

    bounds: tuple[float, float]
    least_area: float

    def vertices(self, x: Float[Tensor, "n p"]) -> Float[Tensor, "n k 2"]:
        """Return the polygons with these coordinates."""
        return x.view(len(x), x.shape[1] // 2, 2)

    def pulled_back(self, x: Float[Tensor, "n p"], known: Fit) -> Fit:
        """Return the fit unchanged: the coordinates are those of the vertices."""
        return known

    def limits(self, x: Float[Tensor, "n p"]) -> Limits:
        """Return the limits: every vertex turns the right way (for triangles the area implies it),
        area and bounds."""
        vertices = self.vertices(x)
        k = vertices.shape[1]
        sizes, slopes = _area_limit(vertices, self.least_area)
        if k > 3:
            turns, turning = _turns(vertices)
            sizes, slopes = torch.cat([turns, sizes], 1), torch.cat([turning, slopes], 1)
        low, high = (x.new_full((2 * k,), end) for end in self.bounds)
        return Limits(sizes, slopes, low, high)

    def allowed(self, x: Float[Tensor, "n p"]) -> tuple[Float[Tensor, "n p"], Bool[Tensor, " n"]]:
        """Move vertices into the bounds and inward vertices onto the line between their neighbours,
        and enlarge polygons that are too small."""
        low, high = self.bounds
        inside = self.vertices(x).clamp(low, high)
        inside = torch.where(area(inside)[:, None, None] >= 0, inside, inside.flip(1))
        if inside.shape[1] > 3:
            inside = _unfolded(inside)
        inside = self._large_enough(inside)
        valid = (area(inside) >= self.least_area * (1 - 1e-5)) & is_convex(inside)
        return inside.flatten(1), valid

    def _large_enough(self, vertices: Tensor) -> Tensor:
        low, high = self.bounds
        size = area(vertices).clamp(min=1e-6)
        rows = (size < self.least_area).nonzero()[:, 0]
        if not len(rows):
            return vertices
        small = vertices[rows]
        middle = small.mean(1, keepdim=True)
        stretch = (self.least_area / size[rows]).sqrt().clamp(max=100)[:, None, None]
        larger = middle + (small - middle) * (stretch * (1 + 1e-6))
        # Moved back into the image as a whole, as far as it is not larger than that.
        larger = larger + (low - larger.amin(1, keepdim=True)).clamp(min=0)
        larger = larger - (larger.amax(1, keepdim=True) - high).clamp(min=0)
        return vertices.index_copy(0, rows, larger.clamp(low, high))


def is_convex(vertices: Float[Tensor, "n k 2"]) -> Bool[Tensor, " n"]:
    """Return whether polygons are convex and go around once.

    No three vertices in order may turn the wrong way by more than `TOLERANCE` (the height of their
    triangle on its longest side).

    Args:
        vertices: (n, k, 2) in pixels.
    """
    edges = vertices.roll(-1, 1) - vertices
    if vertices.shape[1] == 3:
        return area(vertices) > 0
    to = vertices[:, None] - vertices[:, :, None]  # (n, i, j, 2): from i to j
    turn = _cross(edges[:, :, None], to)
    longest = torch.maximum(to.norm(dim=-1), edges.norm(dim=-1)[:, :, None])
    right = (turn >= -TOLERANCE * longest).flatten(1).all(1)
    out = vertices - vertices.mean(1, keepdim=True)
    after = out.roll(-1, 1)
    around = torch.atan2(_cross(out, after), (out * after).sum(-1)).sum(1)
    return right & (around < 3 * math.pi) & (around > math.pi)


def _unfolded(vertices: Tensor) -> Tensor:
    k = vertices.shape[1]
    for _ in range(UNFOLDING_ROUNDS):
        edges = vertices - vertices.roll(1, 1)
        rows = (_cross(edges, edges.roll(-1, 1)) < 0).any(1).nonzero()[:, 0]
        if not len(rows):
            break
        bad = vertices[rows]
        for i in range(k):
            before, own, after = bad[:, i - 1], bad[:, i], bad[:, (i + 1) % k]
            chord = after - before
            along = ((own - before) * chord).sum(-1) / chord.square().sum(-1).clamp(min=1e-12)
            between = before + along.clamp(0, 1)[:, None] * chord
            inwards = _cross(own - before, after - own) < 0
            bad[:, i] = torch.where(inwards[:, None], between, own)
        vertices = vertices.index_copy(0, rows, bad)
    return vertices


def _turns(vertices: Tensor) -> tuple[Tensor, Tensor]:
    """(n, k) cross products of the edges at each vertex, and (n, k, 2k) their slopes."""
    count, k, _ = vertices.shape
    edges = vertices - vertices.roll(1, 1)  # that end at each vertex
    after = edges.roll(-1, 1)
    by_edge = torch.stack([after[..., 1], -after[..., 0]], -1)
    by_after = torch.stack([-edges[..., 1], edges[..., 0]], -1)
    slopes = vertices.new_zeros(count, k, k, 2)
    at = torch.arange(k, device=vertices.device)
    slopes[:, at, at - 1] = -by_edge
    slopes[:, at, at] = by_edge - by_after
    slopes[:, at, (at + 1) % k] = by_after
    return _cross(edges, after), slopes.view(count, k, 2 * k)


def _area_limit(vertices: Tensor, least: float) -> tuple[Tensor, Tensor]:
    chord = vertices.roll(-1, 1) - vertices.roll(1, 1)
    slopes = 0.5 * torch.stack([chord[..., 1], -chord[..., 0]], -1)
    return (area(vertices) - least)[:, None], slopes.flatten(1)[:, None]


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
