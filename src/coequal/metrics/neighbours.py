"""Precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991), density and coverage (Naeem et
al. 2020, arXiv:2002.09797), and the 1-NN two-sample test (Lopez-Paz and Oquab 2017,
arXiv:1610.06545).

All of them ask who is near whom, and are answered in one pass over the pairs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.contract.neighbours import Nearest
from coequal.metrics._distances import Crossing, across, within
from coequal.metrics._tiles import TIE
from coequal.rng import Rng
from coequal.settings import Count

PART = "Neighbours"
TARGET = "fraction told apart; 0.5 is best; below: copies"


@dataclass(frozen=True)
class Neighbours(Metric):
    """Statistics of the nearest neighbours among real and generated images.

    The ball of an image reaches to its k-th nearest neighbour in its own set, itself not counted;
    its edge belongs to it (as in the code of Kynkäänniemi et al.; the code of Naeem et al. leaves
    the edge out, so that copies of duplicates are outside everything).

    - `precision`: the fraction of generated images in the ball of a real one.
    - `recall`: the fraction of real images in the ball of a generated one.
    - `f1`: the harmonic mean of both, 0 if both are 0.
    - `density`: in how many real balls a generated image lies, over k. 1 in expectation for a
      perfect generator; more than 1 if images crowd where real ones are dense, so more is not
      always better.
    - `coverage`: the fraction of real images with a generated one in their ball.
    - `one_nn`: the fraction of all images whose nearest other image is of their own kind. A tie
      counts as half. (n - 1) / (2n - 1) for a perfect generator and equal counts n; towards 1 the
      sets are told apart; below 0.5 generated images are nearer to single real ones than new real
      images would be: copies. `one_nn_real` and `one_nn_fake` are its halves: a collapse pushes one
      up and the other down.

    All depend on the number of images: compare at equal counts only.

    Standard errors are over new generated images, the real ones being the same. For `precision` and
    `density` that of a mean of independent terms. For `coverage` and the 1-NN fractions the
    jackknife, leaving out one generated image at a time: on average not too small (Efron and Stein
    1981, doi:10.1214/aos/1176345462); in simulations 1.0 to 1.6 times the true one. None for
    `recall` and `f1`: there a generated image acts through the balls of its neighbours.

    Attributes:
        precision_k: which neighbour the balls of `precision` and `recall` reach to.
        density_k: which neighbour the balls of `density` and `coverage` reach to.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "precision": MetricInfo("higher", "fraction of generated images", best=1.0),
        "recall": MetricInfo("higher", "fraction of real images", best=1.0),
        "f1": MetricInfo("higher", "harmonic mean of precision and recall", best=1.0, label="F1"),
        "density": MetricInfo("higher", "1 is a perfect generator's; more: images crowd together"),
        "coverage": MetricInfo("higher", "fraction of real images", best=1.0),
        "one_nn": MetricInfo("target", TARGET, 0.5, label="1-NN"),
        "one_nn_real": MetricInfo("target", f"of real images, {TARGET}", 0.5, label="1-NN real"),
        "one_nn_fake": MetricInfo(
            "target", f"of generated images, {TARGET}", 0.5, label="1-NN fake"
        ),
    }
    precision_k: Count = 3
    density_k: Count = 5

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the features (n, d), and for each real image the distances of its nearest others."""
        k = max(self.precision_k, self.density_k)
        _enough(len(real), k, "real")
        return {"features": real.features, "distances": within(real.features, k).distances}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute all eight numbers.

        Raises:
            ValueError: too few generated images to have k neighbours.
        """
        k = max(self.precision_k, 2)  # the second takes the place of the first in the jackknife
        _enough(len(fake), k, "generated")
        radii = real["distances"][:, [self.precision_k - 1, self.density_k - 1]]
        own = within(fake.features, k)
        cross = across(
            real["features"],
            fake.features,
            row_k=2,
            column_k=fake.neighbours.wanted(real["features"], 1),
            row_radii=radii.T,
            column_radii=own.distances[:, self.precision_k - 1][None],
        )
        fake.neighbours.remember(real["features"], cross.of_columns)
        precision = _mean((cross.balls_over_columns[0] > 0).double())
        recall = float((cross.balls_over_rows[0] > 0).double().mean())
        both = precision.value + recall
        return {
            "precision": precision,
            "recall": MetricValue(recall),
            "f1": MetricValue(2 * precision.value * recall / both if both else 0.0),
            "density": _mean(cross.balls_over_columns[1].double() / self.density_k),
            "coverage": _coverage(cross, radii[:, 1], len(fake)),
            **_one_nn(real["distances"], own, cross),
        }


def _coverage(cross: Crossing, radii: Tensor, fakes: int) -> MetricValue:
    """The fraction of real images with a generated one in their ball."""
    inside = cross.of_rows.distances <= radii[:, None] * (1 + TIE)
    lone = inside[:, 0] & ~inside[:, 1]  # uncovered without the one image in the ball
    lost = torch.bincount(cross.of_rows.indices[lone, 0], minlength=fakes).double()
    proportion = inside[:, 0].double().mean()
    return MetricValue(float(proportion), _jackknife(proportion - lost / len(radii)))


def _one_nn(real: Tensor, own: Nearest, cross: Crossing) -> dict[str, MetricValue]:
    """The three fractions; `real` are the distances between real images, `own` between
    generated."""
    to_fake, to_real = cross.of_rows, cross.of_columns.distances[:, 0]
    real_right = _nearer(real[:, 0], to_fake.distances[:, 0])
    fake_right = _nearer(own.distances[:, 0], to_real)
    reals, fakes = len(real_right), len(fake_right)
    # Without a generated image, those to whom it was the nearest turn to their second.
    real_change = _nearer(real[:, 0], to_fake.distances[:, 1]) - real_right
    fake_change = _nearer(own.distances[:, 1], to_real) - fake_right
    real_left, fake_left = (
        right.sum() + torch.bincount(nearest, change, fakes)
        for right, nearest, change in (
            (real_right, to_fake.indices[:, 0], real_change),
            (fake_right, own.indices[:, 0], fake_change),
        )
    )
    fake_left -= fake_right
    both = torch.cat([real_right, fake_right]).mean()
    return {
        "one_nn": MetricValue(
            float(both), _jackknife((real_left + fake_left) / (reals + fakes - 1))
        ),
        "one_nn_real": MetricValue(float(real_right.mean()), _jackknife(real_left / reals)),
        "one_nn_fake": MetricValue(float(fake_right.mean()), _jackknife(fake_left / (fakes - 1))),
    }


def _nearer(first: Tensor, second: Tensor) -> Tensor:
    """1 where the first distance is smaller, 0 where the second is, half where they are equal."""
    before, after = first < second * (1 - TIE), second < first * (1 - TIE)
    return (1 + before.double() - after.double()) / 2


def _mean(scores: Float[Tensor, " n"]) -> MetricValue:
    """The mean of independent scores of the generated images."""
    return MetricValue(float(scores.mean()), float(scores.std() / len(scores) ** 0.5))


def _jackknife(without: Float[Tensor, " n"]) -> float:
    """The standard error of a statistic, from its values without one image each."""
    return float((without.var(correction=0) * (len(without) - 1)).sqrt())


def _enough(count: int, k: int, kind: str) -> None:
    if count <= k:
        raise ValueError(f"neighbours: {count} {kind} images; more than k = {k} are needed")
