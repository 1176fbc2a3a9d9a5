"""Unbiased squared maximum mean discrepancy (MMD^2) and its standard error, tile by tile.

Gretton et al. 2012, "A Kernel Two-Sample Test", JMLR 13, eq. 3 (the U-statistic). Products of
features are float64 up to `EXACT` features and float32 beyond (an error of some 1e-7 per pair,
averaged over all pairs); all sums are float64. Each pair of images is visited once, in memory of
order `TILE`^2, on the device of the features; sums by image are brought to the CPU.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coequal.metrics import _arrays

Array = NDArray[np.float64]
Chosen = NDArray[np.bool_]
Rows = _arrays.Array  # features, float32 or float64
Kernel = Callable[[Rows, Rows], Rows]  # (n, d), (m, d) to a fresh (n, m)

TILE = 512  # images; a tile of float32 stays in a core's cache
TILE_ELSEWHERE = 4096  # images; other devices want large products
EXACT = 256  # features


class Sums(NamedTuple):
    """Sums of a kernel over pairs of images; within one set, over pairs of different images.

    Attributes:
        rows: (n,) for each first image the sum over the second ones.
        columns: (m,) for each second image the sum over the first ones.
        squares: the sum of the squared values.
        subsets: (s,) the sum over the pairs in each subset.
    """

    rows: Array
    columns: Array
    squares: float
    subsets: Array


class Discrepancy(NamedTuple):
    """MMD^2 and its variance.

    Attributes:
        value: MMD^2 over all pairs.
        variance: of `value`, over new generated images; None for fewer than 5 of them, whose row
            sums can't tell its two parts apart.
        subsets: (s,) MMD^2 in each subset.
        real_mean: the mean kernel of pairs of different real images.
        fake_mean: that of fake images.
    """

    value: float
    variance: float | None
    subsets: Array
    real_mean: float
    fake_mean: float

    def error(self, further: float = 0.0) -> float | None:
        """The standard error, with a further variance."""
        return None if self.variance is None else math.sqrt(self.variance + further)


def as_rows(features: Tensor) -> Rows:
    """A tensor's features in the precision that products will have."""
    kind = torch.float64 if features.shape[1] <= EXACT else torch.float32
    return _arrays.array_of(features.contiguous(), kind)


def discrepancy(
    *, real: Rows, fake: Rows, kernel: Kernel, chosen: tuple[Chosen, Chosen] | None = None
) -> Discrepancy:
    """MMD^2 of at least two images each.

    Args:
        real: (m, d).
        fake: (n, d), of the same precision.
        kernel: symmetric; a constant added to it changes no result.
        chosen: (m, s) and (n, s): which real and which fake images are in each subset, as many of
            each; None: no subsets.
    """
    m, n = len(real), len(fake)
    chosen_real, chosen_fake = chosen or (np.zeros((m, 0), bool), np.zeros((n, 0), bool))
    in_real, in_fake = (_arrays.like(one, real, real.dtype) for one in (chosen_real, chosen_fake))
    within_real = pair_sums(real, None, kernel, in_real, in_real)
    within_fake = pair_sums(fake, None, kernel, in_fake, in_fake)
    between = pair_sums(real, fake, kernel, in_real, in_fake)
    towards_real = between.columns / m  # of each fake, its mean kernel with the real images
    real_mean = float(within_real.rows.sum()) / (m * (m - 1))
    fake_mean = float(within_fake.rows.sum()) / (n * (n - 1))
    size = chosen_real.sum(0, dtype=np.float64)
    subsets = (within_real.subsets + within_fake.subsets) / (size * (size - 1))
    return Discrepancy(
        real_mean + fake_mean - 2 * float(towards_real.mean()),
        _variance(within_fake, towards_real),
        subsets - 2 * between.subsets / size**2,
        real_mean,
        fake_mean,
    )


