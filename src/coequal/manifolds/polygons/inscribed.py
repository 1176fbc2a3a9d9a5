"""The polygons of the family itself, inscribed in its circle."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from coequal.manifolds.polygons.descent import Coordinates
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.limits import Limits
from coequal.manifolds.polygons.renderer import Fit


@dataclass(frozen=True)
class Inscribed(Coordinates):
    """Members of a family.

    The coordinates are the angle by which the polygon is turned and each vertex's angle within its
    segment, in radians. This is one number more than a member has degrees of freedom: the turn only
    keeps the vertices together, so that no member lies at an end of it (as it would if the turn
    were a vertex's angle), and no vertex needs to be the first.

    Attributes:
        family: the family.
    """

    family: PolygonFamily

    def vertices(self, x: Float[Tensor, "n p"]) -> Float[Tensor, "n k 2"]:
        """Return the polygons with these coordinates."""
        return self.family.at(self._angles(x))

    def pulled_back(self, x: Float[Tensor, "n p"], known: Fit) -> Fit:
        """Return the fit by these coordinates, by the chain rule."""
        angles = self._angles(x)
        count, k = angles.shape
        moves = self.family.radius * torch.stack([-angles.sin(), angles.cos()], -1)
        # The mean stays at the centre: a vertex that moves by m moves all by -m / k too.
        centring = torch.eye(k).to(x) - 1 / k
        by_angle = torch.einsum("ij,njc->nicj", centring, moves).reshape(count, 2 * k, k)
        slopes = torch.cat([by_angle.sum(2, keepdim=True), by_angle], 2)
        gradient = (slopes.mT @ known.gradient[..., None])[..., 0]
        return Fit(known.squared, gradient, slopes.mT @ known.normal @ slopes)

    def limits(self, x: Float[Tensor, "n p"]) -> Limits:
        """Return the box of the turn and the angles."""
        least, most = self._turns
        low, high = self.family.offsets
        ends = [
            x.new_tensor([end, *[own] * self.family.vertices])
            for end, own in ((least, low), (most, high))
        ]
        return Limits(x.new_zeros(len(x), 0), x.new_zeros(len(x), 0, x.shape[1]), *ends)

    def allowed(self, x: Float[Tensor, "n p"]) -> tuple[Float[Tensor, "n p"], Bool[Tensor, " n"]]:
        """Move the angles into the box, and the turn into the middle of what the angles allow."""
        low, high = self.family.offsets
        least, most = self._turns
        turn = x[:, :1].clamp(least, most)
        angles = turn + x[:, 1:].clamp(low, high)
        from_low = (angles.amax(1, keepdim=True) - high).clamp(least, most)
        to_high = (angles.amin(1, keepdim=True) - low).clamp(least, most)
        turn = (from_low + to_high) / 2
        return torch.cat([turn, angles - turn], 1), torch.isfinite(x).all(1)

    def of(self, angles: Float[Tensor, "n k"]) -> Float[Tensor, "n p"]:
        """Return the coordinates of members with given angles of their vertices on the circle.

        Args:
            angles: (n, k) angles in radians.
        """
        own = angles - self.family.segment * torch.arange(angles.shape[1]).to(angles)
        low, high = self.family.offsets
        turn = (own.amax(1, keepdim=True) - high + own.amin(1, keepdim=True) - low) / 2
        turn = turn.clamp(*self._turns)
        return torch.cat([turn, own - turn], 1)

    @property
    def _turns(self) -> tuple[float, float]:
        """Ends of the turn; there are none where any angle is allowed, as a whole turn gives the
        same polygon."""
        free = self.family.mode == "clean"
        return (-torch.inf, torch.inf) if free else (0.0, self.family.turns)

    def _angles(self, x: Tensor) -> Tensor:
        own = x[:, :1] + x[:, 1:]
        return own + self.family.segment * torch.arange(own.shape[1]).to(x)
