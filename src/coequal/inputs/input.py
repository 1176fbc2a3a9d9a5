"""What is scored: images, features of images, or statistics of features."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from coequal.contract import Dataset, Generator, ImageRows, ImageShape, Statistics
from coequal.inputs.rows import Digests

Scorable = str | Path | Tensor | np.ndarray | Any


@dataclass(frozen=True, eq=False)
class Input:
    """Images, or features of images, and where they come from.

    Those of a folder, a zip or a file are read when they are needed, some at a time.

    Attributes:
        what: the name that the user gave them.
        kind: "folder", "zip", "images", "features", "statistics", "data set", "model" or
            "generator".
        digests: of each image's pixels, or of its features.
        images: (n, c, h, w) uint8 or float32; None if only features or statistics were given.
        features: (n, d) float32; None if images or only statistics were given.
        statistics: of features of these images or of more: of several layers, which the number of
            features tells apart.
        labels: (n,) int64.
        classes: their names.
        dataset: the dataset whose split this is, if it is one.
        split: the name of that split.
        generator: what made the images.
        drawn: how it made them, as "key=value" pairs for a protocol.
        made: how a generator from outside made them, as plain values for the record: what differs
            between generators that are to be compared is no part of a protocol.
        lossy: number of images that were stored in a lossy format.
        brightest: the largest value of all pixels, if it is known already.
        notes: what was done to the images, and what was not used.
        warnings: why they may not be what they were meant to be.
        unlabelled: why labels that were given can't be used.
        names: of the files, in the order of the images; empty where the images have no files.
    """

    what: str
    kind: str
    digests: Digests
    images: ImageRows | None = None
    features: ImageRows | None = None
    labels: Tensor | None = None
    classes: tuple[str, ...] | None = None
    dataset: Dataset | None = None
    split: str | None = None
    generator: Generator | None = None
    drawn: str = ""
    lossy: int = 0
    brightest: int | None = None
    notes: tuple[str, ...] = field(default=())
    warnings: tuple[str, ...] = ()
    unlabelled: str = ""
    names: tuple[str, ...] = ()
    statistics: tuple[Statistics, ...] = ()
    made: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        """How many images or rows of features there are; 0 of statistics alone."""
        return len(self.digests)

    @property
    def rows(self) -> ImageRows | None:
        """The images, or else the features; None of statistics alone."""
        return self.features if self.images is None else self.images

    @property
    def count(self) -> int | None:
        """Of how many images this is; None of statistics that don't say it."""
        return self.statistics[0].count if self.rows is None else len(self)

    @property
    def shape(self) -> ImageShape | None:
        """Channels, height and width of the images; None for features."""
        return None if self.images is None else ImageShape(*self.images.shape[1:])

    def digest(self) -> str:
        """SHA-256 of the shape and of every image's SHA-256: what a cache of features may be keyed
        by. Statistics beside images are not part of it."""
        rows = self.rows
        if rows is None:
            return self.statistics[0].digest()
        kind = "features" if self.images is None else "images"
        hashed = hashlib.sha256(f"{kind} {tuple(rows.shape)}".encode())
        hashed.update(self.digests.tobytes())
        return hashed.hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """For the record."""
        shape = {} if self.shape is None else {"shape": list(self.shape)}
        classes = {} if self.classes is None else {"classes": list(self.classes)}
        statistics = [
            {
                "features": one.dimension,
                "count": one.count,
                "encoder": one.encoder,
                "sha256": one.digest(),
            }
            for one in self.statistics
        ]
        return {
            "source": self.what,
            "kind": self.kind,
            "count": self.count,
            **shape,
            **classes,
            **({"statistics": statistics} if statistics else {}),
            **({} if self.made is None else {"generator": dict(self.made)}),
            "sha256": self.digest(),
            "notes": list(self.notes),
        }
