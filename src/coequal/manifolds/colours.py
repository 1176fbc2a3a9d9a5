"""The family of coloured shapes: 4 shapes x 8 hues x 9 places = 288 modes on white 28x28 images.

Within a mode the shape moves by up to 0.75 pixels in x and y; nothing else changes, so the family
is completely known and the distance of any image to a mode can be computed.
"""

import colorsys
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from coequal.manifolds.modes import Assignment, KnownModes
from coequal.manifolds.polygons.renderer import area, coverage, fit
from coequal.rng import Rng

VERSION = 1  # of renderer and draws
SIZE = 28
SHAPES = ("triangle", "disc", "cross", "star")  # a disc is a polygon of 24 vertices
AREA = math.pi * 4**2  # square pixels, of every shape: a disc of radius 4
HUES = 8  # from red in equal steps, full saturation and value
LINES = (7.0, 14.0, 21.0)  # pixels from the left and from the top
PLACES = len(LINES) ** 2
JITTER = 0.75  # pixels, to each side
MODES = len(SHAPES) * HUES * PLACES
STARTS = (-0.5, 0.0, 0.5)  # pixels, in x and y: where the search for the nearest member begins
STEPS = 4  # evaluations of Gauss and Newton's method; more change no distance by 1e-4
IMAGES_PER_BATCH = 500


class Drawn(NamedTuple):
    """Members of the family.

    Attributes:
        modes: mode of each member.
        offsets: shift of each shape within its mode, in pixels.
    """

    modes: Int[Tensor, " n"]
    offsets: Float[Tensor, "n 2"]


