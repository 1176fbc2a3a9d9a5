"""Sliced Wasserstein distance of patches in a Laplacian pyramid: Karras et al. 2018,
arXiv:1710.10196, section 5; constants from their program (metrics/sliced_wasserstein.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.images import to_uint8
from coequal.metrics import _arrays
from coequal.metrics._canonical_order import in_fixed_order, some
from coequal.metrics._transport import influences
from coequal.rng import Rng
from coequal.settings import Count

PART = "PatchDistance"
PAPER = {"images": 16_384, "patches": 128, "directions": 128, "repeats": 4}
"""What Karras et al. take; the defaults here are smaller, for small images and one core."""

PATCH = 7
MIN_LEVEL_SIDE = 16  # no level has a shorter side, unless the images themselves have
IMAGES_PER_BATCH = 500


class Level(NamedTuple):
    """One level of the pyramid.

    Attributes:
        distance: the sliced distance of its patches.
        counts_for: (n,) how fast the distance grows with the weight of each generated image.
    """

    distance: float
    counts_for: NDArray[np.float64]


@dataclass(frozen=True)
class PatchDistance(Metric):
    """Mean over levels of the sliced Wasserstein-1 distance of 7 x 7 patches, times 1000; 0 is
    best.

    Level by level, the patches of each set are brought to mean 0 and deviation 1 per channel, and
    projected on random unit vectors; the distance is the mean absolute difference of the sorted
    projections. Levels go from the full size, halving, down to 16 pixels; images under 32 have one.
    The coarsest level is the low-pass image itself. Grey images have one channel.

    Equal counts: of the larger set a random part is taken. Patches lie at the same random places of
    both sets, so that a set is at 0 from itself. Biased upwards: two real sets are not at 0, so
    compare at equal counts and settings only. `patches` counts per image and level, `directions`
    per repeat; patches lie anywhere that they fit, images smaller than 7 pixels are patches
    themselves.

    The standard error is over new fake images, the real ones, the places and the vectors being the
    same: the deviation of what each image counts for with all its patches, its part in the mean and
    deviation that they are brought to included, over the root of the number of images. In
    simulations it was 0.9 to 1.2 times the true one, and where both distributions are the same 1.3
    times.

    Attributes:
        patches: of each image and level.
        directions: random unit vectors of each repeat.
        repeats: of the projection, with new unit vectors.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "swd_patches": MetricInfo(
            "lower",
            "standard deviations x 1000",
            best=0.0,
            label="SWD patches",
            use="texture and sharpness at each scale; blind to what is shown, and to "
            "which classes are missing",
        )
    }
    required: ClassVar[tuple[RequiredInput, ...]] = ("images",)
    patches: Count = 32
    directions: Count = 64
    repeats: Count = 2

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the images themselves, uint8."""
        assert real.images is not None
        return {"images": to_uint8(real.images)}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `swd_patches`."""
        assert fake.images is not None
        levels = self.levels(real=real["images"], fake=to_uint8(fake.images), rng=rng).values()
        distance = sum(level.distance for level in levels) / len(levels)
        counts_for = np.mean([level.counts_for for level in levels], axis=0)
        count = len(counts_for)
        error = float(counts_for.std(ddof=1)) / count**0.5 if count > 1 else None
        return {"swd_patches": MetricValue(distance, error)}

    def levels(self, *, real: Tensor, fake: Tensor, rng: Rng) -> dict[int, Level]:
        """Times 1000, of images (n, c, h, w) at each level, by its shorter side."""
        count = min(len(real), len(fake))
        chosen = [
            in_fixed_order(images) if len(images) == count else some(images, count, rng)
            for images in (real, fake)
        ]
        # Both sides show the same places: otherwise these would be a part of the distance.
        places = [
            corners.to(real.device)
            for corners in self._places(count, real.shape[-2], real.shape[-1], rng)
        ]
        drawn = [self._descriptors(images, places) for images in chosen]
        shape = (count, self.patches, real.shape[1])
        return {
            side: self._level(
                real=drawn[0][side].flatten(1), fake=drawn[1][side].view(*shape, -1), rng=rng
            )
            for side in drawn[0]
        }

    def _places(self, count: int, height: int, width: int, rng: Rng) -> list[Tensor]:
        """The upper left corners (2, count, patches) of the patches at each level."""
        corners: list[Tensor] = []
        for h, w in level_sizes(height, width):
            rows, columns = (
                rng.integers(side - patch_side(h, w) + 1, count * self.patches) for side in (h, w)
            )
            corners.append(torch.stack([rows, columns]).view(2, count, self.patches))
        return corners

    def _descriptors(self, images: Tensor, corners: list[Tensor]) -> dict[int, Tensor]:
        """Normalised patches (patches in all, c, p, p) at each level."""
        by_level: list[list[Tensor]] = [[] for _ in corners]
        for start in range(0, len(images), IMAGES_PER_BATCH):
            some = slice(start, start + IMAGES_PER_BATCH)
            for level, corner, patches in zip(
                pyramid(images[some]), corners, by_level, strict=True
            ):
                patches.append(cut(level, corner[:, some]))
        sides = [min(size) for size in level_sizes(*images.shape[-2:])]
        return {
            side: normalised(torch.cat(patches))
            for side, patches in zip(sides, by_level, strict=True)
        }

    def _level(self, *, real: Tensor, fake: Tensor, rng: Rng) -> Level:
        """The mean over all repeats of descriptors real (n k, c p p) and fake (n, k, c, p p)."""
        rows = fake.flatten(0, 1).flatten(1)
        distance, counts_for = 0.0, _arrays.zeros_like(_arrays.array_of(rows), len(rows))
        by_shift, by_scale = fake.new_zeros(2, fake.shape[2])  # of all values in a channel
        for _ in range(self.repeats):
            drawn = rng.normal(self.directions, real.shape[1])
            unit = (drawn / drawn.norm(dim=1, keepdim=True)).to(real.device)
            both = (_arrays.array_of(unit @ patches.T) for patches in (real, rows))
            signs = []  # the derivative of the distance by each projection
            for ours, theirs in zip(*map(_arrays.bundles, both), strict=True):
                x, (y, order) = _arrays.sort(ours), _arrays.sort_with_order(theirs)
                gaps, library = y - x, _arrays.namespace(y)
                distance += float(abs(gaps).mean(1, dtype=library.float64).sum())
                effects = influences(real=x, fake=y, power=1)
                counts_for += _arrays.put_back(effects, order).sum(0)
                signs.append(_arrays.put_back(library.sign(gaps) / len(rows), order))
            slopes = torch.cat([torch.as_tensor(bundle) for bundle in signs])
            channels = unit.view(len(unit), fake.shape[2], -1)
            by_shift += (slopes.sum(1)[:, None] * channels.sum(2)).sum(0)
            by_scale += ((slopes @ rows).view_as(channels) * channels).sum((0, 2))
        # An image that is brighter, or has more contrast, than the rest takes theirs down.
        shift = fake.mean((1, 3)) @ by_shift
        scale = (fake.square().mean((1, 3)) - 1) / 2 @ by_scale
        own = _arrays.on_cpu(counts_for).reshape(fake.shape[:2]).mean(1)
        factor = 1000 / (self.repeats * self.directions)
        return Level(factor * distance, factor * (own - _arrays.on_cpu((shift + scale).double())))


