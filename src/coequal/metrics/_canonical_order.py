"""Rows in an order that depends on what they hold, so that no draw depends on how they came."""

import torch
from torch import Tensor

from coequal.rng import Rng


def fixed_order(rows: Tensor) -> Tensor:
    """The indices (n,) that sort the rows by their bytes, found on the CPU and left there."""
    plain = rows.detach().cpu().contiguous().flatten(1).numpy()
    if not plain.shape[1]:
        return torch.arange(len(rows))
    keys = plain.view(f"V{plain[0].nbytes}")[:, 0]
    return torch.from_numpy(keys.argsort(kind="stable"))


def in_fixed_order(rows: Tensor) -> Tensor:
    """The rows sorted by their bytes."""
    return rows[fixed_order(rows).to(rows.device)]


def some(rows: Tensor, count: int, rng: Rng) -> Tensor:
    """`count` of the rows at random, whatever order they came in."""
    return rows[some_of(rows, count, rng)]


def some_of(rows: Tensor, count: int, rng: Rng) -> Tensor:
    """The indices (count,) of rows at random; whatever order they came in, the same rows."""
    return fixed_order(rows)[rng.permutation(len(rows))[:count]].to(rows.device)
