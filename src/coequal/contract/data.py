"""Data sets: three splits of images of one shape."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from coequal.contract.nets import ImageShape

BYTES = 1 << 23  # of rows that are looked at at once


class KnownManifold(ABC):
    """Where the images of a made data set lie, in closed form: a frozen dataclass per family."""

    @property
    @abstractmethod
    def recipe(self) -> str:
        """All that the images follow from, seed and version included; fit for a file's name."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What the images are, in one line for people."""


@dataclass(frozen=True, eq=False)
class ImageRows:
    """uint8 images (n, c, h, w) or float32 features (n, d), wherever they lie.

    Attributes:
        shape: of all.
        read: gives those from start to stop, and holds no more than these in memory.
        mapped: all of them at once, if that costs no memory: they are there, or mapped from a file.
    """

    shape: tuple[int, ...]
    read: Callable[[int, int], Tensor]
    mapped: Callable[[], Tensor] | None = None

    def __len__(self) -> int:
        return self.shape[0]

    @cached_property
    def whole(self) -> Tensor:
        """All of them; in memory from now on, unless they are mapped."""
        return self.read(0, len(self)) if self.mapped is None else self.mapped()

    def parts(self) -> Iterator[Tensor]:
        """All of them in order, a few megabytes at a time."""
        size = max(1, BYTES // max(1, 4 * int(np.prod(self.shape[1:]))))
        for start in range(0, len(self), size):
            yield self.read(start, start + size)


def held(values: Tensor) -> ImageRows:
    """Rows that are in memory."""
    return ImageRows(tuple(values.shape), lambda start, stop: values[start:stop], lambda: values)


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a data set: all its images in one tensor.

    Images are uint8, as files hold them, or float32 in [0, 1] where they were made by a formula and
    8 bits would blur what is measured; all splits of a data set alike.
    """

    images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]
    labels: Int[Tensor, " n"] | None = None  # int64, 0 .. classes - 1

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three disjoint splits of images of one shape."""

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = field(
        default=()
    )  # what was done to the files, for the user and the record
    manifold: KnownManifold | None = None  # of images that were made by a formula

    @property
    def shape(self) -> ImageShape:
        """Channels, height, width of every image."""
        return ImageShape(*self.train.images.shape[1:])

    def split(self, name: str) -> Split:
        """The split called train, validation or test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]
