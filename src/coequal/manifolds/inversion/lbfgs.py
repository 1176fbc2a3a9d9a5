"""L-BFGS for many small problems at once, each with steps and an end of its own.

One evaluation per tick for all: a problem whose step is not good enough tries a shorter one in the
next tick, the others go on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

HISTORY = 20
SUFFICIENT = 1e-4  # Armijo: of the decrease that the slope promises
SHORTER = 0.4
SHORTEST = 1e-8
LEAST_CURVATURE = 1e-10
SMALL_GAIN, SMALL_GAINS = 1e-5, 5  # so many steps in a row of less relative decrease: an end

Evaluate = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Points (n, d) and which problems they belong to (n), to values (n) and gradients (n, d)."""


@dataclass
class Problems:
    """Where each problem is. Every tensor has a row per problem."""

    rows: Int[Tensor, " n"]  # which problem of the caller's
    points: Float[Tensor, "n d"]
    values: Float[Tensor, " n"]
    gradients: Float[Tensor, "n d"]
    directions: Float[Tensor, "n d"]
    steps: Float[Tensor, " n"]
    moves: Float[Tensor, "n h d"]
    turns: Float[Tensor, "n h d"]
    curvatures: Float[Tensor, "n h"]  # 1 / (move . turn); 0: nothing there
    newest: Int[Tensor, " n"]  # where the next pair goes
    small_gains: Int[Tensor, " n"]
    ended: Bool[Tensor, " n"]
    ticks: Int[Tensor, " n"]  # evaluations so far

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, chosen: Tensor) -> "Problems":
        """Some of the problems."""
        return Problems(*(value[chosen] for value in vars(self).values()))


def together(parts: list[Problems]) -> Problems:
    """Problems of several parts in one."""
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Problems(*(torch.cat(column) for column in columns))


def begin(rows: Tensor, points: Tensor, evaluate: Evaluate) -> Problems:
    """Problems at their starts, with one evaluation each."""
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
    """One evaluation of every problem, in place; those that have ended stand still."""
    tried = at.points + at.steps[:, None] * at.directions
    values, gradients = evaluate(tried, at.rows)
    slope = (at.gradients * at.directions).sum(1)
    live = ~at.ended
    good = live & (values <= at.values + SUFFICIENT * at.steps * slope)  # NaN is not
    _remember(at, good, tried - at.points, gradients - at.gradients)
    gain = (at.values - values) / at.values.abs().clamp(min=1e-30)
    small = torch.where(gain < SMALL_GAIN, at.small_gains + 1, 0)
    at.small_gains = torch.where(good, small, at.small_gains)
    at.points = torch.where(good[:, None], tried, at.points)
    at.values = torch.where(good, values, at.values)
    at.gradients = torch.where(good[:, None], gradients, at.gradients)
    at.ticks = at.ticks + live
    at.steps = torch.where(good, 1.0, at.steps * SHORTER)
    at.directions = torch.where(good[:, None], _directions(at), at.directions)
    at.ended = at.ended | (at.small_gains >= SMALL_GAINS) | (at.steps < SHORTEST)


def _remember(at: Problems, good: Tensor, move: Tensor, turn: Tensor) -> None:
    curvature = (move * turn).sum(1)
    kept = (good & (curvature > LEAST_CURVATURE)).nonzero()[:, 0]
    where = at.newest[kept]
    at.moves[kept, where] = move[kept]
    at.turns[kept, where] = turn[kept]
    at.curvatures[kept, where] = 1 / curvature[kept]
    at.newest[kept] = (where + 1) % HISTORY


def _directions(at: Problems) -> Tensor:
    """-H g by the two loops of Nocedal and Wright 2006, algorithm 7.4; -g where that is uphill."""
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
    found: Tensor = -torch.where(uphill[:, None], first, wanted)
    return found


def _first_step(gradients: Tensor) -> Tensor:
    """A move of length 1 at the most."""
    length: Tensor = gradients.norm(dim=1).clamp(min=1)
    return 1 / length
