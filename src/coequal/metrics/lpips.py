"""Diversity by LPIPS, the mean perceptual distance of pairs of generated images: Zhang et al. 2018,
arXiv:1801.03924; as a measure of diversity: Zhu et al. 2017, arXiv:1711.11586, section 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from coequal.contract import (
    ImageSet,
    KnownManifold,
    Metric,
    MetricInfo,
    MetricValue,
    RequiredInput,
)
from coequal.images import as_float, to_uint8
from coequal.metrics._canonical_order import fixed_order
from coequal.metrics._lpips_net import SMALLEST, Lpips, missing
from coequal.metrics._pairs import draw_pairs, draw_pairs_within
from coequal.rng import Rng
from coequal.settings import Count

PART = "LpipsDiversity"
PAIRS_PER_BATCH = 25
BLIND_TO = "noise, which is far from itself"


@dataclass(frozen=True)
class LpipsDiversity(Metric):
    """Mean LPIPS of random pairs of generated images; higher means more diverse.

    - `lpips`: of any two. 0 for copies of one image. No real image is used, and noise scores high:
      read it beside a measure of quality.
    - `lpips_in_class`: of two of one class, which sees collapse within classes.

    LPIPS of version 0.1 with AlexNet, of images in their own size (31 pixels a side at least, as
    the net asks for), grey ones in three equal colours. The net's weights are torchvision's, which
    must be here already; the details hold a hash of them and of the heads.

    The pairs of `lpips` are disjoint as long as the images suffice, those of `lpips_in_class`
    always are: then the standard error is their standard deviation over the root of their number.
    With more pairs than half the images, an image comes again, and there is none. Unbiased.

    Attributes:
        pairs: how many random pairs are compared; within classes at most so many.
    """

    sees_features = False
    min_images = 2
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "lpips": MetricInfo(
            "higher",
            "mean perceptual distance",
            worst=0.0,
            label="LPIPS diversity",
            blind_to=BLIND_TO,
            use="published LPIPS diversities; collapse. Noise is far from itself, so beside a "
            "measure of quality",
        ),
        "lpips_in_class": MetricInfo(
            "higher",
            "mean perceptual distance within classes",
            worst=0.0,
            label="LPIPS diversity in class",
            blind_to=BLIND_TO,
            use="collapse within classes, as people see it; beside a measure of quality",
        ),
    }
    required: ClassVar[tuple[RequiredInput, ...]] = ("images",)
    required_for: ClassVar[Mapping[str, RequiredInput]] = {"lpips_in_class": "labels"}
    pairs: Count = 1000

    @classmethod
    def unsupported_reason(cls, manifold: KnownManifold | None) -> str | None:
        """The package or the weights that are not here."""
        return missing()

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep nothing: real images are not used."""
        return {}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `lpips` and, of images with labels, `lpips_in_class`; undefined for images that
        are too small for the net, and for classes of single images."""
        assert fake.images is not None
        names = [name for name in self.outputs if name == "lpips" or fake.labels is not None]
        height, width = fake.images.shape[-2:]
        if min(height, width) < SMALLEST:
            size = f"{height}x{width}"
            reason = f"needs images of at least {SMALLEST}x{SMALLEST} pixels, got {size}"
            return dict.fromkeys(names, MetricValue.undefined(reason))
        images = to_uint8(fake.images)
        order = fixed_order(images)  # whatever order they came in, the same pairs
        net = Lpips.found().to(images.device)
        drawn = order[draw_pairs(len(images), self.pairs, rng)]
        found = {"lpips": _mean(net, images, drawn, disjoint=self.pairs <= len(images) // 2)}
        if fake.labels is not None:
            drawn = order[draw_pairs_within(fake.labels.cpu()[order], self.pairs, rng)]
            found["lpips_in_class"] = _mean(net, images, drawn, disjoint=True)
        return found


def _mean(
    net: Lpips, images: UInt8[Tensor, "n c h w"], pairs: Int[Tensor, "2 pairs"], *, disjoint: bool
) -> MetricValue:
    """The mean distance of pairs of images, and its standard error."""
    count = pairs.shape[1]
    if not count:
        return MetricValue.undefined("no class has two generated images")
    first, second = (side.split(PAIRS_PER_BATCH) for side in pairs.to(images.device))
    distances = torch.cat(
        [
            net.distances(as_float(images[a]), as_float(images[b]))
            for a, b in zip(first, second, strict=True)
        ]
    ).double()
    error = float(distances.std()) / count**0.5 if disjoint and count > 1 else None
    return MetricValue(float(distances.mean()), error, details={"weights": net.sha256[:12]})
