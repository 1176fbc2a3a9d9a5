"""Squared distances of all pairs of two sets, tile by tile, and what is kept of each tile.

A tile is one matrix product in float32: [-2x, |x|^2, 1] times [y, 1, |y|^2] with centred features.
Its rounding errors have a bound, so it only proposes: what it can't decide is computed again in
float64 from the differences. Of the features no more is copied than a panel of one set and a tile
of the other: they may lie in files larger than the memory.
"""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

TIE = 1e-12  # distances that differ by less than this fraction of themselves are equal
TILE, TILE_ELSEWHERE = 512, 4096  # rows of a tile on the CPU and on others; multiples of GROUP
PANEL, PANEL_FLOATS = 1 << 14, 1 << 24  # columns, and their features, that are centred at once
GROUP = 32  # the k smallest of a row lie in the k groups with the smallest minima
CHUNK = 1 << 15  # groups that are searched at once
FLOATS, FLOATS_ELSEWHERE = 1 << 16, 1 << 24  # of differences at once: on the CPU, in its cache


class Points:
    """One set of features, centred and augmented some rows at a time."""

    def __init__(self, rows: Float[Tensor, "n d"], centre: Tensor, dtype: torch.dtype) -> None:
        self.rows, self.centre, self.dtype = rows, centre, dtype
        self.padded = math.ceil(len(rows) / GROUP) * GROUP
        self.norms = rows.new_empty(self.padded, dtype=dtype)  # squares
        size = tile_for(rows)
        for start in range(0, self.padded, size):
            self.norms[start : start + size] = self.part(start, start + size)[:, -1]
        self.error = relative_error(rows.shape[1] + 2, dtype)

    def part(self, start: int, stop: int) -> Tensor:
        """Some rows, `augmented`; `start` is a multiple of GROUP."""
        return augmented(self.rows[start:stop], self.centre, self.dtype)

    def panels(self, tile: int) -> Iterator[tuple[int, Tensor]]:
        """All rows in panels of whole tiles: where each starts, and the augmented rows."""
        size = self._panel(tile)
        for start in range(0, self.padded, size):
            yield start, self.part(start, start + size)

    def buffer(self, tile: int) -> Tensor:
        """Memory for a tile's distances to one panel."""
        return self.norms.new_empty(tile * min(self._panel(tile), self.padded))

    def _panel(self, tile: int) -> int:
        return max(1, min(PANEL, PANEL_FLOATS // (self.rows.shape[1] + 2)) // tile) * tile


class Best:
    """The k smallest squared distances of each point so far, in any order, and to whom."""

    def __init__(self, points: Points, k: int) -> None:
        self.values = points.norms.new_full((points.padded, k), far(points.dtype))
        self.indices = torch.zeros_like(self.values, dtype=torch.long)

    def see(self, points: Tensor, block: Tensor, offset: int) -> None:
        """Row r of the block is `points[r]`, column c the candidate `offset + c`."""
        values, at = _smallest(block, self.values.shape[1])
        values = torch.cat([self.values[points], values], 1)
        at = torch.cat([self.indices[points], at + offset], 1)
        kept = values.topk(self.values.shape[1], 1, largest=False)
        self.values[points] = kept.values
        self.indices[points] = at.gather(1, kept.indices)

    def see_columns(self, first: int, block: Tensor, offset: int) -> None:
        """Column c of the block is point `first + c`, row r the candidate `offset + r`.

        Only the columns with something nearer than they have are searched; soon they are few.
        """
        known = self.values[first : first + block.shape[1]]
        (near,) = (block.amin(0) < known.amax(1)).nonzero(as_tuple=True)
        self.see(first + near, block.index_select(1, near).t().contiguous(), offset)


class Balls:
    """How many balls hold each point of another set; one count per radius."""

    def __init__(self, owners: Points, others: Tensor, radii: Tensor | None) -> None:
        self.owners, self.others = owners.rows, others
        count = len(self.owners)
        wanted = owners.norms.new_empty(0, count) if radii is None else radii
        self.squares = wanted.double().square()
        slack = owners.error * (3 * owners.norms[:count].double() + 2 * self.squares)
        self.low, self.high = ((self.squares + sign * slack).to(owners.dtype) for sign in (-1, 1))
        self.counts = torch.zeros(len(wanted), len(others), dtype=torch.long, device=wanted.device)

    def see(self, owners: Tensor, block: Tensor, offset: int) -> None:
        """Row r of the block is the ball of `owners[r]`, column c the other point `offset + c`."""
        owners = owners[owners < len(self.owners)]  # the rest is padding
        if not len(self.counts) or not len(owners):
            return
        block = block[: len(owners)]
        grouped = block.view(len(block), GROUP, -1)
        reached = grouped.amin(1) <= self.high[:, owners].amax(0)[:, None]
        inside = torch.arange(GROUP, device=block.device) * grouped.shape[2]
        for part in reached.nonzero().split(CHUNK):
            rows, columns = part[:, 0], part[:, 1:] + inside
            self._count(owners[rows], block[rows[:, None], columns], offset + columns)

    def see_columns(self, first: int, block: Tensor, offset: int) -> None:
        """Column c of the block is the ball of `first + c`, row r the other point `offset + r`."""
        if not len(self.counts):
            return
        lowest = block.amin(0)[: len(self.owners) - first]
        (near,) = (lowest <= self.high[:, first : first + len(lowest)].amax(0)).nonzero(
            as_tuple=True
        )
        for part in near.split(CHUNK * GROUP // len(block)):
            self.see(first + part, block.index_select(1, part).t().contiguous(), offset)

    def _count(self, owners: Tensor, values: Tensor, others: Tensor) -> None:
        """Values (n, group) of distances from `owners` (n,) to `others` (n, group)."""
        for ball, counts in enumerate(self.counts):
            inside = values <= self.high[ball, owners, None]
            open_ = inside & (values > self.low[ball, owners, None])  # rounding can't tell
            row, column = open_.nonzero(as_tuple=True)
            exact = paired_squares(self.owners, self.others, owners[row], others[row, column])
            inside[row, column] = exact <= self.squares[ball, owners[row]] * (1 + TIE)
            counts += torch.bincount(others[inside], minlength=len(counts))


def tile_for(points: Tensor) -> int:
    """How many rows of a tile are fast where the points lie."""
    return TILE if points.device.type == "cpu" else TILE_ELSEWHERE


def paired_squares(
    rows: Float[Tensor, "n d"], columns: Float[Tensor, "m d"], i: Tensor, j: Tensor
) -> Float[Tensor, " pairs"]:
    """|rows[i] - columns[j]|^2 for pairs of indices, from differences in float64."""
    floats = FLOATS if rows.device.type == "cpu" else FLOATS_ELSEWHERE
    size = max(1, floats // max(1, rows.shape[1]))
    squares = [rows.new_empty(0, dtype=torch.float64)]
    for a, b in zip(i.split(size), j.split(size), strict=True):
        difference = rows[a].double().sub_(columns[b].double())
        squares.append(difference.mul_(difference).sum(1))
    return torch.cat(squares)


def augmented(points: Tensor, centre: Tensor, dtype: torch.dtype) -> Tensor:
    """[y, 1, |y|^2] of the centred points; then rows at no finite distance up to a whole group."""
    count, features = points.shape
    padded = math.ceil(count / GROUP) * GROUP
    data = points.new_empty(padded, features + 2, dtype=dtype)
    wide = points.to(torch.promote_types(points.dtype, dtype))
    torch.sub(wide, centre, out=data[:count, :features])
    data[:, -2] = 1
    data[:count, -1] = torch.linalg.vector_norm(data[:count, :features], dim=1).square()
    data[count:, :features], data[count:, -1] = 0, far(dtype)
    return data


def squared(left: Tensor, right: Tensor, buffer: Tensor) -> Tensor:
    """Squared distances of all pairs of augmented points, in the buffer."""
    turned = torch.cat([left[:, :-2] * -2, left[:, -1:], left[:, -2:-1]], 1)
    out = buffer[: len(left) * len(right)].view(len(left), len(right))
    return torch.mm(turned, right.t(), out=out)


def relative_error(terms: int, dtype: torch.dtype) -> float:
    """The e in |computed - true| <= e (|x|^2 + |y|^2) <= e (3 |x|^2 + 2 true).

    Sums of d products err by some sqrt(d) roundings (Higham and Mary 2019, doi:10.1137/18M1226312);
    measured errors are at most a tenth of this bound. Then |y| <= |x| + |x - y|.
    """
    return 4 * (math.sqrt(terms) + 4) * torch.finfo(dtype).eps


def common_dtype(*sets: Tensor) -> torch.dtype:
    """Float32, or float64 where squares of such features would leave the range of float32."""
    edges = [float(edge) for points in sets if len(points) for edge in points.aminmax()]
    if len(edges) < 2 * len(sets) or not all(map(math.isfinite, edges)):  # aminmax passes NaN on
        raise ValueError("nearest neighbours need finite features, and at least one image a set")
    spread = max(edges) - min(edges)
    return torch.float32 if spread == 0 or 1e-12 < spread < 1e12 else torch.float64


def far(dtype: torch.dtype) -> float:
    """A squared distance that no two points have."""
    return torch.finfo(dtype).max / 1024


def centre_of(points: Tensor) -> Tensor:
    """The mean, as precise as the points: of equal points exactly each of them."""
    total = sum(part.double().sum(0) for part in points.split(GROUP))
    return torch.as_tensor(total / len(points)).to(points)


def _smallest(block: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest values of each row, or all if there are fewer, and their columns."""
    groups = block.shape[1] // GROUP
    if groups < 2 * k:
        smallest = block.topk(min(k, block.shape[1]), 1, largest=False)
        return smallest.values, smallest.indices
    minima = block.view(len(block), GROUP, groups).amin(1)
    chosen = minima.topk(k, 1, largest=False, sorted=False).indices
    inside = torch.arange(GROUP, device=block.device) * groups
    columns = (chosen[:, :, None] + inside).flatten(1)
    smallest = block.gather(1, columns).topk(k, 1, largest=False)
    return smallest.values, columns.gather(1, smallest.indices)
