"""Diversity by MS-SSIM: Odena et al. 2017, arXiv:1610.09585, section 4.2; the similarity itself:
Wang et al. 2003, "Multiscale structural similarity for image quality assessment", equation 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.images import to_uint8
from coequal.metrics._canonical_order import in_fixed_order
from coequal.metrics._pairs import draw_pairs
from coequal.rng import Rng
from coequal.settings import Count

PART = "PairSimilarity"
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of Wang et al., finest scale first
WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # grey levels squared
PAIRS_PER_BATCH = 50


@dataclass(frozen=True)
class PairSimilarity(Metric):
    """Mean MS-SSIM of random pairs of generated images, 0 to 1; lower means more diverse.

    A generator with one image scores 1. No real image is used, and noise scores near 0: only
    what is above the value of real images tells of collapse. Odena et al. take pairs inside one
    class; generated images have no class here, so pairs are of all images and values lower.

    The pairs are disjoint as long as the images suffice: then the standard error is their standard
    deviation over the root of their number. With more pairs than half the images, an image comes
    again, and there is none. Unbiased over pairs.

    Attributes:
        pairs: how many random pairs are compared.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "ms_ssim": MetricInfo(
            "lower",
            "mean similarity",
            worst=1.0,
            label="MS-SSIM",
            blind_to="noise, which is the least similar to itself",
            use="collapse: random pairs of generated images that are alike; noise is never alike",
        )
    }
    required: ClassVar[tuple[RequiredInput, ...]] = ("images",)
    pairs: Count = 1000

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep nothing: real images are not used."""
        return {}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `ms_ssim`.

        Raises:
            ValueError: there are fewer than two images.
        """
        assert fake.images is not None
        if len(fake.images) < 2:
            raise ValueError(f"ms_ssim: needs two images or more, got {len(fake.images)}")
        images = in_fixed_order(to_uint8(fake.images))
        first, second = draw_pairs(len(images), self.pairs, rng).to(images.device)
        similarities = torch.cat(
            [
                similarity(images[a], images[b])
                for a, b in zip(
                    first.split(PAIRS_PER_BATCH), second.split(PAIRS_PER_BATCH), strict=True
                )
            ]
        )
        disjoint = 1 < self.pairs <= len(images) // 2
        error = float(similarities.std()) / self.pairs**0.5 if disjoint else None
        return {"ms_ssim": MetricValue(float(similarities.mean()), error)}


def similarity(first: Tensor, second: Tensor) -> Tensor:
    """MS-SSIM (n,) of images (n, c, h, w) with values 0 .. 255, in float64; 1 for equal images.

    Scales are halved, by means of 2 x 2 pixels (an odd last row or column falls away, where other
    programs pad: sides that halve evenly agree with them), as long as
    the window of 11 pixels fits, five at most: 176 pixels have all five, 28 and 32 have two. Fewer
    scales have the first weights, divided by their sum. Images smaller than 11 pixels have one
    scale, and a window as large as they are with a sigma in proportion. Contrast and structure
    below 0 count as 0. Channels are treated alike, each its own image, and averaged at the end.
    """
    x, y = first.double(), second.double()
    count = scales(min(x.shape[-2:]))
    weights = torch.tensor(WEIGHTS[:count], dtype=torch.float64)
    if count < len(WEIGHTS):
        weights = weights / weights.sum()
    product = x.new_ones(x.shape[:2])
    for scale, weight in enumerate(weights):
        if scale > 0:
            x, y = functional.avg_pool2d(x, 2), functional.avg_pool2d(y, 2)
        luminance, contrast = compare(x, y)
        last = scale == count - 1
        factor = (luminance * contrast if last else contrast).mean((2, 3))
        product = product * factor.clamp(min=0) ** weight
    return product.mean(1)


def scales(side: int) -> int:
    """How many times, 5 at most, an image can be halved and still hold the window; at least 1."""
    count = 1
    while count < len(WEIGHTS) and side // 2 >= WINDOW:
        side //= 2
        count += 1
    return count


def compare(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Maps of luminance, and of contrast times structure, where the window lies inside."""
    size = min(WINDOW, *x.shape[-2:])
    place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    window = (-0.5 * (place * WINDOW / (size * SIGMA)).square()).exp()
    window = window / window.sum()

    mean_x, mean_y = blur(x, window), blur(y, window)
    variances = blur(x * x, window) - mean_x**2 + blur(y * y, window) - mean_y**2
    covariance = blur(x * y, window) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return luminance, (2 * covariance + C2) / (variances + C2)


def blur(images: Tensor, window: Tensor) -> Tensor:
    """Images (n, c, h, w) under a window (size,) in both directions, without a border."""
    for axis in (2, 3):  # shifted sums: 15 times as fast as torch's convolution in float64
        side = images.shape[axis] - len(window) + 1
        total = torch.zeros_like(images.narrow(axis, 0, side))
        for start, weight in enumerate(window.tolist()):
            total.add_(images.narrow(axis, start, side), alpha=weight)
        images = total
    return images
