"""Exact Euclidean nearest neighbours, and who lies in whose ball, in one tiled pass over all pairs.

Copies are at distance 0 exactly, and no result depends on the size of the tiles or on the number of
threads. See `_tiles` for how.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from coequal.contract import ImageSet
from coequal.contract.neighbours import Nearest
from coequal.metrics._tiles import (
    TIE,
    Balls,
    Best,
    Points,
    augmented,
    centre_of,
    common_dtype,
    far,
    paired_squares,
    relative_error,
    squared,
    tile_for,
)

SPARE = 3  # candidates beyond k: rounding must mix up that many ranks to cost a second search


class Crossing(NamedTuple):
    """What a pass over all pairs of two sets, rows and columns, finds.

    Attributes:
        of_rows: the nearest columns of each row.
        of_columns: the nearest rows of each column.
        balls_over_columns: in how many rows' balls each column lies.
        balls_over_rows: in how many columns' balls each row lies.
    """

    of_rows: Nearest
    of_columns: Nearest
    balls_over_columns: Int[Tensor, "balls m"]
    balls_over_rows: Int[Tensor, "balls n"]


def within(points: Float[Tensor, "n d"], k: int, tile: int | None = None) -> Nearest:
    """The k nearest others of each point of one set; each pair is computed once. See `across`."""
    tile = tile or tile_for(points)
    data = Points(points, centre_of(points), common_dtype(points))
    best = Best(data, k + SPARE)
    buffer = data.buffer(tile)
    for first, panel in data.panels(tile):
        for start in range(0, first + len(panel), tile):
            own = max(start - first, 0)  # columns of this panel that the tile comes after
            diagonal = start >= first
            rows = panel[own : own + tile] if diagonal else data.part(start, start + tile)
            block = squared(rows, panel[own:], buffer)
            if diagonal:
                block.diagonal().fill_(far(data.dtype))
            best.see(torch.arange(start, start + len(rows), device=rows.device), block, first + own)
            later = len(rows) if diagonal else 0
            best.see_columns(first + own + later, block[:, later:], start)
    return _refined(data, points, best, k, own=True)


def across(
    rows: Float[Tensor, "n d"],
    columns: Float[Tensor, "m d"],
    *,
    row_k: int = 0,
    column_k: int = 0,
    row_radii: Float[Tensor, "balls n"] | None = None,
    column_radii: Float[Tensor, "balls m"] | None = None,
    tile: int | None = None,
) -> Crossing:
    """Nearest neighbours and ball memberships between two sets, in one pass.

    Args:
        rows: the features of one set.
        columns: the features of another.
        row_k: how many nearest columns of each row to find.
        column_k: how many nearest rows of each column to find.
        row_radii: of balls around each row; a point on the edge is inside.
        column_radii: of balls around each column.
        tile: rows at once, a multiple of 32; changes nothing but speed and memory. None: as the
            device likes it.

    Raises:
        ValueError: a feature is not finite, or there are no points.
    """
    tile = tile or tile_for(rows)
    dtype, centre = common_dtype(rows, columns), centre_of(rows)
    left, right = Points(rows, centre, dtype), Points(columns, centre, dtype)
    row_best, column_best = Best(left, row_k + SPARE), Best(right, column_k + SPARE)
    row_balls, column_balls = Balls(left, columns, row_radii), Balls(right, rows, column_radii)
    buffer = right.buffer(tile)
    for first, panel in right.panels(tile):
        for start in range(0, left.padded, tile):
            part = left.part(start, start + tile)
            block = squared(part, panel, buffer)
            owners = torch.arange(start, start + len(part), device=part.device)
            if row_k:
                row_best.see(owners, block, first)
            if column_k:
                column_best.see_columns(first, block, start)
            row_balls.see(owners, block, first)
            column_balls.see_columns(first, block, start)
    return Crossing(
        _refined(left, columns, row_best, row_k),
        _refined(right, rows, column_best, column_k),
        row_balls.counts,
        column_balls.counts,
    )


def nearest(features: Float[Tensor, "n d"], others: Float[Tensor, "m d"], k: int) -> Nearest:
    """The k nearest of the others to each point. See `across`."""
    return across(features, others, row_k=k).of_rows


def nearest_of(
    images: ImageSet, others: Float[Tensor, "m d"], k: int, some: Int[Tensor, " rows"] | None = None
) -> Nearest:
    """The k nearest of the others to each image, from the set's memory if they are known.

    Args:
        images: the set, which remembers the answer.
        others: features of another set.
        k: how many.
        some: only of these images, by their numbers; then nothing new is remembered.
    """
    known = images.neighbours.recall(others, k)
    if known is not None:
        return known if some is None else Nearest(known.indices[some], known.distances[some])
    if some is not None:
        return nearest(images.features[some], others, k)
    neighbours = nearest(images.features, others, images.neighbours.wanted(others, k))
    images.neighbours.remember(others, neighbours)
    return neighbours.first(len(images), k)


def _refined(data: Points, others: Tensor, best: Best, k: int, own: bool = False) -> Nearest:
    """The k nearest by exact distances; rows that rounding leaves open are searched in float64."""
    points = data.rows
    rows = torch.arange(len(points), device=points.device)
    neighbours, beyond = _ordered(points, others, rows, best, data.norms, k)
    if k and data.dtype != torch.float64:
        last = neighbours.distances[:, k - 1].square()
        uncertain = rows[(last > 0) & last.isfinite() & (last * (1 - TIE) > beyond)]
        for part in uncertain.split(tile_for(points)) if len(uncertain) else ():
            again = _searched(points, others, part, k, own)
            neighbours.indices[part], neighbours.distances[part] = again
    return neighbours


def _searched(points: Tensor, others: Tensor, rows: Tensor, k: int, own: bool) -> Nearest:
    """The k nearest of some points, from float64 products."""
    centre = centre_of(points)
    chosen = Points(points[rows], centre, torch.float64)
    left = chosen.part(0, len(rows))
    best = Best(chosen, k + SPARE)
    size = 4 * tile_for(points)
    for start in range(0, len(others), size):
        right = augmented(others[start : start + size], centre, torch.float64)
        block = squared(left, right, left.new_empty(len(left) * len(right)))
        if own:
            columns = torch.arange(start, start + len(right), device=rows.device)
            block[: len(rows)].masked_fill_(rows[:, None] == columns, far(torch.float64))
        best.see(torch.arange(len(left), device=rows.device), block, start)
    return _ordered(points, others, rows, best, chosen.norms, k)[0]


def _ordered(
    points: Tensor, others: Tensor, rows: Tensor, best: Best, norms: Tensor, k: int
) -> tuple[Nearest, Tensor]:
    """The k nearest of those proposed for `points[rows]`, with squared `norms` once centred, and a
    bound below the squared distances of all that were not proposed."""
    values, at = best.values[: len(rows)].double(), best.indices[: len(rows)]
    error = relative_error(points.shape[1] + 2, norms.dtype)
    slack = 3 * error * norms[: len(rows), None].double()
    least, most = (values - slack) / (1 + 2 * error), (values + slack) / (1 - 2 * error)
    likely = (least <= most[:, :k].amax(1, keepdim=True)) if k else values < 0
    row, column = (likely & (values < far(norms.dtype) / 2)).nonzero(as_tuple=True)
    squares = torch.full_like(values, math.inf)
    squares[row, column] = paired_squares(points, others, rows[row], at[row, column])
    by_index = at.masked_fill(squares.isinf(), -1).sort(1)
    order = squares.gather(1, by_index.indices).sqrt().sort(dim=1, stable=True)
    indices = by_index.values.gather(1, order.indices)
    return Nearest(indices[:, :k], order.values[:, :k]), least[:, -1]
