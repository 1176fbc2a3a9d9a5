"""Images as metrics see them."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from coequal.contract.data import KnownManifold
from coequal.contract.feature_statistics import Statistics
from coequal.contract.neighbours import NearestMemory
from coequal.contract.nets import Generator

CHECKED_AT_ONCE = 2000  # images
ODD = 0x9E3779B1 - (1 << 32)  # an int32 that spreads small numbers over all bits


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images as a metric sees them: the encoder's output, and the images themselves if a metric
    needs them. All tensors lie on one device, and metrics compute there."""

    features: Float[Tensor, "n d"]  # of a file: mapped, so that they take memory when looked at
    probabilities: Float[Tensor, "n classes"] | None = None
    labels: Int[Tensor, " n"] | None = None
    images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"] | None = None
    read: Callable[[slice], Tensor] | None = None  # some of the features, not by way of the map
    manifold: KnownManifold | None = None  # of real images that were made by a formula
    generator: Generator | None = None  # what made fake images; not to be changed
    statistics: Statistics | None = None
    """Statistics of the features of more images than these, or of images that are not here at all
    (then `features` has no rows). Metrics that take statistics use them instead of the features."""
    neighbours: NearestMemory = field(default_factory=NearestMemory)  # of these features
    shared: dict[Any, Any] = field(default_factory=dict)
    """What one metric has computed from these images for others to use, by a key that names it."""

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def not_finite(self) -> Mapping[str, int]:
        """How many images hold NaN or infinity in their features, probabilities or pixels; what is
        finite, or missing, is left out. Read once, some rows at a time."""
        tensors = {"probabilities": self.probabilities, "images": self.images}
        parts = {
            "features": self.parts(CHECKED_AT_ONCE),
            **{k: iter(v.split(CHECKED_AT_ONCE)) for k, v in tensors.items() if v is not None},
        }
        counts = {name: sum(map(_not_finite, some)) for name, some in parts.items()}
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def repetition(self) -> float:
        """The factor by which repeats raise the variance of a mean: the sum over distinct images of
        the square of how often each occurs, divided by the number of images. 1 if all differ, n if
        all are equal."""
        if not len(self):
            return 1.0
        hashes = torch.cat([_hashes(rows) for rows in self.parts(CHECKED_AT_ONCE)])
        _, place, counts = hashes.unique(return_inverse=True, return_counts=True)
        (maybe,) = (counts[place] > 1).nonzero(as_tuple=True)
        others = len(self) - len(maybe)  # equal images have equal hashes
        seen: Counter[bytes] = Counter()
        for rows in maybe.split(CHECKED_AT_ONCE):
            contents = [_row_bytes(tensor[rows]) for tensor in self._given]
            seen.update(map(b"".join, zip(*contents, strict=True)))
        return (others + sum(count**2 for count in seen.values())) / len(self)

    def to(self, device: torch.device | str) -> "ImageSet":
        """The same images on a device; this object itself if they lie there already."""
        if self.features.device == torch.device(device):
            return self

        def moved(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device)

        return replace(
            self,
            features=self.features.to(device),
            probabilities=moved(self.probabilities),
            labels=moved(self.labels),
            images=moved(self.images),
            read=None,
        )

    @property
    def _given(self) -> list[Tensor]:
        """What is known of every image: features, and probabilities and pixels if there are any."""
        return [x for x in (self.features, self.probabilities, self.images) if x is not None]

    def parts(self, size: int) -> Iterator[Float[Tensor, "rows d"]]:
        """The features in order, `size` rows at a time; of a file, only these are in memory."""
        for start in range(0, len(self), size):
            some = slice(start, start + size)
            yield self.features[some] if self.read is None else self.read(some)


def _hashes(rows: Float[Tensor, "n d"]) -> Int[Tensor, " n"]:
    """An int32 for each row, by its bits: a sum of integers, modulo 2^32, is the same in any
    order."""
    wide = rows if rows.element_size() >= 4 else rows.float()
    bits = wide.contiguous().view(torch.int32)
    place = torch.arange(bits.shape[1], dtype=torch.int32, device=rows.device)
    return (bits * ((2 * place + 1) * ODD)).sum(1, dtype=torch.int32)


def _row_bytes(rows: Tensor) -> list[bytes]:
    """The content of each row."""
    return [row.tobytes() for row in rows.detach().cpu().contiguous().numpy()]


def _not_finite(rows: Tensor) -> int:
    """How many rows hold NaN or infinity."""
    # The extremes pass NaN on; an array of answers is made only where there is something to count.
    if not rows.is_floating_point() or not rows.numel():
        return 0
    if all(map(math.isfinite, torch.stack(rows.aminmax()).tolist())):
        return 0
    return int((~rows.isfinite()).flatten(1).any(1).sum())
