"""Probabilistic precision and recall: Park and Kim 2023, arXiv:2309.01590."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.contract.neighbours import Nearest
from coequal.metrics._distances import within
from coequal.metrics._exact_squares import exact_squares
from coequal.metrics._tiles import centre_of
from coequal.rng import Rng
from coequal.settings import Count

PART = "ProbabilisticPrecisionRecall"
TILE = 512  # real images at once
NO_EXTENT = "the nearest {k} others of each {side} image are copies of it: its ball has no extent"


@dataclass(frozen=True)
class ProbabilisticPrecisionRecall(Metric):
    """Precision and recall with soft balls of one size, which single outliers hardly move.

    An image lies in the support of another with the probability 1 - distance / r, at least 0; r is
    `scale` times the mean distance of an image to its k-th nearest other. It lies in the support of
    the set if it is in that of any image, all being independent.

    - `p_precision`: the mean probability of generated images to lie in the support of the real ones
      (P-precision).
    - `p_recall`: that of real images to lie in the support of the generated ones (P-recall).

    A perfect generator is below 1, and how far depends on how uneven the density is: 0.98 for a
    Gaussian in 64 dimensions, 0.70 for features of Fashion-MNIST. So compare with real images in
    the place of generated ones (`--floor`). Values hardly depend on the number of images: between
    500 and 2,000 of Fashion-MNIST they moved by 0.02.

    Standard errors are over new generated images, the real ones being the same. That of
    `p_precision` is of a mean of independent terms. That of `p_recall` is the jackknife's, leaving
    out one generated image at a time; of what this does to the mean radius the first order is
    taken.

    Attributes:
        k: which neighbour the mean radius reaches to; 4 in the paper.
        scale: of the mean radius; 1.2 in the paper (`a`).
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "p_precision": MetricInfo(
            "higher",
            "mean probability of generated images",
            worst=0.0,
            label="P-precision",
            use="precision without sharp edges, which a few odd real images move less",
        ),
        "p_recall": MetricInfo(
            "higher",
            "mean probability of real images",
            worst=0.0,
            label="P-recall",
            use="recall without sharp edges, which a few odd generated images move less",
        ),
    }
    k: Count = 4
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.2

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the features (m, d) and the distance of each image to its k-th nearest other (m,),
        infinite where there are fewer."""
        distances = within(real.features, self.k).distances[:, self.k - 1]
        return {"features": real.features, "distances": distances}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `p_precision` and `p_recall`; undefined where a side has too few images."""
        own = within(fake.features, self.k + 1)
        radii = {
            "real": float(real["distances"].mean()) * self.scale,
            "generated": float(own.distances[:, self.k - 1].mean()) * self.scale,
        }
        counts = {"real": len(real["features"]), "generated": len(fake)}
        lacking = {side: self._no_radius(side, counts[side], radii[side]) for side in radii}
        pairs = _Pairs(real["features"], fake.features)
        # A radius of no meaning belongs to a number that is left out below.
        sides = [1.0 if lacking[side] else radii[side] for side in ("real", "generated")]
        supported = pairs.supported(*sides)
        found = {
            "p_precision": _mean(supported.columns),
            "p_recall": MetricValue(float(supported.rows.mean())),
        }
        if lacking["generated"] is None:
            error = self._error_of_recall(pairs, supported, own, radii["generated"])
            found["p_recall"] = found["p_recall"]._replace(standard_error=error)
        for name, side in (("p_precision", "real"), ("p_recall", "generated")):
            if reason := lacking[side]:
                found[name] = MetricValue.undefined(reason)
        return found

    def _no_radius(self, side: str, count: int, radius: float) -> str | None:
        """Why the images of a side have no mean radius; None if they have one."""
        if count <= self.k:
            return f"needs at least {self.k + 1} {side} images, got {count}"
        return NO_EXTENT.format(k=self.k, side=side) if radius == 0 else None

    def _error_of_recall(
        self, pairs: "_Pairs", supported: "_Supported", own: Nearest, radius: float
    ) -> float | None:
        """The standard error of P-recall by leaving out one generated image at a time; None where
        the others would have no radius without it."""
        distances, count = own.distances, len(own.indices)
        if count < self.k + 2:
            return None
        # Those to whom the image is one of the k nearest turn to their next.
        steps = distances[:, self.k] - distances[:, self.k - 1]
        turned = torch.zeros_like(steps).index_add_(
            0, own.indices[:, : self.k].flatten(), steps.repeat_interleave(self.k)
        )
        kth = distances[:, self.k - 1]
        without = (kth.sum() - kth + turned) / (count - 1) * self.scale
        left = pairs.rows_without_each_column(radius, supported)
        left += supported.slope * (without - radius)
        return math.sqrt(float(left.var(correction=0)) * (count - 1))


