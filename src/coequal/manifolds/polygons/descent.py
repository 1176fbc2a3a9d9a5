"""Levenberg-Marquardt for many polygons at once, each towards its own image."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from coequal.manifolds.polygons.limits import Limits, best_step
from coequal.manifolds.polygons.renderer import Fit, fit

MAX_STEPS = 40
FIRST_DAMPING, MAX_DAMPING = 1e-2, 1e2
DAMPING_DECREASE, DAMPING_INCREASE = 0.2, 5.0
"""Factors of the damping after a step that helped, and after one that did not."""
MIN_RELATIVE_GAIN, MIN_SQUARED_DISTANCE = 3e-5, 1e-9
"""A search ends at a smaller relative decrease, or at a smaller squared distance."""


class Coordinates(ABC):
    """Numbers x that describe polygons, and which of them are allowed."""

    @abstractmethod
    def vertices(self, x: Float[Tensor, "n p"]) -> Float[Tensor, "n k 2"]:
        """Return the polygons with these coordinates.

        Args:
            x: (n, p) coordinates.
        """

    @abstractmethod
    def pulled_back(self, x: Float[Tensor, "n p"], known: Fit) -> Fit:
        """Return the fit with gradient and normal matrix by x, from those by the vertices.

        Args:
            x: (n, p) coordinates.
            known: the fit by the vertices at x.
        """

    @abstractmethod
    def limits(self, x: Float[Tensor, "n p"]) -> Limits:
        """Return what is allowed near x, to first order.

        Args:
            x: (n, p) coordinates.
        """

    @abstractmethod
    def allowed(self, x: Float[Tensor, "n p"]) -> tuple[Float[Tensor, "n p"], Bool[Tensor, " n"]]:
        """Move coordinates to allowed ones; allowed coordinates do not change.

        Args:
            x: (n, p) coordinates.

        Returns:
            (n, p) coordinates, and (n,) whether they could be made allowed.
        """


class Descent(NamedTuple):
    """Where searches ended.

    Attributes:
        squared: squared distance of each search; infinite where the start could not be made
            allowed.
        x: coordinates of each search.
    """

    squared: Float[Tensor, " n"]
    x: Float[Tensor, "n p"]


def descend(
    start: Float[Tensor, "n p"],
    target: Float[Tensor, "n size size"],
    coordinates: Coordinates,
    steps: int = MAX_STEPS,
) -> Descent:
    """Move from each start downhill to a polygon whose image is close to its target.

    A step that does not help is not taken. Each search ends by itself, and costs nothing after
    that.

    Args:
        start: (n, p) coordinates; those that are not allowed are made allowed first.
        target: (n, size, size) fraction of each pixel to be covered, in [0, 1].
        coordinates: meaning of the coordinates.
        steps: largest number of steps.
    """
    x, valid = coordinates.allowed(start)
    known = _known(x, valid, target, coordinates)
    squared, best = known.squared.clone(), x.clone()
    live = (valid & (known.squared >= MIN_SQUARED_DISTANCE)).nonzero()[:, 0]
    x, known = x[live], Fit(*(part[live] for part in known))
    damping = torch.full_like(known.squared, FIRST_DAMPING)
    for _ in range(steps):
        if not len(live):
            break
        step = best_step(_damped(known.normal, damping), known.gradient, x, coordinates.limits(x))
        moved, valid = coordinates.allowed(x + step)
        tried = _known(moved, valid, target[live], coordinates)
        better = tried.squared < known.squared
        gain = (known.squared - tried.squared) / known.squared.clamp(min=MIN_SQUARED_DISTANCE)
        x = torch.where(better[:, None], moved, x)
        known = Fit(*(_where(better, new, old) for new, old in zip(tried, known, strict=True)))
        damping = torch.where(better, damping * DAMPING_DECREASE, damping * DAMPING_INCREASE)
        squared[live], best[live] = known.squared, x
        ended = (better & (gain < MIN_RELATIVE_GAIN)) | (known.squared < MIN_SQUARED_DISTANCE)
        on = ~(ended | (damping > MAX_DAMPING))
        live, x, damping = live[on], x[on], damping[on]
        known = Fit(*(part[on] for part in known))
    return Descent(squared, best)


def _known(x: Tensor, valid: Tensor, target: Tensor, coordinates: Coordinates) -> Fit:
    fitted = coordinates.pulled_back(x, fit(coordinates.vertices(x), target))
    return fitted._replace(squared=fitted.squared.masked_fill(~valid, torch.inf))


def _damped(normal: Tensor, damping: Tensor) -> Tensor:
    diagonal = normal.diagonal(dim1=1, dim2=2)
    largest = diagonal.amax(1, keepdim=True)
    # The last two terms keep the matrix regular where a polygon is degenerate.
    more = damping[:, None] * (diagonal + 1e-3 * largest) + 1e-5 * largest + 1e-4
    return normal + torch.diag_embed(more)


def _where(chosen: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(chosen.view(-1, *[1] * (new.dim() - 1)), new, old)
