"""Maximum mean discrepancy of directions, with a wide Gaussian kernel: Jayasumana et al. 2024,
arXiv:2401.09603, section 4.

With the image embeddings of CLIP ViT-L/14 at 336 pixels it is CMMD (`Encoder.published_names`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.metrics import _arrays, _two_samples
from coequal.metrics._directions import directions, no_direction
from coequal.metrics._threads import one_thread
from coequal.metrics._two_samples import Rows
from coequal.rng import Rng

PART = "CosineMaximumMeanDiscrepancy"
SIGMA, SCALE = 10.0, 1000.0  # of the published numbers
UNIT = "thousandths"


@dataclass(frozen=True)
class CosineMaximumMeanDiscrepancy(Metric):
    """1000 MMD^2 with the kernel exp(-|x - y|^2 / (2 * 10^2)) of features that are scaled to length
    1: 0 is best, and 39.6 the largest value there can be. As |x - y|^2 = 2 - 2 cos(x, y), it sees
    the cosines of pairs alone; so wide a kernel is next to linear in them, and the number is next
    to 10 times the squared distance of the mean directions.

    `mmd_cosine` is the authors' estimate, which keeps the pair of every image with itself and is
    biased upwards by about 1000 (1/n + 1/m) (1 - mean kernel) for n generated and m real images:
    compare at equal counts only. `mmd_cosine_unbiased` leaves these pairs out, and may be below 0.

    The standard error is over new fake images, the real ones being the same, and analytic: the
    variance of a U-statistic from row sums of the kernel. Where both distributions are the same it
    is too large, by a quarter at most: no part of the variance is let below 0.

    Our CLIP brings images to 336 pixels without rounding the result to 8 bits, as the authors'
    program does.
    """

    min_images = 2
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "mmd_cosine": MetricInfo(
            "lower",
            UNIT,
            best=0.0,
            label="MMD cosine",
            use="published CMMDs, with clip:large-336; else next to the distance of mean "
            "directions",
        ),
        "mmd_cosine_unbiased": MetricInfo(
            "lower",
            UNIT,
            label="MMD cosine unbiased",
            use="mmd_cosine where images are few or counts differ",
        ),
    }

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute both numbers; undefined if the features of an image are all 0."""
        sides = {"real": real["features"], "generated": fake.features}
        if reason := no_direction(**sides):
            return dict.fromkeys(self.outputs, MetricValue.undefined(reason))
        ours, theirs = (_two_samples.as_rows(directions(x)) for x in sides.values())
        with one_thread():
            estimate = _two_samples.discrepancy(real=ours, fake=theirs, kernel=kernel)
        error = estimate.error()
        error = None if error is None else SCALE * error
        # A pair of an image with itself has a kernel of 1, which `kernel` gives as 0.
        both = estimate.value - estimate.real_mean / len(ours) - estimate.fake_mean / len(theirs)
        return {
            "mmd_cosine": MetricValue(SCALE * max(both, 0.0), error),
            "mmd_cosine_unbiased": MetricValue(SCALE * estimate.value, error),
        }


def kernel(first: Rows, second: Rows) -> Rows:
    """exp(-|x - y|^2 / (2 sigma^2)) - 1 of all pairs of directions; without the 1, which cancels in
    MMD^2, more digits stay."""
    exponents = first @ second.T
    exponents -= 1
    exponents /= SIGMA**2
    return _arrays.namespace(first).expm1(exponents, out=exponents)
