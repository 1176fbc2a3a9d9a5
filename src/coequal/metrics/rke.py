"""Rényi kernel entropy: Jalali et al. 2023, NeurIPS, of order 2."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.metrics import _two_samples
from coequal.metrics._canonical_order import some
from coequal.metrics._kernels import bandwidth, mean_similarity
from coequal.rng import Rng

PART = "RenyiKernelEntropy"
BLIND_TO = "noise, which is more diverse than real images"


@dataclass(frozen=True)
class RenyiKernelEntropy(Metric):
    """The number of modes that a Gaussian kernel tells apart; higher is more diverse.

    `rke` is 1 / the mean of k(x, y)^2 over all pairs of generated images, that of an image with
    itself included, for k(x, y) = exp(-|x - y|^2 / (2 sigma^2)): the exponential of the Rényi
    entropy of order 2 of the eigenvalues of the kernel matrix over n ("RKE mode count"). It is 1
    for copies of one image and m for m equal groups that are many sigma apart. `vendi` with order
    2 is the same number with cosines in the place of this kernel.

    `rke` uses the real images for the width of the kernel alone: noise scores high. `rke_ratio`
    divides by the score of real images at equal counts (of the larger set a random part): 1 is as
    diverse as they are, and more than 1 is no merit by itself.

    Biased downwards for few images: an image is always like itself, which adds 1/n to the mean. At
    the width found from the real images that is a fiftieth of the mean at most, for as many images.

    The standard error is over new generated images, the real ones being the same, and analytic: the
    variance of a U-statistic from row sums of the kernel, and the delta method. None for fewer than
    five generated images.

    Attributes:
        sigma: of the kernel, in feature units; None: the smallest one at which the entropy of at
            most 1,000 of the real images has a variance of at most 0.01 and a bias of at most 0.02.
            Numbers of different widths are not comparable.
    """

    min_images = 2
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "rke": MetricInfo(
            "higher",
            "modes",
            worst=1.0,
            label="RKE",
            blind_to=BLIND_TO,
            use="how many groups of images there are, and fast; noise has the most, so beside a "
            "measure of quality",
        ),
        "rke_ratio": MetricInfo(
            "higher",
            "of the real images' score",
            worst=0.0,
            label="RKE ratio",
            blind_to=BLIND_TO,
            use="dropped modes: variety against as many real images, beside a measure of quality",
        ),
    }
    sigma: Annotated[float, Field(gt=0)] | None = None

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the features (m, d) and the width of the kernel ()."""
        width = bandwidth(real.features) if self.sigma is None else self.sigma
        sigma = torch.tensor(width, dtype=torch.float64)
        return {"features": real.features, "sigma": sigma}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `rke` and `rke_ratio`; undefined if all real images are alike and no width is
        given."""
        sigma = float(real["sigma"])
        if sigma == 0:
            reason = "all real images have the same features: the kernel has no width"
            return dict.fromkeys(self.outputs, MetricValue.undefined(reason))
        count = min(len(real["features"]), len(fake))
        theirs, ours = (some(rows, count, rng) for rows in (fake.features, real["features"]))
        part, against = _mode_count(theirs, sigma), _mode_count(ours, sigma).value
        whole = part if count == len(fake) else _mode_count(fake.features, sigma)
        error = None if part.standard_error is None else part.standard_error / against
        return {
            "rke": whole._replace(details={"sigma": sigma}),
            "rke_ratio": MetricValue(part.value / against, error),
        }


def _mode_count(features: Tensor, sigma: float) -> MetricValue:
    """1 / the mean squared kernel over all pairs, and its standard error."""
    rows = _two_samples.as_rows(features.double() - features.double().mean(0))
    mean, variance = mean_similarity(rows, sigma)
    others = 1 - 1 / len(rows)
    count = 1 / (1 - others + others * mean)
    return MetricValue(count, None if variance is None else count**2 * others * math.sqrt(variance))
