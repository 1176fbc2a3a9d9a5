"""Levenberg-Marquardt for many polygons at once, each towards its own image."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.manifolds.renderer import Fit, fit

STEPS = 40
FIRST_DAMPING, LARGEST_DAMPING = 1e-2, 1e4
EASIER, HARDER = 0.2, 5.0  # damping after a step that helped, and after one that didn't
SMALL_GAIN, SMALL = 1e-5, 1e-9  # relative decrease, and squared distance, at which a search ends

Feasible = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Vertices (n, k, 2) to allowed ones, themselves where they are allowed; and whether that could be
done (n)."""


class Descent(NamedTuple):
    """Where searches ended: the squared distance and the polygon of each; infinite where the start
    could not be made allowed."""

    squared: Float[Tensor, " n"]
    vertices: Float[Tensor, "n k 2"]


def descend(
    start: Float[Tensor, "n k 2"],
    target: Float[Tensor, "n size size"],
    feasible: Feasible,
    bounds: tuple[float, float],
) -> Descent:
    """From each start downhill to a polygon whose image is close to its target.

    Never uphill: a step that doesn't help is not taken. Each search ends by itself, and costs
    nothing after that.

    Args:
        start: allowed or not; what isn't is made so first.
        target: the share of each pixel to be covered.
        feasible: what is allowed.
        bounds: least and largest coordinate; one that lies on a bound and is drawn outwards rests.
    """
    vertices, valid = feasible(start)
    known = _known(vertices, valid, target)
    squared = known.squared.clone()
    best = vertices.clone()
    live = valid.nonzero()[:, 0]
    vertices, known = vertices[live], Fit(*(part[live] for part in known))
    damping = torch.full_like(known.squared, FIRST_DAMPING)
    for _ in range(STEPS):
        if not len(live):
            break
        moved, valid = feasible(vertices + _step(vertices, known, damping, bounds))
        tried = _known(moved, valid, target[live])
        better = tried.squared < known.squared
        gain = (known.squared - tried.squared) / known.squared.clamp(min=SMALL)
        vertices = torch.where(better[:, None, None], moved, vertices)
        known = Fit(*(_where(better, new, old) for new, old in zip(tried, known, strict=True)))
        damping = torch.where(better, damping * EASIER, damping * HARDER)
        squared[live], best[live] = known.squared, vertices
        ended = (better & (gain < SMALL_GAIN)) | (known.squared < SMALL)
        on = ~(ended | (damping > LARGEST_DAMPING))
        live, vertices, damping = live[on], vertices[on], damping[on]
        known = Fit(*(part[on] for part in known))
    return Descent(squared, best)


def _known(vertices: Tensor, valid: Tensor, target: Tensor) -> Fit:
    found = fit(vertices, target)
    return found._replace(squared=found.squared.masked_fill(~valid, torch.inf))


def _step(
    vertices: Tensor, known: Fit, damping: Tensor, bounds: tuple[float, float]
) -> Float[Tensor, "n k 2"]:
    flat = vertices.flatten(1)
    low, high = bounds
    resting = ((flat <= low) & (known.gradient > 0)) | ((flat >= high) & (known.gradient < 0))
    gradient = known.gradient.masked_fill(resting, 0)
    normal = known.normal.masked_fill(resting[:, :, None] | resting[:, None, :], 0)
    diagonal = normal.diagonal(dim1=1, dim2=2)
    largest = diagonal.amax(1, keepdim=True)
    # The last two terms keep the matrix regular where a polygon is degenerate: one that is not
    # would make the whole batch fail.
    damped = damping[:, None] * (diagonal + 1e-3 * largest) + 1e-5 * largest + 1e-4
    step: Tensor = torch.linalg.solve(normal + torch.diag_embed(damped), -gradient)
    return step.view(vertices.shape)


def _where(chosen: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(chosen.view(-1, *[1] * (new.dim() - 1)), new, old)
