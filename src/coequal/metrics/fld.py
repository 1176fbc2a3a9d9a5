"""Feature likelihood divergence: how likely held-out images are where generated images lie.
Jiralerspong et al. 2023, arXiv:2302.04440.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from coequal.contract import (
    ImageSet,
    ImageValueInfo,
    ImageValues,
    Metric,
    MetricInfo,
    MetricValue,
    RequiredInput,
)
from coequal.metrics._canonical_order import some
from coequal.metrics._feature_mixture import Mixture, fitted
from coequal.metrics._proportions import proportion_of
from coequal.rng import Rng

PART = "FeatureLikelihoodDivergence"
HUNDREDTHS = 100  # of nats by feature
UNIT = "hundredths of a nat by feature"
ALIKE = "all held-out images have the same features"


@dataclass(frozen=True)
class FeatureLikelihoodDivergence(Metric):
    """The likelihood of held-out images under round Gaussians around the generated ones, whose
    widths are fitted to the training images, in features scaled by the held-out images.

    - `fld`: the mean negative log-likelihood by feature of the held-out images, less that under
      Gaussians around as many training images (at most half of them) fitted to the other training
      images; times 100, and the smaller the better. 0 is as good as training images. A copy of a
      training image has a Gaussian so narrow that no held-out image is likely under it: poor,
      monotonous and copied images all raise the number.
    - `fld_gap`: the mean negative log-likelihood of the training images less that of the held-out
      ones, times 100. Far below 0 the generator copies; what held-out images score is best, which
      is somewhat below 0, for the widths are fitted to the training images.
    - `fld_overfit`: the fraction of generated images whose Gaussians are denser at training images
      than at as many held-out ones; about 1/2, or a little more, without copies.

    Of each image, `fld_memorisation` is the log-density by feature that the Gaussian around it has
    at the training image that is likeliest under it, as the authors rank copies by: highest of
    copies. Beyond `images` of them the mixture is fitted to so many at a time.

    All three depend on the number of generated images: compare at equal counts only. Memory and
    time go with the number of generated times that of training images.

    Which training images the others are held against is drawn once, the same for every generator.
    The standard errors of `fld` and `fld_gap` are over new generated images, by the jackknife: the
    fit is made again without each of some groups of them, which is most of the time. (With widths
    as they are they would be 0.14 to 0.97 of the true ones: the Gaussians around fill the gap.)

    Attributes:
        images: generated images that are used, at most; drawn.
        groups: of generated images that are left out in turn; 0: there are no errors, in a tenth of
            the time.
    """

    images: Annotated[int, Field(ge=2)] = 10_000
    groups: Annotated[int, Field(ge=0)] = 10

    min_images = 2
    required: ClassVar[tuple[RequiredInput, ...]] = ("train",)
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "fld": MetricInfo(
            "lower",
            UNIT,
            label="FLD",
            use="quality, variety and copying in one number; slow",
        ),
        "fld_gap": MetricInfo(
            "target",
            f"{UNIT}; that of held-out images is best; far below: copies",
            label="FLD gap",
            use="overfitting: far below what held-out images score, the generator copies",
        ),
        "fld_overfit": MetricInfo(
            "target",
            "fraction of generated images; that of held-out images is best; above: copies",
            label="FLD overfit",
            use="how many generated images fit training images better than held-out ones",
        ),
    }

    per_image_outputs: ClassVar[Mapping[str, ImageValueInfo]] = {
        "fld_memorisation": ImageValueInfo(
            "lower", "log-density by feature at the likeliest training image", "FLD memorisation"
        )
    }

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep mean and deviation (d,) of the held-out images, these (n, d) and the training images
        (t, d) scaled by them, in random orders, and the likelihood of the held-out images under as
        many training images as `images` or half of them.

        Raises:
            ValueError: there are fewer than four training images.
        """
        assert train is not None
        if len(train) < 4:
            raise ValueError(f"fld: {len(train)} training images; at least 4")
        values = real.features.double()
        mean, deviation = values.mean(0), values.std(0)
        rng = Rng(0)
        test, learned = (
            some(_scaled(x.features, mean, deviation), len(x), rng) for x in (real, train)
        )
        reference = {"mean": mean, "deviation": deviation, "test": test, "train": learned}
        size = min(self.images, len(learned) // 2)
        return {
            **reference,
            "size": torch.tensor(size),
            "baseline": torch.tensor(_baseline(learned, test, size), dtype=torch.float64),
        }

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute the three numbers; undefined where all held-out images are alike."""
        train, test = real["train"], real["test"]
        if not test.shape[1]:
            return dict.fromkeys(self.outputs, MetricValue.undefined(ALIKE))
        scaled = _scaled(fake.features, real["mean"], real["deviation"])
        centres = some(scaled, min(self.images, len(fake)), rng)
        mixture = fitted(centres, train)
        size = min(len(centres), len(train) // 2)
        known = size == int(real["size"])
        baseline = float(real["baseline"]) if known else _baseline(train, test, size)
        of_test, of_train = _both(mixture, test, train)
        errors = self._errors(centres, test, train)
        count = min(len(train), len(test))
        denser = mixture.log_masses(train[:count]) > mixture.log_masses(test[:count])
        details = {"held_out_nll": of_test, "baseline_nll": baseline}
        return {
            "fld": MetricValue(HUNDREDTHS * (of_test - baseline), errors[0], details=details),
            "fld_gap": MetricValue(HUNDREDTHS * (of_train - of_test), errors[1]),
            "fld_overfit": proportion_of(denser),
        }

    def compute_per_image(
        self, *, real: Mapping[str, Tensor], fake: ImageSet
    ) -> Mapping[str, ImageValues]:
        """How much of a copy each image is."""
        train = real["train"]
        if not train.shape[1]:
            return {"fld_memorisation": ImageValues.of_no_image(len(fake), ALIKE)}
        scaled = _scaled(fake.features, real["mean"], real["deviation"])
        densest = [fitted(part, train).densest(train) for part in scaled.split(self.images)]
        return {"fld_memorisation": ImageValues(torch.cat(densest).double() / train.shape[1])}

    def _errors(
        self, centres: Tensor, test: Tensor, train: Tensor
    ) -> tuple[float | None, float | None]:
        """The jackknife's standard errors of `fld` and `fld_gap`."""
        groups = min(self.groups, len(centres) // 2)  # each leaves some
        if groups < 2:
            return None, None
        group = torch.arange(len(centres), device=centres.device) % groups
        found = []
        for left_out in range(groups):
            rest = fitted(centres[group != left_out], train, torch.float32)
            of_test, of_train = _both(rest, test, train)
            found.append([of_test, of_train - of_test])
        deviations = torch.tensor(found, dtype=torch.float64).std(0, correction=0)
        fld, gap = (HUNDREDTHS * math.sqrt(groups - 1) * deviations).tolist()
        return fld, gap


def _scaled(
    features: Float[Tensor, "n d"], mean: Tensor, deviation: Tensor
) -> Float[Tensor, "n kept"]:
    """Features in deviations from the mean, float32; those that don't vary are left out."""
    kept = deviation > 0
    scaled: Tensor = (features[:, kept].double() - mean[kept]) / deviation[kept]
    return scaled.float()


def _baseline(train: Tensor, test: Tensor, size: int) -> float:
    """The negative log-likelihood by feature of held-out images under some training images."""
    if not test.shape[1]:
        return math.nan
    return _nll(fitted(train[:size], train[size:]), test)


def _nll(mixture: Mixture, features: Tensor) -> float:
    """The mean negative log-likelihood by feature."""
    return -float(mixture.log_likelihoods(features).mean()) / features.shape[1]


def _both(mixture: Mixture, test: Tensor, train: Tensor) -> tuple[float, float]:
    return _nll(mixture, test), _nll(mixture, train)
