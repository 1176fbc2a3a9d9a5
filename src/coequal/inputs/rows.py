"""Rows of images or features: their digests, and a file of them written in parts."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from coequal.files import atomic_file

Digests = NDArray[np.uint8]  # (n, 32): a SHA-256 a row


def digests_of(parts: Iterable[Tensor]) -> Digests:
    """SHA-256 of every row's values; 0 and -0 are the same value."""
    digests = bytearray()
    for part in parts:
        for row in (part + 0.0 if part.is_floating_point() else part).numpy():
            digests += hashlib.sha256(np.ascontiguousarray(row).data).digest()
    return np.frombuffer(digests, np.uint8).reshape(-1, 32)


def write_rows(path: Path, shape: tuple[int, ...], parts: Iterable[Tensor]) -> None:
    """Float32 rows as a `.npy`, there whole or not at all, with one part in memory at a time."""
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with atomic_file(path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part.numpy(), dtype="<f4").data)