@dataclass(frozen=True)
class _Supported:
    """How columns lie in the support of the rows, and rows in that of the columns.

    Attributes:
        columns: (n,) the probability of each column.
        rows: (m,) the probability of each row.
        logarithms: (m,) of the product, over the columns, of the row's probabilities not to lie in
            the support of each; those that are 0 are left out.
        copies: (m,) how many columns are at distance 0.
        slope: of the mean of `rows`, by the radius of the columns.
    """

    columns: Tensor
    rows: Tensor
    logarithms: Tensor
    copies: Tensor
    slope: float


class _Pairs:
    """All pairs of two sets, some rows at a time."""

    def __init__(self, rows: Float[Tensor, "m d"], columns: Float[Tensor, "n d"]) -> None:
        self.rows, self.columns, self.middle = rows, columns, centre_of(rows)

    def _distances(self) -> Iterator[Float[Tensor, "rows n"]]:
        for rows in self.rows.split(TILE):
            yield exact_squares(rows, self.columns, self.middle).sqrt_()

    def supported(self, row_radius: float, column_radius: float) -> _Supported:
        """Who lies in whose support, with the radii that rows and columns have."""
        outside_rows = self.middle.new_ones(len(self.columns), dtype=torch.float64)
        logarithms, copies, near = [], [], []
        for distances in self._distances():
            outside_rows *= (distances / row_radius).clamp_(max=1).prod(0)
            zero = distances == 0
            near.append((distances < column_radius).sum(1))
            copies.append(zero.sum(1))
            outside = distances.div_(column_radius).clamp_(max=1).masked_fill_(zero, 1)
            logarithms.append(outside.log_().sum(1))
        logs, twins = torch.cat(logarithms), torch.cat(copies)
        outside_columns = logs.exp().masked_fill(twins > 0, 0)
        # d/dr of a product of distance / r over the columns nearer than r.
        slope = float((outside_columns * torch.cat(near)).mean()) / column_radius
        return _Supported(1 - outside_rows, 1 - outside_columns, logs, twins, slope)

    def rows_without_each_column(self, radius: float, known: _Supported) -> Float[Tensor, " n"]:
        """The mean probability of the rows to lie in the support of all columns but one."""
        outside = self.middle.new_zeros(len(self.columns), dtype=torch.float64)
        products = known.logarithms.exp()
        alone = (products * (known.copies == 1))[:, None].split(TILE)  # without its only copy
        rest = (products * (known.copies == 0))[:, None].split(TILE)
        for distances, lone, others in zip(self._distances(), alone, rest, strict=True):
            factors = (distances / radius).clamp_(max=1)
            outside += torch.where(distances == 0, lone, others / factors).sum(0)
        return 1 - outside / len(self.rows)


def _mean(probabilities: Float[Tensor, " n"]) -> MetricValue:
    """The mean of independent terms of the generated images."""
    count = len(probabilities)
    error = float(probabilities.std() / count**0.5) if count > 1 else None
    return MetricValue(float(probabilities.mean()), error)
