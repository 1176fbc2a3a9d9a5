"""The family of convex polygons of "Are GANs Created Equal?" (Lucic et al. 2018, section 5).

As in the authors' public notebook, k vertices lie on a circle, one in each of k equal segments, and
the polygon is moved so that the mean of its vertices is at the centre of the image; it is black (0)
on white (1).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.contract import KnownManifold
from coequal.manifolds.polygons.renderer import coverage
from coequal.rng import Rng

VERSION = 1  # of what a seed draws and how it is rendered
Mode = Literal["clean", "paper"]
SCALE = 0.375  # radius of the circle, as a fraction of the image's size
LEAST_GAP = 20.0  # degrees between neighbouring vertices
PAPER_TURN = math.tau  # degrees: the notebook converts radians to radians
VERTICES = (3, 8)


@dataclass(frozen=True)
class PolygonFamily(KnownManifold):
    """Polygons inscribed in a circle of 0.375 of the image's size.

    `clean` turns the polygon by any angle and keeps 20 degrees between neighbouring vertices.
    `paper` keeps two errors of the published notebook: it turns by at most 6.28 degrees, and the
    smallest gap is 10 degrees. Its polygons are also centred half a pixel further right and down,
    as the notebook samples them.

    Attributes:
        vertices: k, from 3 to 8.
        size: height and width of the images in pixels.
        mode: `clean` or `paper`, see above.
    """

    vertices: int = 3
    size: int = 28
    mode: Mode = "clean"

    def __post_init__(self) -> None:
        low, high = VERTICES
        if not low <= self.vertices <= high:
            raise ValueError(f"polygons have {low} to {high} vertices here, got {self.vertices}")
        if self.size < 8:
            raise ValueError(f"polygons need images of at least 8x8 pixels, got {self.size}")

    @property
    def recipe(self) -> str:
        """Version of renderer and draws, and the parameters."""
        return f"polygons-{VERSION}-{self.vertices}-{self.size}-{self.mode}"

    @property
    def description(self) -> str:
        """What the images are, in one line."""
        gap = LEAST_GAP if self.mode == "clean" else LEAST_GAP / 2
        turn = "any angle" if self.mode == "clean" else f"at most {PAPER_TURN:.2f} degrees"
        return (
            f"black polygons of {self.vertices} vertices on a circle of {self.radius:g} pixels, at "
            f"least {gap:g} degrees apart, turned by {turn}, on white {self.size}x{self.size} "
            f"({self.mode})"
        )

    @property
    def radius(self) -> float:
        """Radius of the circle in pixels."""
        return SCALE * self.size

    @property
    def centre(self) -> float:
        """Where the mean of the vertices is, in pixels from the left and from the top."""
        return self.size / 2 + (0.5 if self.mode == "paper" else 0.0)

    @property
    def segment(self) -> float:
        """Angle of the segment of each vertex, in radians."""
        return math.tau / self.vertices

    @property
    def offsets(self) -> tuple[float, float]:
        """Smallest and largest angle of a vertex within its segment, in radians."""
        half = math.radians(LEAST_GAP) / 2
        return half, self.segment - (half if self.mode == "clean" else 0.0)

    @property
    def turns(self) -> float:
        """Largest angle by which the polygon is turned, in radians."""
        return math.tau if self.mode == "clean" else math.radians(PAPER_TURN)

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest coordinate of a vertex inside the image, as the mode centres it."""
        return 0.0, self.size + (0.5 if self.mode == "paper" else 0.0)

    @cached_property
    def least_area(self) -> float:
        """Smallest area of any member, in square pixels.

        The area is R^2 / 2 times the sum of the sines of the gaps. It is smallest at a corner of
        the box of offsets: moving one offset changes two gaps of a fixed mean m and half difference
        d, whose sines sum to 2 sin(m) cos(d), and that decreases from d = 0 to both sides (m <= 180
        degrees).
        """
        low, high = self.offsets
        corners = torch.tensor(list(product((low, high), repeat=self.vertices)))
        gaps = corners.roll(-1, 1) - corners + self.segment
        return 0.5 * self.radius**2 * float(gaps.sin().sum(1).min())

    def draw(self, count: int, rng: Rng) -> Float[Tensor, "n k 2"]:
        """Draw members, as vertices of positive area with x to the right and y down, in pixels.

        Args:
            count: number of members.
            rng: source of the draws.
        """
        return self.at(self.draw_angles(count, rng))

    def draw_angles(self, count: int, rng: Rng) -> Float[Tensor, "n k"]:
        """Draw the angles of members' vertices on the circle, in radians, ascending.

        Args:
            count: number of members.
            rng: source of the draws.
        """
        low, high = self.offsets
        own = rng.uniform(count, self.vertices, low=low, high=high)
        turn = rng.uniform(count, 1, low=0.0, high=self.turns)
        return turn + own + self.segment * torch.arange(self.vertices, device=own.device)

    def at(self, angles: Float[Tensor, "n k"]) -> Float[Tensor, "n k 2"]:
        """Return the vertices at given angles on the circle, moved to the centre of the image.

        Args:
            angles: (n, k) angles in radians.
        """
        circle = self.radius * torch.stack([angles.cos(), angles.sin()], -1)
        return circle - circle.mean(1, keepdim=True) + self.centre

    def images(self, vertices: Float[Tensor, "n k 2"]) -> Float[Tensor, "n 1 size size"]:
        """Render any polygons as images of this size: black on white, exact up to rounding.

        Args:
            vertices: (n, k, 2) in pixels.
        """
        return (1 - coverage(vertices, self.size)).clamp_(0, 1)[:, None]
