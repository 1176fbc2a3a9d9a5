"""Arrays of two kinds, and what an algorithm that is written once needs of both.

On the CPU metrics compute with numpy and scipy: their OpenBLAS has SYRK, which takes half the work
of a product with itself and which torch has not, and numpy's sort is several times as fast. On any
other device they compute with torch, where the features lie. Arrays of both kinds share operators,
slices and most methods; what differs is here. Decompositions of matrices (features, features) are
LAPACK's, on the CPU, whatever the device: see `on_cpu`.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk
from torch import Tensor

Array = Any
"""Of numpy on the CPU, of torch elsewhere; one computation has arrays of one kind."""


def uses_numpy(tensor: Tensor) -> bool:
    """Whether what lies where this tensor lies is computed with numpy."""
    return tensor.device.type == "cpu"


def array_of(tensor: Tensor, dtype: torch.dtype | None = None) -> Array:
    """A tensor as an array of the kind that its device has.

    Args:
        tensor: any.
        dtype: of the array; None: that of the tensor.
    """
    values = tensor.detach() if dtype is None else tensor.detach().to(dtype)
    return values.numpy() if uses_numpy(tensor) else values


def centred(tensor: Tensor, mean: NDArray[np.float64]) -> Array:
    """Rows (n, d) less their mean (d,), in float64."""
    rows = array_of(tensor)
    if isinstance(rows, Tensor):
        return rows.double() - like(mean, rows)
    return np.subtract(rows, mean, dtype=np.float64)


def namespace(array: Array) -> Any:
    """The library of an array, numpy or torch, for functions and types that both name alike."""
    return torch if isinstance(array, Tensor) else np


def like(values: NDArray[Any], array: Array, dtype: Any = None) -> Array:
    """Values of numpy as an array of the kind and on the device of another.

    Args:
        values: any.
        array: the other.
        dtype: of the array's kind; None: that of the values.
    """
    if isinstance(array, Tensor):
        return torch.from_numpy(values).to(array.device, dtype)
    return values if dtype is None else values.astype(dtype)


def zeros_like(array: Array, *shape: int) -> Array:
    """Zeros in float64, of the kind and on the device of another array."""
    if isinstance(array, Tensor):
        return torch.zeros(shape, dtype=torch.float64, device=array.device)
    return np.zeros(shape)


def on_cpu(array: Array) -> NDArray[Any]:
    """An array, or a tensor, as an array of numpy. Of a computation on another device this is where
    the part ends that is done there."""
    return array.detach().cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)


def bundles(lines: Array) -> list[Array]:
    """Rows (l, n) in bundles: one by one on the CPU, where each then stays in a cache; all at once
    elsewhere."""
    return [lines] if isinstance(lines, Tensor) else list(lines[:, None])


def sort(rows: Array) -> Array:
    """Each row (l, n) in ascending order."""
    return rows.sort(1).values if isinstance(rows, Tensor) else np.sort(rows)


def sort_with_order(rows: Array) -> tuple[Array, Array]:
    """Each row (l, n) in ascending order, and the place that each value has in its row."""
    if isinstance(rows, Tensor):
        return rows.sort(1)
    order, ordered = np.argsort(rows), np.empty_like(rows)
    for row, places, values in zip(ordered, order, rows, strict=True):
        np.take(values, places, out=row, mode="clip")  # half as long as with checks of the places
    return ordered, order


def put_back(values: Array, order: Array) -> Array:
    """The inverse of sorting: values (l, n), each at its place `order` of its row."""
    if isinstance(values, Tensor):
        return torch.empty_like(values).scatter_(1, order, values)
    placed = np.empty_like(values)
    for row, places, own in zip(placed, order, values, strict=True):
        row[places] = own
    return placed


def running_sums(steps: Array) -> Array:
    """(l, n + 1) in float64: 0, and the sums of the first steps (l, n) of each row."""
    if isinstance(steps, Tensor):
        return torch.nn.functional.pad(steps.cumsum(1, dtype=torch.float64), (1, 0))
    sums = np.zeros((len(steps), steps.shape[1] + 1))
    np.cumsum(steps, axis=1, dtype=np.float64, out=sums[:, 1:])
    return sums


def clear_diagonal(square: Array) -> None:
    """Set the diagonal to 0."""
    square.fill_diagonal_(0) if isinstance(square, Tensor) else np.fill_diagonal(square, 0)


def column_products(first: Array, second: Array) -> Array:
    """(s,) the scalar product of each column of two arrays (n, s), in float64."""
    if isinstance(first, Tensor):
        return (first.double() * second).sum(0)
    return np.einsum("is,is->s", first, second, dtype=np.float64)


class SumOfProducts:
    """The weighted sum of x x' over rows x, in float64.

    Args:
        size: d, of each row.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._total: Array = None

    def add(self, rows: Array, weight: float) -> None:
        """Add rows (n, d) in float64."""
        if isinstance(rows, Tensor):
            total = zeros_like(rows, self._size, self._size) if self._total is None else self._total
            self._total = total.addmm_(rows.T, rows, alpha=weight)
            return
        total = (
            np.zeros((self._size, self._size), order="F") if self._total is None else self._total
        )
        self._total = dsyrk(weight, rows.T, beta=1.0, c=total, lower=1, overwrite_c=1)

    def lower(self) -> NDArray[np.float64]:
        """The sum (d, d) on the CPU: its lower triangle, beside zeros."""
        if isinstance(self._total, Tensor):
            return np.asfortranarray(on_cpu(self._total.tril()))
        return np.zeros((self._size, self._size)) if self._total is None else self._total


def triangle(rows: Array) -> Array:
    """The (r, d) upper triangular factor of the QR decomposition of rows (n, d), r = min(n, d)."""
    return (
        torch.linalg.qr(rows, mode="r").R if isinstance(rows, Tensor) else np.linalg.qr(rows, "r")
    )


def concatenated(first: Array, second: Array) -> Array:
    """The rows of both."""
    library = namespace(second)
    return library.concatenate([first, second])