@dataclass(frozen=True)
class ColourShapes(KnownModes):
    """Shape x hue x place, every combination with equal probability.

    A mode is (shape * 8 + hue) * 9 + place; places count row by row from the top left. The shape is
    moved within its mode by a uniform draw of up to 0.75 pixels to each side, in x and in y.
    """

    @property
    def recipe(self) -> str:
        """Version of renderer and draws; there are no parameters."""
        return f"colour_shapes-{VERSION}"

    @property
    def description(self) -> str:
        """What the images are, in one line."""
        return (
            f"{', '.join(SHAPES)} of {AREA:.1f} square pixels in {HUES} hues at {PLACES} places, "
            f"moved by up to {JITTER} pixels, on white {SIZE}x{SIZE}"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Shape, hue in degrees and place, such as "square 90 top left"."""
        rows, columns = ("top", "middle", "bottom"), ("left", "centre", "right")
        return tuple(
            f"{shape} {hue * 360 // HUES} {row} {column}"
            for shape in SHAPES
            for hue in range(HUES)
            for row in rows
            for column in columns
        )

    @property
    def parameters(self) -> Mapping[str, Tensor]:
        """Only `version`: `assign` knows the family."""
        return {"version": torch.tensor(VERSION)}

    def draw(self, count: int, rng: Rng) -> Drawn:
        """Draw members in random order; the number of each mode is random too.

        Args:
            count: number of members.
            rng: source of the draws.
        """
        modes = rng.integers(MODES, count)
        return Drawn(modes, rng.uniform(count, 2, low=-JITTER, high=JITTER))

    def images(self, drawn: Drawn) -> Float[Tensor, "n 3 28 28"]:
        """Render members exactly (up to rounding), with values in [0, 1].

        Args:
            drawn: the members.
        """
        masks = torch.empty(len(drawn.modes), SIZE, SIZE)
        shape, hue, place = _factors(drawn.modes)
        for index in range(len(SHAPES)):
            rows = shape == index
            masks[rows] = coverage(_vertices(index, place[rows], drawn.offsets[rows]), SIZE)
        return (1 - masks[:, None] * absorbed()[hue][:, :, None, None]).clamp_(0, 1)


def absorbed() -> Float[Tensor, "hues 3"]:
    """Return 1 - colour of each hue: what it takes from white in red, green and blue."""
    colours = [colorsys.hsv_to_rgb(hue / HUES, 1.0, 1.0) for hue in range(HUES)]
    return 1 - torch.tensor(colours)


def assign(images: Float[Tensor, "n 3 28 28"]) -> Assignment:
    """Return the nearest mode of each image and the squared distance to its nearest member.

    The mode is that of the nearest of nine members of each mode. Within it the nearest member is
    found by the Gauss-Newton method over the two offsets, which stay within the mode's bounds.

    Args:
        images: (n, 3, 28, 28) images in [0, 1].
    """
    assigned = [_assigned(part) for part in images.split(IMAGES_PER_BATCH)]
    return Assignment(*(torch.cat(parts) for parts in zip(*assigned, strict=True)))


def _factors(modes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Shape, hue, place."""
    return modes // (HUES * PLACES), modes // PLACES % HUES, modes % PLACES


def _vertices(shape: int, place: Tensor, offsets: Tensor) -> Tensor:
    """(n, k, 2) of one shape, in pixels."""
    lines = torch.tensor(LINES)
    centres = torch.stack([lines[place % len(LINES)], lines[place // len(LINES)]], 1)
    return (centres + offsets)[:, None] + _outlines()[shape]


@cache
def _outlines() -> tuple[Tensor, ...]:
    """(k, 2) vertices of each shape about (0, 0), of `AREA`; triangle and star point up."""
    arm, end = 1.0, 3.0  # a cross of five equal squares
    quarter = torch.tensor([(end, arm), (arm, arm), (arm, end)])
    turns = [quarter]
    for _ in range(3):
        turns.append(torch.stack([-turns[-1][:, 1], turns[-1][:, 0]], 1))
    raw = (
        _round(torch.ones(3)),
        _round(torch.ones(24)),
        torch.cat(turns),
        _round(torch.tensor([1.0, 0.5]).repeat(5)),
    )
    return tuple(outline * (AREA / area(outline[None])).sqrt() for outline in raw)


def _round(radii: Tensor) -> Tensor:
    """(k, 2): vertices at equal angles, the first one up."""
    angles = torch.arange(len(radii)) * math.tau / len(radii) - math.pi / 2
    return torch.stack([radii * angles.cos(), radii * angles.sin()], 1)


@cache
def _bank() -> tuple[Tensor, Tensor]:
    """(shapes * places * starts, pixels) masks of the nine members of each shape and place, and
    (starts, 2) their offsets."""
    starts = torch.cartesian_prod(torch.tensor(STARTS), torch.tensor(STARTS))
    place = torch.arange(PLACES).repeat_interleave(len(starts))
    offsets = starts.repeat(PLACES, 1)
    masks = [coverage(_vertices(index, place, offsets), SIZE) for index in range(len(SHAPES))]
    return torch.cat(masks).flatten(1), starts


def _assigned(images: Tensor) -> tuple[Tensor, Tensor]:
    """With D = 1 - image and k = 1 - colour, a member of mask m is |D - m k|^2 away: that is |D|^2
    - |k|^2 |T|^2 + |k|^2 |m - T|^2 with T = D.k / |k|^2, and only the last term depends on m."""
    masks, starts = _bank()
    dark = (1 - images).flatten(2)  # (n, 3, pixels)
    k = absorbed()
    weight = k.square().sum(1)
    cross = torch.einsum("ncb,hc->nhb", dark @ masks.T, k)
    bank = weight[:, None] * masks.square().sum(1) - 2 * cross  # + |D|^2, the same for all
    best = bank.flatten(1).argmin(1)
    hue, member = best // len(masks), best % len(masks)
    start, spot = member % len(starts), member // len(starts)
    shape, place = spot // PLACES, spot % PLACES
    target = torch.einsum("ncp,nc->np", dark, k[hue] / weight[hue, None])
    misfit = torch.empty(len(images))
    for index in range(len(SHAPES)):
        rows = shape == index
        if rows.any():
            wanted = target[rows].view(-1, SIZE, SIZE)
            misfit[rows] = _closest(index, place[rows], starts[start[rows]], wanted)
    apart = dark.double().square().sum((1, 2)) - weight[hue] * target.double().square().sum(1)
    squared = apart + weight[hue] * misfit  # the first is a square too, but for rounding
    return (shape * HUES + hue) * PLACES + place, squared.clamp(min=0)


def _closest(shape: int, place: Tensor, offsets: Tensor, target: Tensor) -> Tensor:
    """The least |m - T|^2 over the offsets of one shape at its places."""
    best = target.new_full((len(target),), math.inf)
    for _ in range(STEPS):
        fitted = fit(_vertices(shape, place, offsets), target)
        best = torch.minimum(best, fitted.squared)
        # All vertices move alike: derivatives by x and y are sums over them.
        slope = fitted.gradient.unflatten(1, (-1, 2)).sum(1)
        curvature = fitted.normal.unflatten(2, (-1, 2)).unflatten(1, (-1, 2)).sum((1, 3))
        free = offsets - torch.linalg.solve(curvature, slope)
        correction = free.clamp(-JITTER, JITTER) - free
        # Where one offset is at its bound, the other is optimised given that.
        other = correction.flip(1) * curvature[:, 0, 1, None] / curvature.diagonal(dim1=1, dim2=2)
        offsets = (free + correction - other).clamp(-JITTER, JITTER)
    return best
