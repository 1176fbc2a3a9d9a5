"""Datasets: three splits of images of one shape, which may be larger than memory."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from coequal.contract.nets import ImageShape

PART_BYTES = 1 << 23
"""Approximate memory of one part that `ImageRows.parts` reads at a time, as float32."""

Index = slice | Int[Tensor, " rows"]
"""Which rows: consecutive ones, or int64 row numbers in any order."""


class KnownManifold(ABC):
    """Where the images of a synthetic dataset lie, in closed form: one frozen dataclass per
    family."""

    @property
    @abstractmethod
    def recipe(self) -> str:
        """What determines the images, seed and version included; usable as a file name."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What the images are, in one line for people."""


@dataclass(frozen=True, eq=False)
class ImageRows:
    """Images (n, c, h, w) or features (n, d) that are read in parts, wherever they lie.

    `rows[index]` reads some of them into a tensor, by a slice or by row numbers in any order. Code
    that must work on datasets of any size reads parts only; `whole` is for code that needs
    everything at once.

    Attributes:
        shape: The shape of all rows together.
        dtype: uint8 for images as files hold them; float32 for images in [0, 1] that were made by a
            formula, and for features.
        read: Reads the rows of an index into a tensor.
        mapped: Gives all rows at once if this takes no further memory, because they are in memory
            already or mapped from a file. None if reading all of them would take memory.
        loaded: Whether all rows lie in memory already.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    read: Callable[[Index], Tensor]
    mapped: Callable[[], Tensor] | None = None
    loaded: bool = False

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Index) -> Tensor:
        return self.read(index)

    @property
    def bytes_in_all(self) -> int:
        """How much memory all rows would take."""
        return prod(self.shape) * self.dtype.itemsize

    @cached_property
    def whole(self) -> Tensor:
        """All rows. They stay in memory from now on, unless they are mapped."""
        return self[:] if self.mapped is None else self.mapped()

    def parts(self, size: int | None = None) -> Iterator[Tensor]:
        """All rows in order, some at a time.

        Args:
            size: Rows per part; by default, as many as take a few megabytes.
        """
        size = size or max(1, PART_BYTES // max(1, 4 * prod(self.shape[1:])))
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def select(self, rows: Int[Tensor, " rows"]) -> "ImageRows":
        """The rows with these numbers, in this order, read from where they lie.

        Args:
            rows: int64 row numbers.
        """
        if self.loaded:
            return in_memory(self[rows])
        return ImageRows((len(rows), *self.shape[1:]), self.dtype, lambda index: self[rows[index]])


def in_memory(values: Tensor) -> ImageRows:
    """The rows of a tensor."""
    shape, dtype = tuple(values.shape), values.dtype
    return ImageRows(shape, dtype, values.__getitem__, lambda: values, loaded=True)


def in_file(path: Path) -> ImageRows:
    """The rows of a `.npy` file, in C order and of a type that torch knows."""

    def read(index: Index) -> Tensor:
        # Mapped anew for each part: what has been read leaves the memory with the map.
        rows = index if isinstance(index, slice) else index.numpy()
        return torch.from_numpy(np.array(np.load(path, mmap_mode="r")[rows]))

    def mapped() -> Tensor:
        # "c": writable for torch's sake; what is written would never reach the file.
        return torch.from_numpy(np.load(path, mmap_mode="c"))

    return ImageRows(np.load(path, mmap_mode="r").shape, read(slice(0)).dtype, read, mapped)


@dataclass(frozen=True, eq=False, init=False)
class Split:
    """One part of a dataset.

    Attributes:
        images: (n, c, h, w), uint8 as files hold them, or float32 in [0, 1] if they were made by a
            formula and 8 bits would blur what is measured; the same for all splits of a dataset.
        labels: (n,) int64, 0 .. classes - 1; None where the images have no classes.
    """

    images: ImageRows
    labels: Int[Tensor, " n"] | None = None

    def __init__(self, images: ImageRows | Tensor, labels: Int[Tensor, " n"] | None = None) -> None:
        rows = in_memory(images) if isinstance(images, Tensor) else images
        object.__setattr__(self, "images", rows)
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.images)

    def select(self, rows: Int[Tensor, " rows"]) -> "Split":
        """The images with these row numbers, in this order, and their labels."""
        return Split(self.images.select(rows), None if self.labels is None else self.labels[rows])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three disjoint splits of images of one shape.

    Attributes:
        name: As a study file has it.
        train: What generators are trained on.
        validation: What settings and checkpoints are chosen by.
        test: What is reported.
        classes: Names of the labels 0, 1, ...; None where the images have no classes.
        notes: What was done to the files, for the user and the record.
        manifold: Where the images lie, if they were made by a formula.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    manifold: KnownManifold | None = None

    @property
    def shape(self) -> ImageShape:
        """Channels, height, width of every image."""
        return ImageShape(*self.train.images.shape[1:])

    def split(self, name: str) -> Split:
        """The split called train, validation or test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]
