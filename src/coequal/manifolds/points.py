"""Points in the plane, which a plot shows completely; Gaussians around known centres.

A point is an image of two channels and one pixel, (2, 1, 1): channel 0 is x and channel 1 is y,
each mapped from the field's usual coordinates to [0, 1] by (v + e) / 2e; each family names its e.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from coequal.contract import KnownManifold
from coequal.manifolds.modes import Assignment, KnownModes
from coequal.rng import Rng

VERSION = 1  # of what a seed draws


class Drawn(NamedTuple):
    """Members of a family.

    Attributes:
        points: points in the family's own coordinates.
        modes: mode of each point; None for a family without modes.
    """

    points: Float[Tensor, "n 2"]
    modes: Int[Tensor, " n"] | None


class Plane(KnownManifold):
    """Points in the plane around a known set, with isotropic Gaussian noise.

    Subclasses are frozen dataclasses of their parameters; `extent` and `deviation` are in the
    family's own coordinates.
    """

    name: ClassVar[str]
    extent: float
    deviation: float

    @abstractmethod
    def draw(self, count: int, rng: Rng) -> Drawn:
        """Draw members of the family.

        Args:
            count: number of members.
            rng: source of the draws.
        """

    @property
    def unit_deviation(self) -> float:
        """Standard deviation of the noise in image values, which are in [0, 1]."""
        return self.deviation / (2 * self.extent)

    @property
    def recipe(self) -> str:
        """Version of the draws, and the parameters."""
        parameters = (f"{value:g}" for value in vars(self).values())  # in the order of the fields
        return "-".join([self.name, f"{VERSION}", *parameters])

    @property
    def _map_description(self) -> str:
        e = self.extent
        return f"noise of {self.deviation:g}, x and y mapped by (v + {e:g}) / {2 * e:g}"

    def images(self, points: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2 1 1"]:
        """Return points in the family's own coordinates as images.

        Args:
            points: (n, 2) points.
        """
        return ((points + self.extent) / (2 * self.extent))[:, :, None, None]


class Mixture(Plane, KnownModes):
    """Gaussians of equal weight around known centres."""

    @property
    @abstractmethod
    def centres(self) -> Float[Tensor, "modes 2"]:
        """Centres in the family's own coordinates."""

    @property
    def names(self) -> tuple[str, ...]:
        """Coordinates x, y of each centre."""
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
        """Draw points in random order; the number of each mode is random too.

        Args:
            count: number of points.
            rng: source of the draws.
        """
        modes = rng.integers(len(self.centres), count)
        noise = self.deviation * rng.normal(count, 2)
        return Drawn(self.centres.to(noise.device)[modes] + noise, modes)


@dataclass(frozen=True)
class GaussianRing(Mixture):
    """Eight Gaussians of standard deviation 0.02 on a circle of radius 2; e = 2.5.

    Attributes:
        modes: number of Gaussians.
        radius: radius of the circle.
        deviation: standard deviation of each Gaussian.
        extent: e of the map to image values.

    Source: the ring of Srivastava et al. 2017 (VEEGAN, arXiv:1705.07761); radius and deviation as
    in the toy code of Gulrajani et al. 2017 (arXiv:1704.00028; read in its port caogang/wgan-gp),
    which divides both by 1.414.
    """

    name: ClassVar[str] = "gaussian_ring"
    modes: int = 8
    radius: float = 2.0
    deviation: float = 0.02
    extent: float = 2.5

    @property
    def description(self) -> str:
        """What the points are, in one line."""
        return (
            f"{self.modes} Gaussians on a circle of radius {self.radius:g}, {self._map_description}"
        )

    @property
    def centres(self) -> Tensor:
        """Anticlockwise from (radius, 0)."""
        angles = torch.arange(self.modes, dtype=torch.float64) * math.tau / self.modes
        return (self.radius * torch.stack([angles.cos(), angles.sin()], 1)).float()


@dataclass(frozen=True)
class GaussianGrid(Mixture):
    """Gaussians of standard deviation 0.05 on a grid of 5 x 5 with gaps of 2; e = 5.

    Attributes:
        side: number of Gaussians along each side.
        gap: distance between neighbours.
        deviation: standard deviation of each Gaussian.
        extent: e of the map to image values.

    Source: the grid of Srivastava et al. 2017 (VEEGAN, arXiv:1705.07761); gap and deviation as in
    the toy code of Gulrajani et al. 2017 (see `GaussianRing`), which divides both by 2.828.
    """

    name: ClassVar[str] = "gaussian_grid"
    side: int = 5
    gap: float = 2.0
    deviation: float = 0.05
    extent: float = 5.0

    @property
    def description(self) -> str:
        """What the points are, in one line."""
        grid = f"{self.side}x{self.side}"
        return f"Gaussians on a grid of {grid}, {self.gap:g} apart, {self._map_description}"

    @property
    def centres(self) -> Tensor:
        """Row by row from the least x and y."""
        line = self.gap * (torch.arange(self.side) - (self.side - 1) / 2)
        return torch.cartesian_prod(line, line)


def assign(images: Float[Tensor, "n 2 1 1"], parameters: Mapping[str, Tensor]) -> Assignment:
    """Return the nearest centre of each point.

    Args:
        images: (n, 2, 1, 1) points as images.
        parameters: a mixture's `parameters`.
    """
    gaps = distances(images.flatten(1).double(), parameters["centres"])
    nearest, mode = gaps.min(1)
    return Assignment(mode, (nearest / parameters["deviation"]).square())


def distances(points: Float[Tensor, "n 2"], others: Float[Tensor, "m 2"]) -> Tensor:
    """Return the distances of all pairs, (n, m).

    They are computed from differences, because products would lose what is measured here, 1e-3 of
    the coordinates.

    Args:
        points: (n, 2) points.
        others: (m, 2) points.
    """
    return torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")
