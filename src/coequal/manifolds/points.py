"""Families of points in the plane, where everything can be seen in a plot: Gaussians and curves.

A point is an image of two channels and one pixel, (2, 1, 1): channel 0 is x, channel 1 is y, each
mapped from the field's usual coordinates to [0, 1] by (v + e) / 2e; each family says its e.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from coequal.contract import KnownManifold
from coequal.manifolds.modes import Assignment, KnownModes
from coequal.rng import Rng

VERSION = 1  # of what a seed draws
SEGMENTS = 2000  # of the polyline that stands for a curve
CHUNK = 2000  # points at once, against all segments
NEWTON = 8  # steps; after these the arc length is right to rounding


class Drawn(NamedTuple):
    """Points in the family's own coordinates, and their modes where it has some."""

    points: Float[Tensor, "n 2"]
    modes: Int[Tensor, " n"] | None


class OnCurve(NamedTuple):
    """Of each point the distance to the curve, in standard deviations of the noise about it, and
    where its foot lies: 0 at the curve's beginning, 1 at its end, by arc length."""

    distance: Float[Tensor, " n"]
    place: Float[Tensor, " n"]


class Plane(KnownManifold):
    """Points in the plane around something known, with Gaussian noise alike in x and y.

    Subclasses are frozen dataclasses; `extent` and `deviation` are in the family's own coordinates.
    """

    extent: float
    deviation: float

    @abstractmethod
    def draw(self, count: int, rng: Rng) -> Drawn:
        """Members of the family."""

    @property
    def unit_deviation(self) -> float:
        """The noise in image values, which are in [0, 1]."""
        return self.deviation / (2 * self.extent)

    @property
    def _noise(self) -> str:
        return f"{self.deviation:g}-{self.extent:g}"

    @property
    def _map_in_words(self) -> str:
        e = self.extent
        return f"noise of {self.deviation:g}, x and y mapped by (v + {e:g}) / {2 * e:g}"

    def images(self, points: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2 1 1"]:
        """Points in the family's own coordinates as images."""
        return ((points + self.extent) / (2 * self.extent))[:, :, None, None]


class Mixture(Plane, KnownModes):
    """Gaussians of equal weight around known centres."""

    @property
    @abstractmethod
    def centres(self) -> Float[Tensor, "modes 2"]:
        """In the family's own coordinates."""

    @property
    def names(self) -> tuple[str, ...]:
        """Centres, as x, y."""
        rounded = self.centres.round(decimals=2) + 0.0  # -0 becomes 0
        return tuple(f"({x:g}, {y:g})" for x, y in rounded.tolist())

    @property
    def parameters(self) -> Mapping[str, Tensor]:
        """`centres` (modes, 2) and `deviation`, both in image values, float64."""
        return {
            "centres": self.images(self.centres).flatten(1).double(),
            "deviation": torch.tensor(self.unit_deviation, dtype=torch.float64),
        }

    def draw(self, count: int, rng: Rng) -> Drawn:
        """Points in random order; the number of each mode is random too."""
        modes = rng.integers(len(self.centres), count)
        noise = self.deviation * rng.normal(count, 2)
        return Drawn(self.centres.to(noise.device)[modes] + noise, modes)


@dataclass(frozen=True)
class GaussianRing(Mixture):
    """Eight Gaussians of standard deviation 0.02 on a circle of radius 2; e = 2.5.

    Source: the ring of Srivastava et al. 2017 (VEEGAN, arXiv:1705.07761); radius and deviation as
    in the toy code of Gulrajani et al. 2017 (arXiv:1704.00028; read in its port caogang/wgan-gp),
    which divides both by 1.414.
    """

    modes: int = 8
    radius: float = 2.0
    deviation: float = 0.02
    extent: float = 2.5

    @property
    def recipe(self) -> str:
        """Version of the draws, and the parameters."""
        return f"gaussian_ring-{VERSION}-{self.modes}-{self.radius:g}-{self._noise}"

    @property
    def in_words(self) -> str:
        """What the points are, in one line."""
        return f"{self.modes} Gaussians on a circle of radius {self.radius:g}, {self._map_in_words}"

    @property
    def centres(self) -> Tensor:
        """Anticlockwise from (radius, 0)."""
        angles = torch.arange(self.modes, dtype=torch.float64) * math.tau / self.modes
        return (self.radius * torch.stack([angles.cos(), angles.sin()], 1)).float()


@dataclass(frozen=True)
class GaussianGrid(Mixture):
    """Gaussians of standard deviation 0.05 on a grid of 5 x 5 with gaps of 2; e = 5.

    Source: the grid of Srivastava et al. 2017 (VEEGAN, arXiv:1705.07761); gap and deviation as in
    the toy code of Gulrajani et al. 2017 (see `GaussianRing`), which divides both by 2.828.
    """

    side: int = 5
    gap: float = 2.0
    deviation: float = 0.05
    extent: float = 5.0

    @property
    def recipe(self) -> str:
        """Version of the draws, and the parameters."""
        return f"gaussian_grid-{VERSION}-{self.side}-{self.gap:g}-{self._noise}"

    @property
    def in_words(self) -> str:
        """What the points are, in one line."""
        grid = f"{self.side}x{self.side}"
        return f"Gaussians on a grid of {grid}, {self.gap:g} apart, {self._map_in_words}"

    @property
    def centres(self) -> Tensor:
        """Row by row from the least x and y."""
        line = self.gap * (torch.arange(self.side) - (self.side - 1) / 2)
        return torch.cartesian_prod(line, line)


class Curve(Plane):
    """The curve t (cos t, sin t), Archimedes' spiral, from one angle t to another, with noise."""

    @property
    @abstractmethod
    def angles(self) -> tuple[float, float]:
        """First and last t, in radians."""

    @property
    def parameters(self) -> Mapping[str, Tensor]:
        """`curve` (2001, 2), at equal steps of arc length, and `deviation`, both in image values,
        float64."""
        first, last = (arc_length(torch.tensor(t, dtype=torch.float64)) for t in self.angles)
        steps = torch.linspace(0, 1, SEGMENTS + 1, dtype=torch.float64)
        vertices = on_spiral(angle_at(first + (last - first) * steps))
        return {
            "curve": self.images(vertices).flatten(1),
            "deviation": torch.tensor(self.unit_deviation, dtype=torch.float64),
        }

    def _noisy(self, angles: Tensor, rng: Rng) -> Drawn:
        points = on_spiral(angles.double()).float()
        return Drawn(points + self.deviation * rng.normal(len(points), 2), None)


@dataclass(frozen=True)
class Spiral(Curve):
    """Three turns from the centre, uniform by arc length, noise of 0.25; the arms are 2 pi apart;
    e = 21. Shape and noise are of this bench; no publication has just this one."""

    turns: float = 3.0
    deviation: float = 0.25
    extent: float = 21.0

    @property
    def recipe(self) -> str:
        """Version of the draws, and the parameters."""
        return f"spiral-{VERSION}-{self.turns:g}-{self._noise}"

    @property
    def in_words(self) -> str:
        """What the points are, in one line."""
        return f"a spiral of {self.turns:g} turns, uniform by arc length, {self._map_in_words}"

    @property
    def angles(self) -> tuple[float, float]:
        """From the centre."""
        return 0.0, self.turns * math.tau

    def draw(self, count: int, rng: Rng) -> Drawn:
        """Points in random order."""
        whole = arc_length(torch.tensor(self.angles[1], dtype=torch.float64))
        return self._noisy(angle_at(whole * rng.uniform(count).double()), rng)


@dataclass(frozen=True)
class SwissRoll(Curve):
    """From 1.5 pi to 4.5 pi, uniform by angle (so three times as dense inside as outside), noise of
    0.25; e = 16.

    Source: scikit-learn's `make_swiss_roll` without its second coordinate, noise as in the toy code
    of Gulrajani et al. 2017 (see `GaussianRing`), which divides all by 7.5.
    """

    deviation: float = 0.25
    extent: float = 16.0

    @property
    def recipe(self) -> str:
        """Version of the draws, and the parameters."""
        return f"swiss_roll-{VERSION}-{self._noise}"

    @property
    def in_words(self) -> str:
        """What the points are, in one line."""
        return f"a swiss roll from above, uniform by angle, {self._map_in_words}"

    @property
    def angles(self) -> tuple[float, float]:
        """One and a half turns."""
        return 1.5 * math.pi, 4.5 * math.pi

    def draw(self, count: int, rng: Rng) -> Drawn:
        """Points in random order."""
        first, last = self.angles
        return self._noisy(rng.uniform(count, low=first, high=last), rng)


def on_spiral(angles: Float[Tensor, " n"]) -> Float[Tensor, "n 2"]:
    """t (cos t, sin t)."""
    return torch.stack([angles * angles.cos(), angles * angles.sin()], 1)


def arc_length(angles: Tensor) -> Tensor:
    """Of the spiral from 0 to t: (t sqrt(1 + t^2) + asinh t) / 2."""
    return (angles * (1 + angles.square()).sqrt() + angles.asinh()) / 2


def angle_at(lengths: Tensor) -> Tensor:
    """The t at which the spiral from 0 is so long, float64; Newton's method, which only falls.

    The length is convex in t, and sqrt(2 s) is at or above the solution, as s >= t^2 / 2.
    """
    angles = (2 * lengths).sqrt()
    for _ in range(NEWTON):
        angles = angles - (arc_length(angles) - lengths) / (1 + angles.square()).sqrt()
    return angles


def assign(images: Float[Tensor, "n 2 1 1"], parameters: Mapping[str, Tensor]) -> Assignment:
    """The nearest centre of each point, by a mixture's `parameters`."""
    gaps = _distances(images.flatten(1).double(), parameters["centres"])
    nearest, mode = gaps.min(1)
    return Assignment(mode, (nearest / parameters["deviation"]).square())


def on_curve(images: Float[Tensor, "n 2 1 1"], parameters: Mapping[str, Tensor]) -> OnCurve:
    """The nearest place on the curve for each point, by a curve's `parameters`."""
    curve = parameters["curve"]
    found = [_foot(part, curve) for part in images.flatten(1).double().split(CHUNK)]
    distance, place = (torch.cat(parts) for parts in zip(*found, strict=True))
    return OnCurve(distance / parameters["deviation"], place / (len(curve) - 1))


def _foot(points: Tensor, curve: Tensor) -> tuple[Tensor, Tensor]:
    """Distance, and place in segments from the beginning, on the two segments at the nearest
    vertex."""
    vertex = _distances(points, curve).argmin(1)
    found = []
    for first in (vertex - 1, vertex):
        first = first.clamp(0, len(curve) - 2)
        along = curve[first + 1] - curve[first]
        share = ((points - curve[first]) * along).sum(1) / along.square().sum(1)
        share = share.clamp(0, 1)
        gap = (curve[first] + share[:, None] * along - points).square().sum(1).sqrt()
        found.append((gap, first + share))
    (before, place_before), (after, place_after) = found
    nearer = before < after
    return torch.minimum(before, after), torch.where(nearer, place_before, place_after)


def _distances(points: Tensor, others: Tensor) -> Tensor:
    # By differences: products would lose what is measured here, 1e-3 of the coordinates.
    return torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")