def pyramid(images: Tensor) -> list[Tensor]:
    """The Laplacian pyramid of images (n, c, h, w), finest first; the last level is low-pass.

    Each level is what its own reduced and enlarged copy lacks. Sides that are odd round up when
    halved, and an enlarged copy loses the row or column too many (the paper has none such).
    """
    levels = [images.float()]
    for _ in level_sizes(*images.shape[-2:])[1:]:
        above = levels[-1]
        below = smoothed(above)[:, :, ::2, ::2]
        levels[-1] = above - enlarged(below)[:, :, : above.shape[2], : above.shape[3]]
        levels.append(below)
    return levels


def level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Height and width of every level, finest first."""
    sizes = [(height, width)]
    while min(height, width) // 2 >= MIN_LEVEL_SIDE:
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return sizes


def smoothed(images: Tensor) -> Tensor:
    """Images under the binomial 5 x 5 filter, mirrored at the border without repeating it."""
    smooth = functional.pad(images, (2, 2, 2, 2), mode="reflect")
    for axis in (2, 3):  # shifted sums: 20 times as fast as torch's convolution of one channel
        side = images.shape[axis]
        a, b, c, d, e = (smooth.narrow(axis, start, side) for start in range(5))
        smooth = (a + e + 4 * (b + d) + 6 * c) / 16
    return smooth


def enlarged(images: Tensor) -> Tensor:
    """Images of twice the size: zeros between the pixels, then four times the filter."""
    n, c, h, w = images.shape
    spread = images.new_zeros(n, c, 2 * h, 2 * w)
    spread[:, :, ::2, ::2] = images
    return 4 * smoothed(spread)


def patch_side(height: int, width: int) -> int:
    """7, or all of a smaller image."""
    return min(PATCH, height, width)


def cut(level: Tensor, corners: Tensor) -> Tensor:
    """Patches (n * k, c, p, p) of a level (n, c, h, w) with their upper left corners at (2, n,
    k)."""
    size = patch_side(*level.shape[-2:])
    windows = level.unfold(2, size, 1).unfold(3, size, 1)
    image = torch.arange(len(level), device=level.device)[:, None].expand(corners.shape[1:])
    return windows[image.flatten(), :, corners[0].flatten(), corners[1].flatten()]


def normalised(patches: Tensor) -> Tensor:
    """Patches (n, c, p, p) at mean 0 and deviation 1 per channel; a constant channel is 0."""
    deviation, mean = torch.std_mean(patches, dim=(0, 2, 3), correction=0, keepdim=True)
    return (patches - mean) / torch.where(deviation > 0, deviation, 1.0)
