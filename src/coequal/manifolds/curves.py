"""Points in the plane around a known curve: two pieces of Archimedes' spiral.

Images and coordinates are those of `manifolds.points`.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.manifolds.points import Drawn, Plane, distances
from coequal.rng import Rng

SEGMENTS = 2000  # of the polyline that stands for a curve
POINTS_PER_BATCH = 2000
NEWTON_STEPS = 8
"""After these the arc length is right to rounding."""


class OnCurve(NamedTuple):
    """Projection of points onto a curve.

    Attributes:
        distance: distance to the curve, in standard deviations of the noise around it.
        place: position of the nearest point of the curve, by arc length: 0 at its beginning, 1 at
            its end.
    """

    distance: Float[Tensor, " n"]
    place: Float[Tensor, " n"]


class Curve(Plane):
    """The curve t (cos t, sin t), Archimedes' spiral, between two angles t, with noise."""

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
    """Three turns from the centre, uniform by arc length, with noise of 0.25.

    The arms are 2 pi apart, and e = 21. Shape and noise are this project's; no publication has
    exactly these.

    Attributes:
        turns: number of turns.
        deviation: standard deviation of the noise.
        extent: e of the map to image values.
    """

    name: ClassVar[str] = "spiral"
    turns: float = 3.0
    deviation: float = 0.25
    extent: float = 21.0

    @property
    def description(self) -> str:
        """What the points are, in one line."""
        return f"a spiral of {self.turns:g} turns, uniform by arc length, {self._map_description}"

    @property
    def angles(self) -> tuple[float, float]:
        """From the centre."""
        return 0.0, self.turns * math.tau

    def draw(self, count: int, rng: Rng) -> Drawn:
        """Draw points in random order.

        Args:
            count: number of points.
            rng: source of the draws.
        """
        whole = arc_length(torch.tensor(self.angles[1], dtype=torch.float64))
        return self._noisy(angle_at(whole * rng.uniform(count).double()), rng)


@dataclass(frozen=True)
class SwissRoll(Curve):
    """The spiral from 1.5 pi to 4.5 pi, uniform by angle, with noise of 0.25.

    It is three times as dense inside as outside, and e = 16.

    Attributes:
        deviation: standard deviation of the noise.
        extent: e of the map to image values.

    Source: scikit-learn's `make_swiss_roll` without its second coordinate, noise as in the toy code
    of Gulrajani et al. 2017 (see `GaussianRing`), which divides everything by 7.5.
    """

    name: ClassVar[str] = "swiss_roll"
    deviation: float = 0.25
    extent: float = 16.0

    @property
    def description(self) -> str:
        """What the points are, in one line."""
        return f"a swiss roll from above, uniform by angle, {self._map_description}"

    @property
    def angles(self) -> tuple[float, float]:
        """One and a half turns."""
        return 1.5 * math.pi, 4.5 * math.pi

    def draw(self, count: int, rng: Rng) -> Drawn:
        """Draw points in random order.

        Args:
            count: number of points.
            rng: source of the draws.
        """
        first, last = self.angles
        return self._noisy(rng.uniform(count, low=first, high=last), rng)


def on_spiral(angles: Float[Tensor, " n"]) -> Float[Tensor, "n 2"]:
    """Return the points t (cos t, sin t).

    Args:
        angles: (n,) t in radians.
    """
    return torch.stack([angles * angles.cos(), angles * angles.sin()], 1)


def arc_length(angles: Tensor) -> Tensor:
    """Return the length of the spiral from 0 to t: (t sqrt(1 + t^2) + asinh t) / 2.

    Args:
        angles: t in radians.
    """
    return (angles * (1 + angles.square()).sqrt() + angles.asinh()) / 2


def angle_at(lengths: Tensor) -> Tensor:
    """Return the angle t at which the spiral from 0 has a given length, float64.

    Newton's method descends monotonically: the length is convex in t, and sqrt(2 s) is at or above
    the solution, as s >= t^2 / 2.

    Args:
        lengths: (n,) lengths s, at or above 0.
    """
    angles = (2 * lengths).sqrt()
    for _ in range(NEWTON_STEPS):
        angles = angles - (arc_length(angles) - lengths) / (1 + angles.square()).sqrt()
    return angles


def on_curve(images: Float[Tensor, "n 2 1 1"], parameters: Mapping[str, Tensor]) -> OnCurve:
    """Return the nearest place on the curve for each point.

    Args:
        images: (n, 2, 1, 1) points as images.
        parameters: a curve's `parameters`.
    """
    curve = parameters["curve"]
    feet = [_foot(part, curve) for part in images.flatten(1).double().split(POINTS_PER_BATCH)]
    distance, place = (torch.cat(parts) for parts in zip(*feet, strict=True))
    return OnCurve(distance / parameters["deviation"], place / (len(curve) - 1))


def _foot(points: Tensor, curve: Tensor) -> tuple[Tensor, Tensor]:
    """Distance, and place in segments from the beginning, on the two segments at the nearest
    vertex."""
    vertex = distances(points, curve).argmin(1)
    candidates = []
    for first in (vertex - 1, vertex):
        first = first.clamp(0, len(curve) - 2)
        along = curve[first + 1] - curve[first]
        fraction = ((points - curve[first]) * along).sum(1) / along.square().sum(1)
        fraction = fraction.clamp(0, 1)
        gap = (curve[first] + fraction[:, None] * along - points).square().sum(1).sqrt()
        candidates.append((gap, first + fraction))
    (before, place_before), (after, place_after) = candidates
    nearer = before < after
    return torch.minimum(before, after), torch.where(nearer, place_before, place_after)
