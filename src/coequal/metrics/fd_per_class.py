"""Fréchet distance within every class: the "intra FID" of Miyato and Koyama 2018, arXiv:1802.05637.

A generator that mixes its classes up may have a small `fd`, and has a large `fd_per_class`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.metrics import _gaussians
from coequal.metrics._threads import one_thread
from coequal.rng import Rng

PART = "FrechetDistancePerClass"


@dataclass(frozen=True)
class FrechetDistancePerClass(Metric):
    """The mean over the real images' classes of the distance `fd` within the class; 0 is best.

    In squared feature units, at least 0 up to rounding. Biased upwards for few samples, and a class
    has few: compare at equal counts per class only. NaN if a class has fewer than two images, real
    or fake.

    The standard error is that over new fake images with the same labels, the real images being the
    same (see `fd`); None if a class has no more fake images than there are features.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "fd_per_class": MetricInfo("lower", "squared feature units", best=0.0, label="FD per class")
    }
    required: ClassVar[tuple[RequiredInput, ...]] = ("labels",)

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep features (n, d) and labels (n,): Gaussians of all classes would be larger."""
        assert real.labels is not None
        return {"features": real.features, "labels": real.labels}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `fd_per_class`."""
        assert fake.labels is not None
        by_class = distances(
            real=real["features"],
            real_labels=real["labels"],
            fake=fake.features,
            fake_labels=fake.labels,
        )
        mean = math.fsum(value.value for value in by_class.values()) / len(by_class)
        errors = [value.standard_error for value in by_class.values()]
        known = [error for error in errors if error is not None]
        complete = len(known) == len(errors)
        error = math.hypot(*known) / len(by_class) if complete else None  # classes are independent
        return {"fd_per_class": MetricValue(mean, error)}


def distances(
    *,
    real: Float[Tensor, "m d"],
    real_labels: Int[Tensor, " m"],
    fake: Float[Tensor, "n d"],
    fake_labels: Int[Tensor, " n"],
) -> dict[int, MetricValue]:
    """The distance within each class of the real images, by label; NaN where it can't be had."""
    with one_thread():
        return {
            label: _within(real[real_labels == label], fake[fake_labels == label])
            for label in real_labels.unique().tolist()
        }


def _within(real: Tensor, fake: Tensor) -> MetricValue:
    if min(len(real), len(fake)) < 2:
        return MetricValue(float("nan"))
    both = {"real": _gaussians.fit(real), "fake": _gaussians.fit(fake)}
    spectrum = _gaussians.common_spectrum(**both)
    influences = _gaussians.influences(**both)
    error = None if influences is None else float(np.std(influences, ddof=1) / math.sqrt(len(fake)))
    return MetricValue(_gaussians.distance(**both, spectrum=spectrum), error)
