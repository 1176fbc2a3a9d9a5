"""L-BFGS for many small problems at once, each with its own step size and its own end.

One tick evaluates all problems once: a problem whose step is not good enough tries a shorter one in
the next tick, while the others go on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

HISTORY = 20
ARMIJO_FRACTION = 1e-4
"""A step must achieve this fraction of the decrease that the slope predicts."""
STEP_SHRINKAGE = 0.4
MIN_STEP = 1e-8
MIN_CURVATURE = 1e-10
MIN_RELATIVE_GAIN, MAX_SMALL_GAINS = 1e-5, 5
"""A search ends after five steps in a row with a relative decrease below 1e-5."""

Evaluate = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Points (n, d) and which problems they belong to (n), to values (n) and gradients (n, d)."""


@dataclass
class Problems:
    """The state of each problem. Every tensor has one row per problem.

    Attributes:
        rows: index of the problem in the caller's order.
        points: current points.
        values: function values at the points.
        gradients: gradients at the points.
        directions: current search directions.
        steps: step sizes of the next trial.
        moves: last differences of points, h = `HISTORY` per problem.
        turns: last differences of gradients.
        curvatures: 1 / (move . turn); 0 where the history has no entry.
        newest: position in the history of the next entry.
        small_gains: number of steps in a row with a small relative decrease.
        ended: whether the search has ended.
        ticks: number of evaluations so far.
    """

    rows: Int[Tensor, " n"]
    points: Float[Tensor, "n d"]
    values: Float[Tensor, " n"]
    gradients: Float[Tensor, "n d"]
    directions: Float[Tensor, "n d"]
    steps: Float[Tensor, " n"]
    moves: Float[Tensor, "n h d"]
    turns: Float[Tensor, "n h d"]
    curvatures: Float[Tensor, "n h"]
    newest: Int[Tensor, " n"]
    small_gains: Int[Tensor, " n"]
    ended: Bool[Tensor, " n"]
    ticks: Int[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, chosen: Tensor) -> "Problems":
        """Return a selection of the problems.

        Args:
            chosen: indices or mask of rows.
        """
        return Problems(*(value[chosen] for value in vars(self).values()))


def concatenate(parts: list[Problems]) -> Problems:
    """Concatenate several sets of problems.

    Args:
        parts: sets of problems.
    """
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Problems(*(torch.cat(column) for column in columns))


def begin(rows: Tensor, points: Tensor, evaluate: Evaluate) -> Problems:
    """Evaluate all problems once at their starts.

    Args:
        rows: (n,) index of each problem in the caller's order.
        points: (n, d) starts.
        evaluate: values and gradients at given points.
    """
    values, gradients = evaluate(points, rows)
    count, size = points.shape
    zeros = torch.zeros(count, dtype=torch.int64, device=points.device)
    return Problems(
        rows=rows,
        points=points,
        values=values,
        gradients=gradients,
        directions=-gradients,
        steps=_first_step(gradients),
        moves=points.new_zeros(count, HISTORY, size),
        turns=points.new_zeros(count, HISTORY, size),
        curvatures=points.new_zeros(count, HISTORY),
        newest=zeros,
        small_gains=zeros.clone(),
        ended=~torch.isfinite(values),
        ticks=zeros + 1,
    )


def tick(at: Problems, evaluate: Evaluate) -> None:
    """Evaluate every problem once, in place; those that have ended do not move.

    Args:
        at: the problems.
        evaluate: values and gradients at given points.
    """
    tried = at.points + at.steps[:, None] * at.directions
    values, gradients = evaluate(tried, at.rows)
    slope = (at.gradients * at.directions).sum(1)
    live = ~at.ended
    good = live & (values <= at.values + ARMIJO_FRACTION * at.steps * slope)  # NaN is not
    _remember(at, good, tried - at.points, gradients - at.gradients)
    gain = (at.values - values) / at.values.abs().clamp(min=1e-30)
    small = torch.where(gain < MIN_RELATIVE_GAIN, at.small_gains + 1, 0)
    at.small_gains = torch.where(good, small, at.small_gains)
    at.points = torch.where(good[:, None], tried, at.points)
    at.values = torch.where(good, values, at.values)
    at.gradients = torch.where(good[:, None], gradients, at.gradients)
    at.ticks = at.ticks + live
    at.steps = torch.where(good, 1.0, at.steps * STEP_SHRINKAGE)
    at.directions = torch.where(good[:, None], _directions(at), at.directions)
    at.ended = at.ended | (at.small_gains >= MAX_SMALL_GAINS) | (at.steps < MIN_STEP)


def _remember(at: Problems, good: Tensor, move: Tensor, turn: Tensor) -> None:
    curvature = (move * turn).sum(1)
    kept = (good & (curvature > MIN_CURVATURE)).nonzero()[:, 0]
    where = at.newest[kept]
    at.moves[kept, where] = move[kept]
    at.turns[kept, where] = turn[kept]
    at.curvatures[kept, where] = 1 / curvature[kept]
    at.newest[kept] = (where + 1) % HISTORY


def _directions(at: Problems) -> Tensor:
    """-H g by the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4); -g where that is
    uphill."""
    every = torch.arange(len(at), device=at.points.device)
    wanted, weights = at.gradients.clone(), []
    for back in range(1, HISTORY + 1):
        where = (at.newest - back) % HISTORY
        weight = at.curvatures[every, where] * (at.moves[every, where] * wanted).sum(1)
        wanted -= weight[:, None] * at.turns[every, where]
        weights.append(weight)
    last = (at.newest - 1) % HISTORY
    known = at.curvatures[every, last]
    turned = at.turns[every, last].square().sum(1)
    scale = torch.where(known > 0, 1 / (known * turned).clamp(min=1e-30), _first_step(at.gradients))
    wanted *= scale[:, None]
    for back in range(HISTORY, 0, -1):
        where = (at.newest - back) % HISTORY
        again = at.curvatures[every, where] * (at.turns[every, where] * wanted).sum(1)
        wanted += (weights[back - 1] - again)[:, None] * at.moves[every, where]
    uphill = (wanted * at.gradients).sum(1) <= 0
    first = _first_step(at.gradients)[:, None] * at.gradients
    direction: Tensor = -torch.where(uphill[:, None], first, wanted)
    return direction


def _first_step(gradients: Tensor) -> Tensor:
    """Step size of a move of length 1 at most."""
    length: Tensor = gradients.norm(dim=1).clamp(min=1)
    return 1 / length
