"""The polygon closest to an image, and its squared distance."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from coequal.manifolds.descent import Descent, descend
from coequal.manifolds.polygons import PolygonFamily
from coequal.manifolds.renderer import area
from coequal.manifolds.starts import anywhere, bank, by_moments
from coequal.rng import Rng
from coequal.seeds import seed_for

Name = Literal["convex", "family"]
"""Which manifold: any convex polygon of the image, or the inscribed ones of the data."""

DELTA = 0.75  # squared distance up to which a sample counts as on the manifold (Lucic et al. 2018)
FAR = 5  # times delta: beyond, more effort can't change what is said of an image
NEAR_STARTS, MORE_NEAR, MORE_ANYWHERE = 2, 2, 8
AGREE = 1e-3  # relative difference of two squared distances that are the same minimum
AT_ONCE = 256  # images


class Projection(NamedTuple):
    """Of each image the squared distance to the manifold, the closest polygon, and how sure it is.

    NaN, and not certain, for an image that is not finite. `certain` holds where a polygon within
    delta was found (which proves it), or where two different starts led to the same distance.
    """

    squared: Float[Tensor, " n"]
    vertices: Float[Tensor, "n k 2"]
    certain: Bool[Tensor, " n"]


def project(
    images: Float[Tensor, "n 1 size size"],
    family: PolygonFamily,
    delta: float = DELTA,
    manifold: Name = "convex",
) -> Projection:
    """The closest convex polygon to each image.

    Args:
        images: float32 in [0, 1], ground 1, of the family's size.
        family: says the number of vertices and the least area.
        delta: squared distance up to which an image counts; only the effort depends on it.
    """
    found = [_project(part, family, delta) for part in images.split(AT_ONCE)]
    return Projection(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def _project(images: Tensor, family: PolygonFamily, delta: float) -> Projection:
    ink = 1 - images[:, 0]
    broken = ~torch.isfinite(ink).flatten(1).all(1)
    ink = ink.masked_fill(broken[:, None, None], 0)
    k, members = family.vertices, bank(family)
    near = members.nearest(ink, NEAR_STARTS + MORE_NEAR)
    sharp = (ink > 0.5).to(ink.dtype)
    banked = members.vertices[near]
    first = [by_moments(ink, k)[:, None], by_moments(sharp, k)[:, None], banked[:, :NEAR_STARTS]]
    found = _search(torch.cat(first, 1), ink, family)
    least, second = _two_least(found.squared)
    rows = ((least > delta) & (least <= FAR * delta) & ~_agree(least, second)).nonzero()[:, 0]
    if len(rows):
        other = anywhere(family, len(rows) * MORE_ANYWHERE, Rng(seed_for("polygons", "anywhere")))
        more = [banked[rows, NEAR_STARTS:], other.view(len(rows), MORE_ANYWHERE, k, 2)]
        found = _with(found, _search(torch.cat(more, 1), ink[rows], family), rows)
        least, second = _two_least(found.squared)
    chosen = found.vertices[torch.arange(len(ink)), found.squared.argmin(1)]
    return Projection(
        least.masked_fill(broken, torch.nan),
        chosen.masked_fill(broken[:, None, None], torch.nan),
        ((least <= delta) | _agree(least, second)) & ~broken,
    )


def _with(found: Descent, more: Descent, rows: Tensor) -> Descent:
    """Further searches of some rows beside what was found for all."""
    count, each = len(found.squared), more.squared.shape[1]
    squared = found.squared.new_full((count, each), torch.inf)
    vertices = found.vertices.new_zeros(count, each, *found.vertices.shape[2:])
    squared[rows], vertices[rows] = more
    return Descent(torch.cat([found.squared, squared], 1), torch.cat([found.vertices, vertices], 1))


def _agree(least: Tensor, second: Tensor) -> Tensor:
    return second <= least * (1 + AGREE)


def _search(starts: Tensor, ink: Tensor, family: PolygonFamily) -> Descent:
    """(n, starts) squared distances and (n, starts, k, 2) polygons."""
    count, each = starts.shape[:2]
    found = descend(
        starts.flatten(0, 1),
        ink.repeat_interleave(each, 0),
        lambda vertices: allowed(vertices, family),
        family.bounds,
    )
    return Descent(
        found.squared.view(count, each), found.vertices.view(count, each, family.vertices, 2)
    )


def _two_least(squared: Tensor) -> tuple[Tensor, Tensor]:
    two = squared.topk(2, dim=1, largest=False).values
    return two[:, 0], two[:, 1]


def allowed(
    vertices: Float[Tensor, "n k 2"], family: PolygonFamily
) -> tuple[Float[Tensor, "n k 2"], Bool[Tensor, " n"]]:
    """Vertices moved into the image, the whole stretched to the least area where it is smaller, and
    whether that is then so.

    A blank image has no polygon that covers nothing: the least area is the family's own.
    """
    low, high = family.bounds
    inside = vertices.clamp(low, high)
    inside = torch.where(area(inside)[:, None, None] >= 0, inside, inside.flip(1))
    size = area(inside).clamp(min=1e-6)
    small = (size < family.least_area)[:, None, None]
    middle = inside.mean(1, keepdim=True)
    stretch = (family.least_area / size).sqrt().clamp(max=100)[:, None, None]
    larger = middle + (inside - middle) * (stretch * (1 + 1e-6))
    # Moved back into the image as a whole, as far as it is not larger than that.
    larger = larger + (low - larger.amin(1, keepdim=True)).clamp(min=0)
    larger = larger - (larger.amax(1, keepdim=True) - high).clamp(min=0)
    inside = torch.where(small, larger.clamp(low, high), inside)
    return inside, area(inside) >= family.least_area * (1 - 1e-5)
