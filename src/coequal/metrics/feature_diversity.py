"""How diverse generated images are: the mean distance of pairs, of any class and of one class."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.metrics import _arrays, _two_samples
from coequal.metrics._canonical_order import some_of
from coequal.metrics._threads import one_thread
from coequal.metrics._tiles import centre_of
from coequal.metrics._two_samples import MeanOfPairs, Rows
from coequal.rng import Rng

PART = "FeatureDiversity"
BLIND_TO = "noise, whose images may be farther apart than real ones"
ALIKE = "all real images{where} have the same features"


@dataclass(frozen=True)
class FeatureDiversity(Metric):
    """The mean distance |x - y| of the features of two images; higher is more diverse.

    - `feature_diversity`: over all pairs of different generated images. 0 for copies of one image.
    - `feature_diversity_ratio`: divided by that of real images. Below 1 images are too alike;
      above 1 they are farther apart than real ones, which is no merit by itself.
    - `feature_diversity_class_ratio`: that of pairs of one class, the mean over classes by
      their share of the images: a generator that knows one image of each class has 0 here, and
      nearly as much as real images above.

    All are U-statistics: unbiased (a ratio but for what the real images' own mean lacks), and
    counts of both sides may differ.

    Standard errors are over new generated images, the real ones being the same, and analytic, from
    the row sums of distances; within classes over new ones of the same classes. None for fewer than
    five generated images, or five of a class.

    Attributes:
        images: at most so many generated and so many real ones, drawn at random: the work grows
            with their square.
    """

    min_images = 2
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "feature_diversity": MetricInfo(
            "higher",
            "feature units",
            worst=0.0,
            blind_to=BLIND_TO,
            use="how far apart images are on average; collapse. Noise may have the most, so beside "
            "a measure of quality",
        ),
        "feature_diversity_ratio": MetricInfo(
            "higher",
            "of the real images' diversity",
            worst=0.0,
            blind_to=BLIND_TO,
            use="collapse, against what real images have; beside a measure of quality",
        ),
        "feature_diversity_class_ratio": MetricInfo(
            "higher",
            "of the real images' diversity within classes",
            worst=0.0,
            blind_to=BLIND_TO,
            use="collapse within classes, which numbers over all images hardly see",
        ),
    }
    required_for: ClassVar[Mapping[str, RequiredInput]] = {
        "feature_diversity_class_ratio": "labels"
    }
    images: Annotated[int, Field(ge=2)] = 10_000

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the mean distance () of real images, and that of images of one class, NaN without
        labels."""
        chosen = torch.arange(len(real))
        if len(real) > self.images:
            chosen = some_of(real.features, self.images, Rng(0))
        rows = real.features[chosen.to(real.features.device)]
        within = math.nan
        if real.labels is not None:
            within = _within_classes(rows, real.labels[chosen.to(real.labels.device)]).value
        means = {"mean": _mean_distance(rows).value, "class_mean": within}
        return {k: torch.tensor(v, dtype=torch.float64) for k, v in means.items()}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute the mean distance and its ratios; a ratio is undefined where all real images are
        alike, and that within classes without two images of any class."""
        rows, labels = fake.features, fake.labels
        if len(fake) > self.images:
            chosen = some_of(rows, self.images, rng)
            rows = rows[chosen.to(rows.device)]
            labels = None if labels is None else labels[chosen.to(labels.device)]
        whole = _mean_distance(rows)
        found = {
            "feature_diversity": _value(whole, 1.0),
            "feature_diversity_ratio": _ratio(whole, float(real["mean"]), ""),
        }
        if labels is not None:
            within = _within_classes(rows, labels)
            mean = float(real["class_mean"])
            if not math.isnan(mean) and not math.isnan(within.value):
                ratio = _ratio(within, mean, " of each class")
            else:
                ratio = MetricValue.undefined("no class has two images on both sides")
            found["feature_diversity_class_ratio"] = ratio
        return found


def _mean_distance(features: Float[Tensor, "n d"]) -> MeanOfPairs:
    """The mean distance of pairs of at least two images, and its variance."""
    rows = _arrays.array_of(features.double() - centre_of(features).double())
    with one_thread():
        return _two_samples.mean_of_pairs(rows, distance)


def distance(first: Rows, second: Rows) -> Rows:
    """|x - y| of all pairs."""
    squares = first @ second.T
    squares *= -2
    squares += (first * first).sum(1)[:, None]
    squares += (second * second).sum(1)
    library = _arrays.namespace(first)
    return library.sqrt(library.clip(squares, 0, None, out=squares), out=squares)


def _within_classes(features: Float[Tensor, "n d"], labels: Int[Tensor, " n"]) -> MeanOfPairs:
    """The mean distance of pairs of one class, by the share of each; classes of a single image are
    left out. NaN if there are no others."""
    means, shares = [], []
    for label in labels.unique().tolist():
        members = features[(labels == label).to(features.device)]
        if len(members) > 1:
            means.append(_mean_distance(members))
            shares.append(len(members))
    if not means:
        return MeanOfPairs(math.nan, None)
    parts = [share / sum(shares) for share in shares]
    variances = [one.variance for one in means]
    known = [variance for variance in variances if variance is not None]
    return MeanOfPairs(
        sum(part * one.value for part, one in zip(parts, means, strict=True)),
        sum(part**2 * variance for part, variance in zip(parts, known, strict=True))
        if len(known) == len(parts)
        else None,
    )


def _value(mean: MeanOfPairs, against: float) -> MetricValue:
    error = None if mean.variance is None else math.sqrt(mean.variance) / against
    return MetricValue(mean.value / against, error)


def _ratio(mean: MeanOfPairs, against: float, where: str) -> MetricValue:
    """A mean over that of real images."""
    if against == 0:
        return MetricValue.undefined(ALIKE.format(where=where))
    return _value(mean, against)
