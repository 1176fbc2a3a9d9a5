"""Exact Euclidean nearest neighbours, and who lies in whose ball, in one tiled pass over all pairs.

Copies are at distance 0 exactly, and no result depends on the size of the tiles or on the number of
threads. See `_tiles` for how.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from coequal.metrics._tiles import (
    TIE,
    TILE,
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
)

SPARE = 3  # candidates beyond k: rounding must mix up that many ranks to cost a second look


class Nearest(NamedTuple):
    """The k nearest of each point, nearest first; of equal ones the lower index is first.

    Where there are fewer than k, the index is -1 and the distance infinite.
    """

    indices: Int[Tensor, "n k"]
    distances: Float[Tensor, "n k"]  # float64

    def first(self, count: int, k: int) -> "Nearest":
        """Of the first `count` points the nearest k."""
        return Nearest(self.indices[:count, :k], self.distances[:count, :k])


class Crossing(NamedTuple):
    """What the pairs of two sets have to say."""

    of_rows: Nearest  # of each row among the columns
    of_columns: Nearest
    balls_over_columns: Int[Tensor, "balls m"]  # how many rows' balls hold each column
    balls_over_rows: Int[Tensor, "balls n"]


class Wish(NamedTuple):
    """That of the pass over two sets the k nearest `columns` of each row be kept."""

    rows: Tensor
    columns: Tensor
    k: int


class _Memory(NamedTuple):
    wishes: tuple[Wish, ...]
    answers: list[tuple[Wish, Nearest]]  # what each pass found, until the end of `one_pass`


_memory: ContextVar[_Memory | None] = ContextVar("memory", default=None)


@contextmanager
def one_pass(*wishes: Wish) -> Iterator[None]:
    """Inside, `nearest` is answered from a pass that was made before over the same two sets.

    Sets are the same if they are the same memory: the features must not be written to meanwhile.

    Args:
        wishes: what will be asked for later; the first pass over these sets sees to it.
    """
    token = _memory.set(_Memory(wishes, []))
    try:
        yield
    finally:
        _memory.reset(token)


def within(points: Float[Tensor, "n d"], k: int, tile: int = TILE) -> Nearest:
    """The k nearest others of each point of one set; each pair is computed once. See `across`."""
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
    tile: int = TILE,
) -> Crossing:
    """Nearest neighbours and ball memberships between two sets, in one pass.

    Args:
        rows, columns: the features of two sets.
        row_k, column_k: how many nearest columns of each row are wanted, and the reverse.
        row_radii, column_radii: of balls around each; a point on the edge is inside.
        tile: rows at once, a multiple of 32; changes nothing but speed and memory.

    Raises:
        ValueError: a feature is not finite, or there are no points.
    """
    most_rows, most_columns = _wished(rows, columns, row_k), _wished(columns, rows, column_k)
    dtype, centre = common_dtype(rows, columns), centre_of(rows)
    left, right = Points(rows, centre, dtype), Points(columns, centre, dtype)
    row_best, column_best = Best(left, most_rows + SPARE), Best(right, most_columns + SPARE)
    row_balls, column_balls = Balls(left, columns, row_radii), Balls(right, rows, column_radii)
    buffer = right.buffer(tile)
    for first, panel in right.panels(tile):
        for start in range(0, left.padded, tile):
            part = left.part(start, start + tile)
            block = squared(part, panel, buffer)
            owners = torch.arange(start, start + len(part), device=part.device)
            if most_rows:
                row_best.see(owners, block, first)
            if most_columns:
                column_best.see_columns(first, block, start)
            row_balls.see(owners, block, first)
            column_balls.see_columns(first, block, start)
    of_rows = _refined(left, columns, row_best, most_rows)
    of_columns = _refined(right, rows, column_best, most_columns)
    _remember(Wish(rows, columns, most_rows), of_rows)
    _remember(Wish(columns, rows, most_columns), of_columns)
    return Crossing(
        of_rows.first(len(rows), row_k),
        of_columns.first(len(columns), column_k),
        row_balls.counts,
        column_balls.counts,
    )


def nearest(
    features: Float[Tensor, "n d"], train: Float[Tensor, "m d"], k: int, tile: int = TILE
) -> Nearest:
    """The k training images nearest to each image, nearest first, with their distances."""
    memory = _memory.get()
    for known, found in memory.answers if memory else []:
        if known.k >= k and _starts(features, known.rows) and _same(train, known.columns):
            return found.first(len(features), k)
    return across(features, train, row_k=k, tile=tile).of_rows


def _wished(rows: Tensor, columns: Tensor, k: int) -> int:
    """How many neighbours of each row to keep: as many as asked for now, or wished for later."""
    memory = _memory.get()
    wishes = memory.wishes if memory else ()
    return max(
        k,
        *(
            min(wish.k, len(columns))
            for wish in wishes
            if _starts(wish.rows, rows) and _same(wish.columns, columns)
        ),
        0,
    )


def _remember(asked: Wish, found: Nearest) -> None:
    if (memory := _memory.get()) is not None and asked.k:
        memory.answers.append((asked, found))


def _same(one: Tensor, other: Tensor) -> bool:
    return len(one) == len(other) and _starts(one, other)


def _starts(part: Tensor, whole: Tensor) -> bool:
    """Whether these rows are the first ones of the whole, in memory."""
    same = part.data_ptr() == whole.data_ptr() and part.stride() == whole.stride()
    match_dtype = part.dtype == whole.dtype and part.shape[1:] == whole.shape[1:]
    return same and match_dtype and len(part) <= len(whole)


def _refined(data: Points, others: Tensor, best: Best, k: int, own: bool = False) -> Nearest:
    """The k nearest by exact distances; rows that rounding leaves open are searched in float64."""
    points = data.rows
    rows = torch.arange(len(points), device=points.device)
    found, beyond = _ordered(points, others, rows, best, data.norms, k)
    if k and data.dtype != torch.float64:
        last = found.distances[:, k - 1].square()
        doubtful = (last > 0) & last.isfinite() & (last * (1 - TIE) > beyond)
        for part in rows[doubtful].split(TILE):
            again = _searched(points, others, part, k, own)
            found.indices[part], found.distances[part] = again
    return found


def _searched(points: Tensor, others: Tensor, rows: Tensor, k: int, own: bool) -> Nearest:
    """The k nearest of some points, from float64 products."""
    centre = centre_of(points)
    chosen = Points(points[rows], centre, torch.float64)
    left = chosen.part(0, len(rows))
    best = Best(chosen, k + SPARE)
    for start in range(0, len(others), 4 * TILE):
        right = augmented(others[start : start + 4 * TILE], centre, torch.float64)
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
