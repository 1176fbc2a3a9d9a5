"""Kernel distance of features: Bińkowski et al. 2018, arXiv:1801.01401, section 4.

It is called KID with the features of one particular Inception net; the report names the encoder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.metrics import _two_samples
from coequal.metrics._canonical_order import fixed_order
from coequal.metrics._threads import one_thread
from coequal.metrics._two_samples import Chosen, Rows
from coequal.rng import Rng
from coequal.settings import Count

PART = "KernelDistance"


@dataclass(frozen=True)
class KernelDistance(Metric):
    """MMD^2 with the kernel (x'y / d + 1)^3, d features: 0 is best; a number without unit.

    `kid` is the U-statistic over all images: unbiased, so that it may be below 0. `kid_subsets` is
    the form of the papers, the mean of U-statistics over subsets drawn with `rng`: unbiased too,
    less precise, and no other number than `kid` if a subset is everything.

    Standard errors are over new fake images, the real ones being the same, and analytic: the
    variance of a U-statistic from row sums of the kernel, not the spread of subsets that published
    tools print. That of `kid_subsets` has the variance of the draw added; a single subset tells
    none. None for fewer than five fake images. Where both distributions are the same the errors are
    too large, by some tenth: no part of the variance is let below 0.

    Attributes:
        subsets: how many subsets `kid_subsets` averages.
        subset_size: images of each, or the smaller number of images if there are fewer.
    """

    subsets: Count = 100
    subset_size: Annotated[int, Field(ge=2)] = 1000

    min_images = 2
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "kid": MetricInfo(
            "lower",
            "",
            label="KID",
            use="quality and variety without bias: for hundreds of images, and for "
            "counts that differ",
        ),
        "kid_subsets": MetricInfo(
            "lower",
            "",
            label="KID subsets",
            use="to compare with published KIDs; kid is more precise",
        ),
    }

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `kid` and `kid_subsets`."""
        size = min(self.subset_size, len(real["features"]), len(fake))
        both = real["features"], fake.features
        first, second = (self._chosen(features, size, rng) for features in both)
        ours, theirs = map(_two_samples.as_rows, both)
        with one_thread():
            estimate = _two_samples.discrepancy(
                real=ours, fake=theirs, kernel=cubic, chosen=(first, second)
            )
        subsets, error = estimate.subsets, None
        if self.subsets > 1:
            error = estimate.error(float(np.var(subsets, ddof=1)) / self.subsets)
        return {
            "kid": MetricValue(estimate.value, estimate.error()),
            "kid_subsets": MetricValue(float(subsets.mean()), error),
        }

    def _chosen(self, features: Tensor, size: int, rng: Rng) -> Chosen:
        """(n, subsets) who is in each subset, drawn without replacement; whatever order the images
        came in, the same are."""
        if size == len(features):
            return np.ones((size, self.subsets), bool)
        chosen, order = np.zeros((len(features), self.subsets), bool), fixed_order(features)
        for column in range(self.subsets):
            chosen[order[rng.permutation(len(features))[:size]].numpy(), column] = True
        return chosen


def cubic(first: Rows, second: Rows) -> Rows:
    """(x'y / d + 1)^3 - 1 of all pairs; without the 1, which cancels in MMD^2, more digits stay."""
    products = first @ second.T
    products /= first.shape[1]
    cubes = products + 3
    cubes *= products
    cubes += 3
    cubes *= products
    return cubes
