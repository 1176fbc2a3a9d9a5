"""The images themselves as features: no net, no weights, and no idea of what is in an image."""

from pathlib import Path

from torch import Tensor

from coequal.contract import Dataset, Encoder, Log
from coequal.datasets._resize import SIZES
from coequal.images import as_float

PART = "Pixels"
LARGEST = 4096  # features; a Fréchet distance of more is hours of linear algebra


class Pixels(Encoder):
    """All values of an image in [0, 1], in one row."""

    id = "pixels:values-in-0-1"
    note = "raw pixels"
    batch = 1
    default_rank = 50

    @classmethod
    def unsupported_reason(cls, dataset: Dataset) -> str | None:
        """Images of more than 4,096 values are too large."""
        channels, height, width = dataset.shape
        if channels * height * width <= LARGEST:
            return None
        side = max(size for size in SIZES if channels * size**2 <= LARGEST or size == SIZES[0])
        return (
            f"encoder pixels takes at most {LARGEST} values per image; "
            f"{dataset.name} has {channels}x{height}x{width}; what would do: images of at most "
            f"{side}x{side} (--image-size {side}, in a study file image_size: {side}), or another "
            "encoder"
        )

    @classmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> "Pixels":
        """Nothing to prepare."""
        return cls()

    def features(self, images: Tensor) -> Tensor:
        """(n, c h w) values in [0, 1]."""
        return as_float(images.to(self.device)).flatten(1)
