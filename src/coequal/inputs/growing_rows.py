"""Rows whose number is known when the last has come: in memory while few, then in a file."""

import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from coequal.contract.data import ImageRows, in_file, in_memory
from coequal.inputs.array_files import remove_with, temporary_folder
from coequal.inputs.rows import Digests, digests_of

IN_MEMORY_BYTES = 1 << 28
"""Rows that take more go to a temporary file as they come."""
_KINDS = {torch.uint8: "|u1", torch.float32: "<f4"}


class GrowingRows:
    """Rows of one shape and type that are appended, a few at a time."""

    def __init__(self) -> None:
        self._parts: list[Tensor] = []
        self._count = 0
        self._bytes = 0
        self._digests = bytearray()
        self._folder: Path | None = None
        self._file: BinaryIO | None = None

    def __len__(self) -> int:
        return self._count

    def add(self, rows: Tensor) -> None:
        """Append rows, (n, ...) uint8 or float32 on the CPU, in the shape of those before."""
        rows = rows.contiguous()
        self._digests += digests_of([rows]).tobytes()
        self._count += len(rows)
        self._bytes += rows.nbytes
        if self._file is not None:
            self._file.write(rows.numpy().data)
            return
        self._parts.append(rows.clone())  # whoever gives them may use one buffer for all
        if self._bytes > IN_MEMORY_BYTES:
            self._open()

    @property
    def digests(self) -> Digests:
        """SHA-256 of every row's values."""
        return np.frombuffer(bytes(self._digests), np.uint8).reshape(-1, 32)

    def done(self) -> ImageRows:
        """All rows. Nothing can be appended any more."""
        if self._file is None or self._folder is None:
            return in_memory(torch.cat(self._parts))
        self._file.seek(0)
        self._write_header()
        self._file.close()
        self._unfinished.detach()
        rows = in_file(self._folder / "rows.npy")
        remove_with(rows, self._folder)
        return rows

    def discard(self) -> None:
        """Remove the rows, which nobody wants any more."""
        if self._file is not None:
            self._unfinished()

    def converted(self, convert: Callable[[Tensor], Tensor]) -> "GrowingRows":
        """The same rows in another form, instead of these."""
        new = GrowingRows()
        for part in self.done().parts():
            new.add(convert(part))
        return new

    def _open(self) -> None:
        self._folder = temporary_folder()
        self._file = (self._folder / "rows.npy").open("wb")
        self._unfinished = weakref.finalize(self, _remove, self._file, self._folder)
        self._shape, self._kind = self._parts[0].shape[1:], _KINDS[self._parts[0].dtype]
        self._write_header()
        for part in self._parts:
            self._file.write(part.numpy().data)
        self._parts = []

    def _write_header(self) -> None:
        # NumPy leaves room for a first axis of any length, so that the header can be written anew.
        assert self._file is not None
        shape = (self._count, *self._shape)
        header = {"descr": self._kind, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


def _remove(file: BinaryIO, folder: Path) -> None:
    file.close()
    shutil.rmtree(folder, ignore_errors=True)
