"""The best step within linear limits, for many small problems at once."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

MAX_SWEEPS = 30
LIMIT_TOLERANCE = 1e-5
"""Pixels, or square pixels, by which a step may exceed a limit."""
SWEEP_TOLERANCE = 1e-5
"""Largest change of a sweep, in the same units, at which the steps have converged."""


class Limits(NamedTuple):
    """What is allowed near some coordinates x, to first order.

    A step is allowed if values + slopes (step) >= 0 and low <= x + step <= high.

    Attributes:
        values: values of the limits at x.
        slopes: their derivatives by x.
        low: smallest coordinates.
        high: largest coordinates.
    """

    values: Float[Tensor, "n m"]
    slopes: Float[Tensor, "n m p"]
    low: Float[Tensor, " p"]
    high: Float[Tensor, " p"]


def best_step(
    normal: Float[Tensor, "n p p"],
    gradient: Float[Tensor, "n p"],
    x: Float[Tensor, "n p"],
    limits: Limits,
) -> Float[Tensor, "n p"]:
    """Return the step d that minimises gradient'd + d'normal d / 2 within the limits.

    It is the step without limits where that is allowed. Otherwise the dual problem is solved one
    limit at a time, as in Hildreth's method, with a fixed number of sweeps: the caller repairs what
    still exceeds a limit. The box is checked only where a step without it leaves it.

    Args:
        normal: (n, p, p) positive definite matrices.
        gradient: (n, p) gradients.
        x: (n, p) coordinates.
        limits: what is allowed near x.

    Source: Hildreth 1957, Naval Research Logistics Quarterly 4, 79-85.
    """
    factor = torch.linalg.cholesky_ex(normal).L
    step = -torch.cholesky_solve(gradient[..., None], factor)[..., 0]
    values = limits.values + (limits.slopes @ step[..., None])[..., 0]
    rows = (values < -LIMIT_TOLERANCE).any(1).nonzero()[:, 0]
    if len(rows):
        step[rows] = _within(factor[rows], step[rows], x[rows], _of(limits, rows), box=False)
    there = x + step
    outside = (
        (there < limits.low - LIMIT_TOLERANCE) | (there > limits.high + LIMIT_TOLERANCE)
    ).any(1)
    rows = outside.nonzero()[:, 0]
    if len(rows):
        free = -torch.cholesky_solve(gradient[rows, :, None], factor[rows])[..., 0]
        step[rows] = _within(factor[rows], free, x[rows], _of(limits, rows), box=True)
    return step


def _of(limits: Limits, rows: Tensor) -> Limits:
    return limits._replace(values=limits.values[rows], slopes=limits.slopes[rows])


def _within(factor: Tensor, free: Tensor, x: Tensor, limits: Limits, box: bool) -> Tensor:
    """From the step without limits to the best one within them."""
    slopes, low, high = limits.slopes, limits.values.new_zeros(limits.values.shape[1]), None
    at = limits.values + (slopes @ free[..., None])[..., 0]
    high = torch.full_like(low, torch.inf)
    if box:
        slopes = torch.cat([slopes, torch.eye(x.shape[1]).to(x).expand(len(x), -1, -1)], 1)
        at = torch.cat([at, x + free], 1)
        low, high = torch.cat([low, limits.low]), torch.cat([high, limits.high])
    pull = torch.cholesky_solve(slopes.mT, factor)  # (n, p, m): the step that each limit asks for
    effect = (slopes @ pull).permute(1, 2, 0).contiguous()  # (m, m, n)
    return free + (pull @ _forces(effect, at.T.contiguous(), low, high).T[..., None])[..., 0]


def _forces(effect: Tensor, at: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(m, n): the force of each limit, such that all limits are kept and only active ones push."""
    own = effect.diagonal().T.clamp(min=1e-12)
    ends = list(zip(low.tolist(), high.tolist(), strict=True))
    force = torch.zeros_like(at)
    for _ in range(MAX_SWEEPS):
        largest = torch.zeros_like(at[0])
        for row, (least, most) in enumerate(ends):
            free = at[row] - own[row] * force[row]
            change = (free.clamp(least, most) - free) / own[row] - force[row]
            force[row] += change
            at += effect[row] * change
            largest = torch.maximum(largest, (change * own[row]).abs())
        if float(largest.max()) < SWEEP_TOLERANCE:
            break
    return force
