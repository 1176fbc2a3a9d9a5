"""Are generated images copies of the training images? Authenticity (Alaa et al. 2022,
arXiv:2102.08921, section 2.3) and the data-copying test C_T (Meehan et al. 2020, arXiv:2004.05675).

Quality scores can't tell: a generator that hands out its training images has the best of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.metrics._distances import nearest, nearest_of, within
from coequal.metrics._kmeans import tightest
from coequal.metrics._proportions import proportion_of
from coequal.metrics._tiles import TIE
from coequal.rng import Rng
from coequal.settings import Count

PART = "Memorisation"


@dataclass(frozen=True)
class Memorisation(Metric):
    """Whether generated images are nearer to training images than held-out real images are.

    - `authenticity`: the fraction of generated images farther from their nearest training image
      than that image is from the nearest other one. 0 for copies (a tie is a copy). It is not 0.5
      for a perfect generator, and its value for one depends on data and counts; therefore
    - `authenticity_calibrated`: the same less the authenticity of the held-out images `real`. (An
      expectation that no count of held-out images changes, so all of them are used.)
    - `c_t`: the z-score of the Mann-Whitney statistic of the distances to the nearest training
      image, generated against held-out.

    For the last two 0 is as good as held-out images, and the best; far above 0 the generated images
    are far from the data, which other metrics measure better. Far below 0 the generator copies, or
    its images are more typical or smoother than real ones: the most typical quarter of real images,
    50 of them again and again, and (by pixels) slightly blurred ones have a `c_t` of -4 to -15
    without a single copy, 30 % exact copies one of -8. Exact and near copies, and a sheet of
    nearest neighbours, tell which it is; `authenticity_calibrated` is the less easily misled (-0.04
    for the typical quarter and the 50). No output can be ranked: the least value is a
    memoriser's. `c_t` grows with the root of the counts:
    compare at equal counts only.

    With more than one of `cells`, k-means cells of the training images, `c_t` is the mean of the
    scores within the cells, each weighted by its held-out images: copies in one part of the space
    can't hide behind poor images in another. Cells with fewer than `fewest` held-out or generated
    images are left out; NaN if none is left. (Only then are all training features held in float64.)

    Deviations of `c_t` from the authors' code: no continuity correction of 0.5; ties count as half;
    the nearest training image is sought everywhere, not within the cell.

    Standard errors, and Wilson's intervals of the fractions, are over new generated images,
    training and held-out images being the same.

    Attributes:
        cells: number of k-means cells of the training images.
        fewest: held-out and generated images that a cell needs to count.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "authenticity": MetricInfo(
            "target",
            "fraction of generated images; that of held-out images is best; below: copies, or "
            "typical images",
            use="copies of training images; its best value hangs on the data: read "
            "authenticity_calibrated",
        ),
        "authenticity_calibrated": MetricInfo(
            "target",
            "fraction above that of held-out images; 0 is best; below: copies, or typical images",
            0.0,
            recommended=True,
            use="whether generated images are nearer to training images than held-out "
            "ones are: the first look for copies",
        ),
        "c_t": MetricInfo(
            "target",
            "standard deviations; 0 is best; below: copies, or typical or smooth images",
            0.0,
            label="C_T",
            use="copies as a test, in standard deviations; typical and smooth images "
            "lower it too: look at the sheet",
        ),
    }
    required: ClassVar[tuple[RequiredInput, ...]] = ("train",)
    version: ClassVar[int] = 2
    min_images: ClassVar[int] = 2
    cells: Count = 1
    fewest: Count = 20

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the training features, the distance of each to its nearest other, the cells'
        centres, and of each held-out image its distance, its cell and whether it is authentic.

        Raises:
            ValueError: there are fewer than two training images, or fewer than cells.
        """
        assert train is not None
        if len(train) < max(2, self.cells):
            raise ValueError(
                f"memorisation: {len(train)} training images; at least {max(2, self.cells)}"
            )
        gaps = within(train.features, 1).distances[:, 0]
        centres = _centres(train.features, self.cells)
        distances, authentic = _copying(real, train.features, gaps)
        return {
            "train": train.features,
            "gaps": gaps,
            "centres": centres,
            "distances": distances,
            "cells": _cells(real.features, centres),
            "authentic": authentic,
        }

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute the three numbers."""
        distances, authentic = _copying(fake, real["train"], real["gaps"])
        fraction = proportion_of(authentic)
        held_out = proportion_of(real["authentic"]).value
        assert fraction.interval is not None
        low, high = fraction.interval
        return {
            "authenticity": fraction,
            "authenticity_calibrated": MetricValue(
                fraction.value - held_out,
                fraction.standard_error,
                (low - held_out, high - held_out),
            ),
            "c_t": c_t(
                held_out=real["distances"],
                held_out_cells=real["cells"],
                fake=distances,
                fake_cells=_cells(fake.features, real["centres"]),
                fewest=self.fewest if self.cells > 1 else 1,
            ),
        }