class MeanOfPairs(NamedTuple):
    """The mean of a kernel over pairs of different images.

    Attributes:
        value: of the U-statistic.
        variance: of it, over new images; None for fewer than 5 (see `Discrepancy`).
    """

    value: float
    variance: float | None


def mean_of_pairs(rows: Rows, kernel: Kernel) -> MeanOfPairs:
    """The mean of a symmetric kernel over all pairs of different images, at least two.

    Args:
        rows: (n, d).
        kernel: of some rows and others.
    """
    count = len(rows)
    nothing = _arrays.like(np.zeros((count, 0)), rows, rows.dtype)
    sums = pair_sums(rows, None, kernel, nothing, nothing)
    mean = float(sums.rows.sum()) / (count * (count - 1))
    return MeanOfPairs(mean, _variance(sums, np.zeros(count)))


def pair_sums(
    first: Rows, second: Rows | None, kernel: Kernel, in_first: Rows, in_second: Rows
) -> Sums:
    """Sums over all pairs of `first` and `second`, or of different images of `first`."""
    other = first if second is None else second
    library = _arrays.namespace(first)
    rows, columns, subsets, squares = (
        _arrays.zeros_like(first, *shape)
        for shape in ((len(first),), (len(other),), (in_first.shape[1],), ())
    )
    for i in _parts(first):
        for j in _parts(other):
            if second is None and j.start < i.start:
                continue  # its mirror image is counted twice
            tile = kernel(first[i], other[j])
            if second is None and i == j:
                _arrays.clear_diagonal(tile)
            twice = 2 if second is None and i != j else 1
            rows[i] += tile.sum(1, dtype=library.float64)
            if second is not None or i != j:
                columns[j] += tile.sum(0, dtype=library.float64)
            of_rows = library.einsum("ij,ij->i", tile, tile)
            squares += twice * of_rows.sum(dtype=library.float64)
            if len(subsets):
                subsets += twice * _arrays.column_products(in_first[i], tile @ in_second[j])
    if second is None:
        rows += columns
    on_cpu = _arrays.on_cpu
    return Sums(on_cpu(rows), on_cpu(columns), float(squares), on_cpu(subsets))


def _parts(rows: Rows) -> Iterator[slice]:
    tile = TILE_ELSEWHERE if isinstance(rows, Tensor) else TILE
    return (slice(start, min(start + tile, len(rows))) for start in range(0, len(rows), tile))


def _variance(within: Sums, towards_real: Array) -> float | None:
    """Var(U) for new fakes, U the mean of h(y, z) = k(y, z) - a(y) - a(z) over pairs of fakes.

    a is the mean kernel with the real images, which stay. With h = mean + g(y) + g(z) + e(y, z),
    Hoeffding's decomposition, and n fakes: Var(U) = 4 Var(g) / n + 2 Var(e) / (n (n - 1)). The
    variance of a row mean of h is Var(g) ((n - 2) / (n - 1))^2 + Var(e) (n - 2) / (n - 1)^2 on
    average, and that of all of h is 2 Var(g) + Var(e).
    """
    n, a = len(towards_real), towards_real
    if n < 5:  # the factor of Var(g) below is (n - 2) (n - 4) / (n - 1)^2
        return None
    row_means = (within.rows - (n - 2) * a - a.sum()) / (n - 1)
    squares = within.squares - 4 * float(a @ within.rows)
    squares += 2 * (n - 2) * float(a @ a) + 2 * float(a.sum()) ** 2
    total = max(squares / (n * (n - 1)) - float(row_means.mean()) ** 2, 0.0)
    proportion, rest = ((n - 2) / (n - 1)) ** 2, (n - 2) / (n - 1) ** 2
    first = (float(row_means.var(ddof=1)) - rest * total) / (proportion - 2 * rest)
    first = min(max(first, 0.0), total / 2)
    return 4 * first / n + 2 * (total - 2 * first) / (n * (n - 1))
