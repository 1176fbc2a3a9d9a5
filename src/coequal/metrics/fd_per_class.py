"""Fréchet distance within every class: the "intra FID" of Miyato and Koyama 2018, arXiv:1802.05637.

A generator that mixes its classes up may have a small `fd`, and has a large `fd_per_class`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.metrics import _gaussians
from coequal.metrics._threads import one_thread
from coequal.rng import Rng

PART = "FrechetDistancePerClass"
NAMED = 3  # classes that a reason names


@dataclass(frozen=True)
class FrechetDistancePerClass(Metric):
    """The mean over the real images' classes of the distance `fd` within the class; 0 is best.

    In squared feature units, at least 0 up to rounding. Biased upwards for few samples, and a class
    has few: compare at equal counts per class only; a warning says how much of it is bias, and
    which class is the smallest, as every class weighs the same. Undefined if a class has fewer than
    two images, real or fake.

    The standard error is that over new fake images with the same labels, the real images being the
    same (see `fd`); None if a class has no more fake images than there are features.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "fd_per_class": MetricInfo(
            "lower",
            "squared feature units",
            best=0.0,
            label="FD per class",
            recommended=True,
            use="whether images look like the class that they were asked for",
        )
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
        by_class = within_classes(
            real=real["features"],
            real_labels=real["labels"],
            fake=fake.features,
            fake_labels=fake.labels,
        )
        if lacking := [one for one in by_class if min(one.reals, one.fakes) < 2]:
            return {"fd_per_class": MetricValue.undefined(_too_few(lacking))}
        mean = math.fsum(one.distance for one in by_class) / len(by_class)
        bias = math.fsum(one.bias for one in by_class) / len(by_class)
        errors = [one.error for one in by_class if one.error is not None]
        complete = len(errors) == len(by_class)
        error = math.hypot(*errors) / len(by_class) if complete else None  # classes are independent
        smallest = min(by_class, key=lambda one: min(one.reals, one.fakes))
        warnings = tuple(
            f"{text}; every class weighs the same, and the smallest is {smallest.told}"
            for text in _gaussians.bias_warning(mean, bias)
        )
        return {"fd_per_class": MetricValue(mean, error, warnings=warnings)}


class OneClass(NamedTuple):
    """The distance within a class.

    Attributes:
        label: of the class.
        reals: real images in it.
        fakes: generated images in it.
        distance: within it; NaN if a side has fewer than two images.
        bias: of the distance, to first order.
        error: of the distance; None where it is not known.
    """

    label: int
    reals: int
    fakes: int
    distance: float = math.nan
    bias: float = math.nan
    error: float | None = None

    @property
    def told(self) -> str:
        """In words: "class 3 with 2 real and 40 generated images"."""
        return f"class {self.label} with {self.reals} real and {self.fakes} generated images"


def _too_few(lacking: Sequence[OneClass]) -> str:
    """Why there is no mean over all classes."""
    told = ", ".join(one.told for one in lacking[:NAMED])
    more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
    return f"needs at least 2 real and 2 generated images of every class; there is {told}{more}"


def within_classes(
    *,
    real: Float[Tensor, "m d"],
    real_labels: Int[Tensor, " m"],
    fake: Float[Tensor, "n d"],
    fake_labels: Int[Tensor, " n"],
) -> list[OneClass]:
    """The distance within each class of the real images, in the order of their labels."""
    with one_thread():
        return [
            _within(label, real[real_labels == label], fake[fake_labels == label])
            for label in real_labels.unique().tolist()
        ]


def _within(label: int, real: Tensor, fake: Tensor) -> OneClass:
    counts = (label, len(real), len(fake))
    if min(counts[1:]) < 2:
        return OneClass(*counts)
    both = {"real": _gaussians.fit(real), "fake": _gaussians.fit(fake)}
    spectrum = _gaussians.common_spectrum(**both)
    response = _gaussians.response(**both)
    return OneClass(
        *counts,
        _gaussians.distance(**both, spectrum=spectrum),
        _gaussians.first_order_bias(**both, spectrum=spectrum, response=response),
        None if response is None else response.error(),
    )