def c_t(
    *,
    held_out: Float[Tensor, " n"],
    held_out_cells: Int[Tensor, " n"],
    fake: Float[Tensor, " m"],
    fake_cells: Int[Tensor, " m"],
    fewest: int,
) -> MetricValue:
    """Meehan et al., section 3.2, from distances to the nearest training image and cells.

    Z_U = (U - n m / 2) / sqrt(n m (n + m + 1) / 12) within a cell, U being the number of pairs in
    which the generated image is the farther one; weighted by the held-out images of the cell.
    """
    scores, errors, weights = [], [], []
    for cell in held_out_cells.unique().tolist():
        near, generated = held_out[held_out_cells == cell], fake[fake_cells == cell]
        n, m = len(near), len(generated)
        if min(n, m) < fewest:
            continue
        beaten = _beaten(generated, near)
        deviation = math.sqrt(n * m * (n + m + 1) / 12)
        scores.append((float(beaten.sum()) - n * m / 2) / deviation)
        spread = float(beaten.var()) if m > 1 else math.inf
        errors.append(math.sqrt(m * spread) / deviation)
        weights.append(n / len(held_out))
    if not weights:
        return MetricValue.undefined(f"no cell has {fewest} held-out and {fewest} generated images")
    total = math.fsum(weights)
    score = math.fsum(w * z for w, z in zip(weights, scores, strict=True)) / total
    error = math.hypot(*(w * e for w, e in zip(weights, errors, strict=True))) / total
    return MetricValue(score, error if math.isfinite(error) else None)


def _beaten(generated: Tensor, near: Tensor) -> Tensor:
    """For each generated image the number of held-out ones that are nearer; a tie is half."""
    ranked = near.sort().values
    below = torch.searchsorted(ranked, generated * (1 - TIE))
    up_to = torch.searchsorted(ranked, generated * (1 + TIE), right=True)
    return (below + up_to).double() / 2


def _copying(
    images: ImageSet, train: Tensor, gaps: Tensor
) -> tuple[Float[Tensor, " n"], Bool[Tensor, " n"]]:
    """The distance to the nearest training image, and whether it is more than that image's gap."""
    neighbours = nearest_of(images, train, 1)
    distances = neighbours.distances[:, 0]
    return distances, distances > gaps[neighbours.indices[:, 0]] * (1 + TIE)


def _centres(train: Float[Tensor, "n d"], cells: int) -> Float[Tensor, "cells d"]:
    """Centres of the tightest of some runs of k-means; the same for the same images."""
    if cells == 1:
        return train.mean(0, keepdim=True)
    mean = train.double().mean(0)
    points, rng = train - mean, Rng(0)
    return tightest(points, cells, rng).centres.to(mean).add(mean).to(train)


def _cells(features: Float[Tensor, "n d"], centres: Tensor) -> Int[Tensor, " n"]:
    """The cell of each image."""
    if len(centres) == 1:
        return torch.zeros(len(features), dtype=torch.long, device=features.device)
    return nearest(features, centres, 1).indices[:, 0].contiguous()
