"""Levenberg-Marquardt for many polygons at once, each towards its own image."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from coequal.manifolds.polygons.limits import Limits, best_step
from coequal.manifolds.polygons.renderer import Fit, fit

STEPS = 40
FIRST_DAMPING, LARGEST_DAMPING = 1e-2, 1e2
EASIER, HARDER = 0.2, 5.0  # damping after a step that helped, and after one that didn't
SMALL_GAIN, SMALL = 3e-5, 1e-9  # relative decrease, and squared distance, at which a search ends


class Coordinates(ABC):
    """Numbers x that say polygons, and which of them are allowed."""

    @abstractmethod
    def vertices(self, x: Float[Tensor, "n p"]) -> Float[Tensor, "n k 2"]:
        """The polygons."""

    @abstractmethod
    def pulled_back(self, x: Float[Tensor, "n p"], known: Fit) -> Fit:
        """Gradient and normal matrix by x, from those by the vertices."""

    @abstractmethod
    def limits(self, x: Float[Tensor, "n p"]) -> Limits:
        """What is allowed near x, to first order."""

    @abstractmethod
    def allowed(self, x: Float[Tensor, "n p"]) -> tuple[Float[Tensor, "n p"], Bool[Tensor, " n"]]:
        """The coordinates moved to allowed ones, themselves where they are allowed; and whether
        that could be done."""


class Descent(NamedTuple):
    """Where searches ended: the squared distance and the coordinates of each; infinite where the
    start could not be made allowed."""

    squared: Float[Tensor, " n"]
    x: Float[Tensor, "n p"]


def descend(
    start: Float[Tensor, "n p"],
    target: Float[Tensor, "n size size"],
    coordinates: Coordinates,
    steps: int = STEPS,
) -> Descent:
    """From each start downhill to a polygon whose image is close to its target.

    Never uphill: a step that doesn't help is not taken. Each search ends by itself, and costs
    nothing after that.

    Args:
        start: allowed or not; what isn't is made so first.
        target: the share of each pixel to be covered.
        coordinates: what the numbers mean.
        steps: at most.
    """
    x, valid = coordinates.allowed(start)
    known = _known(x, valid, target, coordinates)
    squared, best = known.squared.clone(), x.clone()
    live = (valid & (known.squared >= SMALL)).nonzero()[:, 0]
    x, known = x[live], Fit(*(part[live] for part in known))
    damping = torch.full_like(known.squared, FIRST_DAMPING)
    for _ in range(steps):
        if not len(live):
            break
        step = best_step(_damped(known.normal, damping), known.gradient, x, coordinates.limits(x))
        moved, valid = coordinates.allowed(x + step)
        tried = _known(moved, valid, target[live], coordinates)
        better = tried.squared < known.squared
        gain = (known.squared - tried.squared) / known.squared.clamp(min=SMALL)
        x = torch.where(better[:, None], moved, x)
        known = Fit(*(_where(better, new, old) for new, old in zip(tried, known, strict=True)))
        damping = torch.where(better, damping * EASIER, damping * HARDER)
        squared[live], best[live] = known.squared, x
        ended = (better & (gain < SMALL_GAIN)) | (known.squared < SMALL)
        on = ~(ended | (damping > LARGEST_DAMPING))
        live, x, damping = live[on], x[on], damping[on]
        known = Fit(*(part[on] for part in known))
    return Descent(squared, best)


def _known(x: Tensor, valid: Tensor, target: Tensor, coordinates: Coordinates) -> Fit:
    found = coordinates.pulled_back(x, fit(coordinates.vertices(x), target))
    return found._replace(squared=found.squared.masked_fill(~valid, torch.inf))


def _damped(normal: Tensor, damping: Tensor) -> Tensor:
    diagonal = normal.diagonal(dim1=1, dim2=2)
    largest = diagonal.amax(1, keepdim=True)
    # The last two terms keep the matrix regular where a polygon is degenerate.
    more = damping[:, None] * (diagonal + 1e-3 * largest) + 1e-5 * largest + 1e-4
    return normal + torch.diag_embed(more)


def _where(chosen: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(chosen.view(-1, *[1] * (new.dim() - 1)), new, old)
