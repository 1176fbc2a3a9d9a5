"""Fréchet distance between Gaussians fitted to features: Heusel et al. 2017, arXiv:1706.08500, eq.
6.

It is called FID only with the features of one particular Inception net (`Encoder.published_names`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from coequal.contract import (
    ImageSet,
    ImageValueInfo,
    ImageValues,
    Metric,
    MetricInfo,
    MetricValue,
    RequiredInput,
    Statistics,
)
from coequal.contract.classes import equal_class_counts
from coequal.metrics import _gaussians
from coequal.metrics._gaussians import Gaussian
from coequal.metrics._threads import one_thread
from coequal.rng import Rng

PART = "FrechetDistance"
UNIT = "squared feature units"


@dataclass(frozen=True)
class FrechetDistance(Metric):
    """|m_r - m_f|^2 + tr(C_r + C_f - 2 (C_r C_f)^(1/2)), in squared feature units; 0 is best.

    `fd` is at least 0 up to rounding, and biased upwards for few samples: compare at equal counts
    only. `fd_unbiased` is `fd` less its first-order `bias` and may be below 0. With Gaussian
    features that takes off 93 % of the bias for eight times as many images as features, 87 % for
    four times, 72 % for twice (measured, equal counts); with features of heavy tails (the positive
    part of Student's t of five degrees) 96 % for eighty times and 83 % for four times. The fourth
    moments that this takes are measured on the generated features, and those of a Gaussian for no
    more images than features: there 57 % for as many, 27 % for half as many.

    The standard error is that over new fake images, the real ones being the same. It comes from the
    distance's influence function and needs more images than features. Of images that are equally
    many of every class, by their labels, it is over new ones of the same classes: their influences
    vary within the classes alone. Where both distributions are
    the same (the distance is next to its bias) it is too large, by a third at most.

    Statistics of features (`ImageSet.statistics`) stand for either side. Of generated images they
    leave no error, and where a number of images is not known there is neither `fd_unbiased` nor a
    word on how much of `fd` is bias.

    `fd_influence` of each generated image is that influence function: positive for images that
    raise the distance. It too needs more images than features.
    """

    version = 2
    min_images = 2
    takes_statistics = True
    required_for: ClassVar[Mapping[str, RequiredInput]] = {"fd_unbiased": "counts"}
    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {"frechet_distance": ("fd",)}
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "fd": MetricInfo(
            "lower",
            UNIT,
            best=0.0,
            label="FD",
            recommended=True,
            use="quality and variety in one number: the first to report, at equal counts "
            "of far more images than features",
        ),
        "fd_unbiased": MetricInfo(
            "lower",
            UNIT,
            label="FD unbiased",
            use="fd where few images make it mostly bias, or counts differ",
        ),
    }
    per_image_outputs: ClassVar[Mapping[str, ImageValueInfo]] = {
        "fd_influence": ImageValueInfo(
            "lower",
            f"{UNIT}; without the image fd would be less by this over the number of images",
            "influence on FD",
        )
    }

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the mean (d,), a root (d, r) of the covariance, its trace (), and the count (), if
        it is known."""
        with one_thread():
            return _gaussian(real).tensors()

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `fd` and `fd_unbiased`."""
        with one_thread():
            both = {"real": _gaussians.from_tensors(real), "fake": _gaussian(fake)}
            spectrum = _gaussians.common_spectrum(**both)
            distance = _gaussians.distance(**both, spectrum=spectrum)
            response = _gaussians.response(**both)
            balanced = equal_class_counts(fake.labels) is not None
            error = None if response is None else response.error(fake.labels if balanced else None)
            if any(side.count is None for side in both.values()):
                return {"fd": MetricValue(distance, error)}
            excess = _gaussians.first_order_bias(**both, spectrum=spectrum, response=response)
        return {
            "fd": MetricValue(distance, error, warnings=_gaussians.bias_warning(distance, excess)),
            "fd_unbiased": MetricValue(distance - excess, error),
        }

    def compute_per_image(
        self, *, real: Mapping[str, Tensor], fake: ImageSet
    ) -> Mapping[str, ImageValues]:
        """Compute `fd_influence`, whose mean over the images is 0."""
        if fake.statistics is not None:
            reason = "needs the features of the images, not their statistics"
            return {"fd_influence": ImageValues.of_no_image(len(fake), reason)}
        with one_thread():
            response = _gaussians.response(
                real=_gaussians.from_tensors(real), fake=_gaussians.fit_parts(fake.parts)
            )
        if response is None:
            size = fake.features.shape[1]
            reason = f"needs more images than features, got {len(fake)} images of {size} features"
            return {"fd_influence": ImageValues.of_no_image(len(fake), reason)}
        return {"fd_influence": ImageValues(torch.from_numpy(response.influences))}


def _gaussian(images: ImageSet) -> Gaussian:
    known = images.statistics
    if known is None:
        return _gaussians.fit_parts(images.parts)
    return _gaussians.stated(known.mean.numpy(), known.covariance.numpy(), known.count)


def statistics_of(images: ImageSet) -> Statistics:
    """Mean and covariance of the features of at least two images, in float64, as programs keep them
    that drop the features."""
    with one_thread():
        fitted = _gaussians.fit_parts(images.parts)
        covariance = np.ascontiguousarray(_gaussians.full_covariance(fitted))
    return Statistics(torch.from_numpy(fitted.mean), torch.from_numpy(covariance), fitted.count)


def moments(features: Tensor) -> Gaussian:
    """Mean and covariance of at least two rows of features, in float64."""
    with one_thread():
        return _gaussians.fit(features)


def frechet_distance(*, real: Gaussian, fake: Gaussian) -> float:
    """The distance between two `moments`, at least 0 up to rounding."""
    with one_thread():
        spectrum = _gaussians.common_spectrum(real=real, fake=fake)
    return _gaussians.distance(real=real, fake=fake, spectrum=spectrum)


def bias(*, real: Gaussian, fake: Gaussian) -> float:
    """The mean of `frechet_distance` less its value for infinitely many images, to first order.

    By the fourth moments that the fake features have, and those of a Gaussian for no more fake
    images than features. With Gaussian features and equal distributions it
    is (1/n + 1/m) (tr C + 1/2 sum_ij l_i l_j (1 + [i = j]) / (l_i + l_j)), l being C's eigenvalues.
    """
    both = {"real": real, "fake": fake}
    with one_thread():
        spectrum, response = _gaussians.common_spectrum(**both), _gaussians.response(**both)
    return _gaussians.first_order_bias(**both, spectrum=spectrum, response=response)


def standard_error(*, real: Gaussian, fake: Gaussian) -> float | None:
    """The standard deviation of `frechet_distance` over new fake images, to first order."""
    with one_thread():
        response = _gaussians.response(real=real, fake=fake)
    return None if response is None else response.error()
