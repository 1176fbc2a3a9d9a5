"""Maximum mean discrepancy with a Gaussian kernel as wide as the real images are apart: Xu et al.
2018, arXiv:1806.07755 ("kernel MMD" there); the unbiased form: Gretton et al. 2012, JMLR 13, eq. 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.metrics import _arrays, _two_samples
from coequal.metrics._kernels import gaussian
from coequal.metrics._threads import one_thread
from coequal.metrics._two_samples import Rows
from coequal.rng import Rng

PART = "GaussianMaximumMeanDiscrepancy"


@dataclass(frozen=True)
class GaussianMaximumMeanDiscrepancy(Metric):
    """MMD^2 with the kernel exp(-|x - y|^2 / (2 s)), s the mean of |x - y|^2 over pairs of
    different real images: 0 is best, at most 2; a number without unit.

    Unbiased, so that it may be below 0. The released code of Xu et al. takes the root of a biased
    estimate (which keeps the pairs of an image with itself, in s also), 0 for no two samples.

    The standard error is over new fake images, the real ones being the same, and analytic: the
    variance of a U-statistic from row sums of the kernel. Where both distributions are the same it
    is too large, by a quarter at most: no part of the variance is let below 0.
    """

    min_images = 2
    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {"mmd": ("mmd_rbf",)}
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "mmd_rbf": MetricInfo(
            "lower",
            "",
            label="MMD RBF",
            use="differences of any kind, the details of distributions included, from a "
            "hundred images on",
        )
    }

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the features (n, d), their mean (d,), and the width s ()."""
        rows = _arrays.array_of(real.features, torch.float64)
        mean = rows.mean(0)
        apart = rows - mean
        # The mean of |x - y|^2 over pairs is twice the trace of the covariance (n - 1).
        width = 2 * (apart * apart).sum() / max(len(rows) - 1, 1)
        return {
            "features": real.features,
            "mean": torch.as_tensor(mean),
            "width": torch.as_tensor(width),
        }

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `mmd_rbf`; undefined if all real images are alike."""
        width = float(real["width"])
        if width == 0:
            reason = "all real images have the same features: the kernel has no width"
            return {"mmd_rbf": MetricValue.undefined(reason)}
        # Distances don't see the mean, and without it float32 has more digits for them.
        ours, theirs = (
            _two_samples.as_rows(features.double() - real["mean"])
            for features in (real["features"], fake.features)
        )

        def kernel(first: Rows, second: Rows) -> Rows:
            return gaussian(first, second, width)

        with one_thread():
            estimate = _two_samples.discrepancy(real=ours, fake=theirs, kernel=kernel)
        return {"mmd_rbf": MetricValue(estimate.value, estimate.error())}
