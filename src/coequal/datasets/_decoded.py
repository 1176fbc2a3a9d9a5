"""Pictures decoded once into one array on disk, which is then mapped into memory, not read.

All processes that map it share what they see of it: loading takes no time and little memory.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from coequal.files import write_json

Array = NDArray[np.uint8]


class Description(NamedTuple):
    """What a file of decoded pictures holds."""

    counts: list[int]  # train, validation, test
    notes: list[str]


class Decoded:
    """All pictures of a data set in one array file, split after split, and what they are."""

    def __init__(self, folder: Path, name: str, size: int) -> None:
        self.array = folder / f"{name}_{size}x{size}.npy"
        self.text = self.array.with_suffix(".json")
        self.size = size

    def complete(self) -> bool:
        """Whether decoding came to its end."""
        return self.array.exists() and self.text.exists()

    def room(self, count: int) -> int:
        """Bytes that so many pictures take."""
        return count * 3 * self.size**2

    def write(self, count: int, fill: Callable[[Array], None]) -> None:
        """Write the array, (count, 3, size, size), whole or not at all.

        Args:
            count: of pictures.
            fill: writes them into the mapped array.

        Raises:
            OSError: the disk has too little room.
        """
        folder = self.array.parent
        free = shutil.disk_usage(folder).free
        if free < self.room(count):  # a mapped file would end the process when the disk is full
            wanted = f"{self.array} takes {self.room(count) / 1e9:.1f} GB"
            raise OSError(f"{wanted}, and its disk has {free / 1e9:.1f} GB left")
        handle, path = tempfile.mkstemp(dir=folder, prefix=f".{self.array.name}.")
        os.close(handle)
        try:
            array = open_memmap(
                path, mode="w+", dtype=np.uint8, shape=(count, 3, self.size, self.size)
            )
            fill(array)
            array.flush()
            os.chmod(path, 0o644)  # a temporary file is its owner's only
            os.replace(path, self.array)
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise

    def describe(self, counts: Sequence[int], notes: Sequence[str]) -> None:
        """Note what the array holds; the last thing that decoding does."""
        write_json(self.text, {"counts": list(counts), "notes": list(notes)})

    def description(self) -> Description:
        """How many pictures each split has, and the notes."""
        values = json.loads(self.text.read_text())
        return Description(values["counts"], values["notes"])

    def images(self, count: int) -> Array:
        """The array, (count, 3, size, size), mapped; what is written to it stays in memory.

        Raises:
            ValueError: the file is damaged.
        """
        wanted = (count, 3, self.size, self.size)
        try:
            array = np.load(self.array, mmap_mode="c", allow_pickle=False)
            if array.shape != wanted or array.dtype != np.uint8:
                raise ValueError(f"holds {array.dtype} of shape {array.shape}, not {wanted}")
        except ValueError as error:
            raise ValueError(
                f"{self.array} is damaged ({error}); delete it to decode anew"
            ) from error
        return np.asarray(array)
