"""Missed modes, counted where the modes are known: Srivastava et al. 2017 (VEEGAN,
arXiv:1705.07761), section 4."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import PositiveFloat
from torch import Tensor

from coequal.contract import ImageSet, KnownManifold, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.images import as_float
from coequal.manifolds import colours, points
from coequal.manifolds.modes import Assignment, KnownModes
from coequal.metrics._proportions import distinct, proportion_of
from coequal.rng import Rng

PART = "Modes"


@dataclass(frozen=True)
class Modes(Metric):
    """Which modes of the data the generated images reach, and how evenly.

    Each image belongs to its nearest mode. It is of high quality if it is near enough to it:

    - points (`gaussian_ring`, `gaussian_grid`): within `deviations` standard deviations, as in the
      paper. Of the data themselves a fraction of 1 - exp(-deviations^2 / 2) is, 0.98889 for 3.
    - `colour_shapes`: within a squared distance of `squared_distance` of a member of the mode,
      over all pixels and channels, values in [0, 1]. Of the data themselves every image is.

    - `modes_covered`: the number of modes with at least one image of high quality. It grows with
      the number of images: compare at equal counts only, and beside `modes_quality`, as noise hits
      some modes too.
    - `modes_quality`: the fraction of images of high quality.
    - `modes_kl`: the Kullback-Leibler divergence of the modes' frequencies, of all images, from
      those of the data (which are equal), in nats; 0 is best, log(modes) is one mode alone. n
      images of a perfect generator give (modes - 1) / 2n on average, and not 0. Poor images belong
      to their nearest mode, too, so that uniform noise scores like a perfect generator.

    Standard errors are over new generated images: of the fraction exact, with Wilson's interval; of
    the count the jackknife; of the divergence the delta method, which is right where frequencies
    differ and up to sqrt(2) times too large where they are equal in truth.

    Attributes:
        deviations: the radius of a mode of points; 3 in the paper.
        squared_distance: of images from a mode. Two modes of `colour_shapes` are more than four
            times as far apart (in squares), so that no image is near two.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "modes_covered": MetricInfo(
            "higher",
            "of 8 (ring), 25 (grid) or 288 (colour shapes) modes",
            worst=0.0,
            use="whether modes are missing, where they are known; beside modes_quality",
        ),
        "modes_quality": MetricInfo(
            "higher",
            "fraction of generated images near a mode",
            worst=0.0,
            best=1.0,
            use="quality where the modes are known",
        ),
        "modes_kl": MetricInfo(
            "lower",
            "nats, 0 for modes of equal frequency",
            best=0.0,
            label="modes KL",
            blind_to="noise, which is spread evenly over the modes",
            use="whether the known modes come equally often; noise looks perfect",
        ),
    }
    on_cpu: ClassVar[bool] = True
    required: ClassVar[tuple[RequiredInput, ...]] = ("images",)
    deviations: PositiveFloat = 3.0
    squared_distance: PositiveFloat = 2.0

    @classmethod
    def unsupported_reason(cls, manifold: KnownManifold | None) -> str | None:
        """Data whose modes are not known."""
        if isinstance(manifold, KnownModes):
            return None
        return "modes are counted where they are known: gaussian_ring, gaussian_grid, colour_shapes"

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the parameters of the family; the real images themselves are not needed."""
        assert isinstance(real.manifold, KnownModes)
        return real.manifold.parameters

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute the numbers."""
        assert fake.images is not None
        images = as_float(fake.images)
        assignment, modes, largest = self._assigned(images, real)
        good = assignment.squared <= largest
        return {
            "modes_covered": distinct(torch.where(good, assignment.mode, -1)),
            "modes_quality": proportion_of(good),
            "modes_kl": divergence(assignment.mode.bincount(minlength=modes)),
        }

    def _assigned(
        self, images: Tensor, real: Mapping[str, Tensor]
    ) -> tuple[Assignment, int, float]:
        """With the number of modes, and the largest squared distance of a good image."""
        if "centres" in real:
            assignment = points.assign(images, real)
            return assignment, len(real["centres"]), self.deviations**2
        return colours.assign(images), colours.MODES, self.squared_distance


def divergence(counts: Tensor) -> MetricValue:
    """KL(frequencies | equal frequencies) in nats, of counts by mode, with its standard error."""
    total, modes = int(counts.sum()), len(counts)
    p = counts[counts > 0].double() / total
    logs = (p * modes).log()
    value = float((p * logs).sum())
    first = float((p * logs.square()).sum()) - value**2  # a variance: rounding may be below 0
    return MetricValue(value, math.sqrt(max(first, 0.0) / total))
