"""Rows in an order that depends on what they hold, so that no draw depends on how they came."""

from torch import Tensor

from coequal.rng import Rng


def in_fixed_order(rows: Tensor) -> Tensor:
    """The rows sorted by their bytes."""
    keys = [row.tobytes() for row in rows.contiguous().numpy()]
    return rows[sorted(range(len(keys)), key=keys.__getitem__)]


def some(rows: Tensor, count: int, rng: Rng) -> Tensor:
    """`count` of the rows at random, whatever order they came in."""
    return in_fixed_order(rows)[rng.permutation(len(rows))[:count]]
