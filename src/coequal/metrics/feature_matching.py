"""Feature matching: Salimans et al. 2016, arXiv:1606.03498, section 3.1."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.rng import Rng

PART = "FeatureMatching"


@dataclass(frozen=True)
class FeatureMatching(Metric):
    """|mean of real features - mean of generated features|, Euclidean; 0 is best, no upper bound.

    The paper's objective is the square of it; the distance itself is in the unit of the features.
    It sees no more than means: one image at the mean scores 0.

    Biased upwards for few images: its square by tr C / n of each side. The standard error is the
    delta method's, for new generated images and the same real ones: the deviation of the features
    along the line between both means, over the root of n. It is too large where the distance is
    all noise.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "feature_matching": MetricInfo(
            "lower",
            "feature units",
            best=0.0,
            use="whether the averages agree, and nothing else: a first look",
        )
    }

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the mean feature, (d,), in float64."""
        return {"mean": real.features.double().mean(0)}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `feature_matching`."""
        return {"feature_matching": mean_distance(real=real["mean"], fake=fake.features)}


def mean_distance(*, real: Tensor, fake: Tensor) -> MetricValue:
    """The distance from the mean of features (n, d) to a mean (d,).

    No standard error for a single image, or where both means are one point.
    """
    features = fake.double()
    shift = features.mean(0) - real
    distance = float(shift.norm())
    if len(features) < 2 or distance == 0:
        return MetricValue(distance)
    along = features @ (shift / distance)
    return MetricValue(distance, float(along.std()) / len(features) ** 0.5)
