"""Points against the curve that their data lie about: how near they are, and how much of it they
reach.

The counterpart, for data without modes, of the counts of Srivastava et al. 2017 (arXiv:1705.07761).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import PositiveFloat
from torch import Tensor

from coequal.contract import ImageSet, KnownManifold, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.images import as_float
from coequal.manifolds.curves import Curve, on_curve
from coequal.metrics._proportions import distinct, proportion_of
from coequal.rng import Rng
from coequal.settings import Count

PART = "CurveCoverage"


@dataclass(frozen=True)
class CurveCoverage(Metric):
    """Precision and coverage against a known curve (`spiral`, `swiss_roll`).

    - `curve_quality`: the fraction of points within `deviations` standard deviations (of the noise)
      of the curve. Of the data themselves 0.9973 for 3 about a straight line; some 0.9975 about
      these bent ones. With Wilson's interval.
    - `curve_coverage`: the curve is cut into `bins` pieces of equal length; the fraction of pieces
      with at least one such point, by the nearest place on the curve. It grows with the number of
      points: compare at equal counts only. Standard error by the jackknife.

    Standard errors are over new generated points.

    Attributes:
        deviations: standard deviations of the noise within which a point is on the curve.
        bins: pieces that the curve is cut into.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "curve_quality": MetricInfo(
            "higher",
            "fraction of generated points near the curve",
            worst=0.0,
            best=1.0,
            use="quality where the curve is known: how many points lie on it",
        ),
        "curve_coverage": MetricInfo(
            "higher",
            "fraction of the curve's length with a point near it",
            worst=0.0,
            best=1.0,
            use="variety where the curve is known: how much of it has points near",
        ),
    }
    on_cpu: ClassVar[bool] = True
    required: ClassVar[tuple[RequiredInput, ...]] = ("images",)
    deviations: PositiveFloat = 3.0
    bins: Count = 100

    @classmethod
    def unsupported_reason(cls, manifold: KnownManifold | None) -> str | None:
        """Data that don't lie about a known curve."""
        if isinstance(manifold, Curve):
            return None
        return "it needs data about a known curve: spiral, swiss_roll"

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the curve and its noise; the real points themselves are not needed."""
        assert isinstance(real.manifold, Curve)
        return real.manifold.parameters

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute the numbers."""
        assert fake.images is not None
        images = as_float(fake.images)
        closest = on_curve(images, real)
        near = closest.distance <= self.deviations
        bins = (closest.place * self.bins).long().clamp(max=self.bins - 1)
        reached = distinct(torch.where(near, bins, -1))
        assert reached.standard_error is not None
        return {
            "curve_quality": proportion_of(near),
            "curve_coverage": MetricValue(
                reached.value / self.bins, reached.standard_error / self.bins
            ),
        }
