"""Pictures decoded once into one array on disk, of which only what is needed is read.

All processes that read it share the system's file cache: loading takes no time and little memory.
"""

import json
import shutil
from collections.abc import Iterable, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coequal.contract import Log, Split
from coequal.contract.data import in_file
from coequal.files import atomic_file, write_json

Shape = tuple[int, int, int, int]


class Decoded:
    """All pictures of a dataset in one array file (n, c, h, w), and a file that describes them.

    Args:
        folder: Where both files lie, or are to lie.
        name: Of both files, without their suffixes.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.array, self.text = folder / f"{name}.npy", folder / f"{name}.json"

    def complete(self, log: Log) -> bool:
        """Whether decoding came to its end, and both files can be read.

        Args:
            log: Is told of a damaged file, which is to be written anew.
        """
        if not (self.array.exists() and self.text.exists()):
            return False
        try:
            self.facts()
            in_file(self.array)
        except (ValueError, EOFError) as error:
            log(f"{self.array} or {self.text.name} is damaged ({error}) and is decoded again")
            return False
        return True

    def write(self, shape: Shape, pictures: Iterable[NDArray[np.uint8]]) -> None:
        """Write the array, whole or not at all.

        Args:
            shape: Of all pictures together, (n, c, h, w).
            pictures: In order, each (c, h, w) or some at a time (rows, c, h, w); none is kept.

        Raises:
            OSError: The disk has too little space.
        """
        folder, size = self.array.parent, prod(shape)
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < size:
            wanted = f"{self.array} takes {size / 1e9:.1f} GB"
            raise OSError(f"{wanted}, and its disk has {free / 1e9:.1f} GB left")
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        with atomic_file(self.array) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for some in pictures:
                file.write(np.ascontiguousarray(some).data)

    def describe(self, **facts: Any) -> None:
        """Write plain values that describe the pictures; the last thing that decoding does."""
        write_json(self.text, facts)

    def facts(self) -> dict[str, Any]:
        """What `describe` was given."""
        facts: dict[str, Any] = json.loads(self.text.read_text())
        return facts

    def splits(
        self, counts: Sequence[int], shape: tuple[int, int, int], labels: Tensor | None = None
    ) -> list[Split]:
        """The splits that lie in the file one after the other, read when they are wanted.

        Args:
            counts: How many pictures each split has.
            shape: Of every picture, (c, h, w).
            labels: (n,) of all pictures, in the order of the file.

        Raises:
            ValueError: The file holds other pictures than it should.
        """
        wanted = (sum(counts), *shape)
        rows = in_file(self.array)
        if rows.shape != wanted or rows.dtype != torch.uint8:
            form = str(rows.dtype).removeprefix("torch.")
            raise ValueError(
                f"{self.array} is damaged (holds {form} of shape {rows.shape}, not {wanted}); "
                "delete it to decode anew"
            )
        return [Split(rows, labels).select(part) for part in torch.arange(wanted[0]).split(counts)]
