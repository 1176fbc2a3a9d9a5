"""The polygon closest to an image, and its squared distance.

Least squares on exact coverages, by Levenberg-Marquardt from several starts: the image's moments,
the nearest of a bank of members, and (with more than three vertices) the closest polygon of one
vertex fewer with one edge split.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from coequal.manifolds.polygons.convex import ConvexPolygons
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.inscribed import Inscribed
from coequal.manifolds.polygons.search import Best, begin, race
from coequal.manifolds.polygons.starts import anywhere, bank, by_moments, split_edges

Name = Literal["convex", "family"]
"""Which manifold: any convex polygon of the image, or the inscribed ones of the data."""

DELTA = 0.75  # squared distance up to which a sample counts as on the manifold (Lucic et al. 2018)
FAR_FACTOR = 5
"""Beyond this multiple of delta more effort does not change the answer."""
BANK_STARTS, BANK_STARTS_BESIDE_SPLITS = 4, 2
"""Starts from the bank for triangles, and for polygons of more vertices."""
MORE_BANK_STARTS, MORE_ANYWHERE_STARTS = 2, 4
"""Further starts where searches disagree."""
FAMILY_STARTS, MORE_FAMILY_STARTS = 2, 10
"""Starts from the bank for the polygons of the family itself."""
IMAGES_PER_BATCH = 1024


class Projection(NamedTuple):
    """The polygon closest to each image; all NaN and not certain for an image that is not finite.

    Attributes:
        squared: squared Euclidean distance over all pixels, with ink from 0 to 1; 0 is on the
            manifold.
        vertices: x (right) and y (down) of the closest polygon, in pixels.
        certain: whether there is evidence for the side of delta on which the image is: a polygon
            within delta was found, which proves it; or two searches from different starts ended at
            one distance (to 0.1 %); or all ended beyond five times delta, where further starts were
            never seen to help (docs/explanation/manifold.md has the figures). Only the first is a
            proof: a search for the smallest of many minima can miss it.
    """

    squared: Float[Tensor, " n"]
    vertices: Float[Tensor, "n k 2"]
    certain: Bool[Tensor, " n"]


def project(
    images: Float[Tensor, "n 1 size size"],
    family: PolygonFamily,
    manifold: Name = "convex",
    delta: float = DELTA,
) -> Projection:
    """Return the polygon closest to each image.

    `convex` means any convex polygon of the family's number of vertices within the image
    (`family.bounds`), of at least the family's smallest area, so that a blank image is not one.
    Vertices may coincide or lie on a line, and three of them in order turn the wrong way by at most
    1e-4 pixels. Among polygons of one smallest area, an additional vertex never increases the
    distance; but the families' smallest areas grow with their vertices. `family` means the members
    alone, a subset of these, which are inscribed in their circle and keep their gaps.

    Nothing is random: an image has one answer, up to rounding, whatever else is in the batch. The
    answer is never worse than the best of `bank(family)`. Time and memory are linear in images, at
    most 1,024 of which are in memory at once with their starts.

    Args:
        images: (n, 1, size, size) floats in [0, 1], ground 1, of the family's size, on any device.
        family: the number of vertices, the bounds, the smallest area and the members.
        manifold: `convex` or `family`.
        delta: squared distance up to which an image counts as on the manifold, above 0; the effort
            and `certain` depend on it.

    Raises:
        ValueError: the images have another shape or range, the manifold is unknown, or delta is not
            above 0.

    Source: Lucic et al. 2018, arXiv:1711.10337, section 5, which does not name a method. The method
    is Levenberg-Marquardt's; moments and splits are this project's.
    """
    _refuse(images, family, manifold, delta)
    search = _convex_projection if manifold == "convex" else _family_projection
    projections = [_project(part, family, search, delta) for part in images.split(IMAGES_PER_BATCH)]
    return Projection(*(torch.cat(parts) for parts in zip(*projections, strict=True)))


def _refuse(images: Tensor, family: PolygonFamily, manifold: str, delta: float) -> None:
    size = family.size
    if manifold not in get_args(Name):
        raise ValueError(f"the manifold is {' or '.join(get_args(Name))}, not '{manifold}'")
    if images.dim() != 4 or tuple(images.shape[1:]) != (1, size, size):
        raise ValueError(
            f"needs grey images (n, 1, {size}, {size}) of the family, got {tuple(images.shape)}"
        )
    if not images.is_floating_point() or ((images < 0) | (images > 1)).any():
        raise ValueError("needs images as floats in [0, 1]")
    if not delta > 0:
        raise ValueError(f"delta must be above 0, got {delta}")


Search = Callable[[Tensor, PolygonFamily, float], Best]


def _project(images: Tensor, family: PolygonFamily, search: Search, delta: float) -> Projection:
    ink = 1 - images[:, 0].float()
    broken = ~torch.isfinite(ink).flatten(1).all(1)
    best = search(ink.masked_fill(broken[:, None, None], 0), family, delta)
    certain = (best.least <= delta) | best.agree | (best.least > FAR_FACTOR * delta)
    return Projection(
        best.least.masked_fill(broken, torch.nan),
        best.vertices.masked_fill(broken[:, None, None], torch.nan),
        certain & ~broken,
    )


def _convex_projection(ink: Tensor, family: PolygonFamily, delta: float) -> Best:
    return closest_convex(ink, family, ConvexPolygons(family.bounds, family.least_area), delta)


def closest_convex(
    ink: Float[Tensor, "n size size"], family: PolygonFamily, rules: ConvexPolygons, delta: float
) -> Best:
    """Return the closest convex polygons by given rules.

    The rules are those of the family, or of one with more vertices, whose search begins from the
    answer for one vertex fewer by these rules.

    Args:
        ink: (n, size, size) fraction of ink of each pixel, in [0, 1].
        family: the number of vertices, and the members that searches start from.
        rules: which polygons are allowed.
        delta: squared distance up to which an image counts as on the manifold.
    """
    k = family.vertices
    best = Best(ink, k)
    sharp = (ink > 0.5).to(ink.dtype)
    starts = torch.stack([by_moments(ink, k), by_moments(sharp, k)], 1)
    rows, begun = begin(best, starts.flatten(2), ink, rules)
    if not len(rows):
        return best
    ink = ink[rows]
    first = BANK_STARTS if k == 3 else BANK_STARTS_BESIDE_SPLITS
    members = bank(family, device=ink.device)
    near = members.vertices[members.nearest(ink, first + MORE_BANK_STARTS)]
    starts = near[:, :first]
    if k > 3:
        fewer = closest_convex(ink, replace(family, vertices=k - 1), rules, delta)
        split = split_edges(fewer.vertices)
        starts = torch.cat([starts, split], 1)
        best.at_most(fewer.least, split[:, 0], rows)
    race(best, starts.flatten(2), begun, ink, rules, rows)
    least = best.least[rows]
    doubtful = ((least > delta) & (least <= FAR_FACTOR * delta) & ~best.agree[rows]).nonzero()[:, 0]
    if len(doubtful):
        pool = anywhere(family, ink.device)
        far = pool.vertices[pool.nearest(ink[doubtful], MORE_ANYWHERE_STARTS)]
        starts = torch.cat([near[doubtful, first:], far], 1)
        race(best, starts.flatten(2), None, ink[doubtful], rules, rows[doubtful])
    return best


def _family_projection(ink: Tensor, family: PolygonFamily, delta: float) -> Best:
    rules, best = Inscribed(family), Best(ink, family.vertices)
    members = bank(family, device=ink.device)
    near = members.nearest(ink, FAMILY_STARTS + MORE_FAMILY_STARTS)
    starts = rules.of(members.angles[near].flatten(0, 1)).unflatten(0, near.shape)
    rows, begun = begin(best, starts[:, :FAMILY_STARTS], ink, rules)
    race(best, starts[rows, FAMILY_STARTS:], begun, ink[rows], rules, rows)
    return best
