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

from coequal.contract import (
    ImageSet,
    ImageValueInfo,
    ImageValues,
    Metric,
    MetricInfo,
    MetricValue,
)
from coequal.contract.neighbours import Nearest
from coequal.metrics._distances import Crossing, across, within
from coequal.metrics._image_realism import realism_and_rarity
from coequal.metrics._proportions import harmonic, proportion_of
from coequal.metrics._tiles import TIE
from coequal.rng import Rng
from coequal.settings import Count

PART = "Neighbours"


@dataclass(frozen=True)
class Neighbours(Metric):
    """Statistics of the nearest neighbours among real and generated images.

    The ball of an image reaches to its k-th nearest neighbour in its own set, itself not counted;
    its edge belongs to it (as in the code of Kynkäänniemi et al.; the code of Naeem et al. leaves
    the edge out, so that copies of duplicates are outside everything).

    - `precision`: the fraction of generated images in the ball of a real one.
    - `recall`: the fraction of real images in the ball of a generated one.
    - `f1`: the harmonic mean of both, 0 if both are 0.
    - `density`: in how many real balls a generated image lies, over k. A perfect generator has 1 in
      expectation, at any counts; it is more if images crowd where real ones are dense, as a
      collapse or blur does, and so best at 1.
    - `coverage`: the fraction of real images with a generated one in their ball.
    - `one_nn_real`, `one_nn_fake`: the fraction of real, and of generated, images whose nearest
      other image is of their own kind. A tie counts as half. With m real and n generated images of
      one distribution the nearest of the m + n - 1 others is of the own kind with the chance
      (m - 1) / (m + n - 1) for a real and (n - 1) / (m + n - 1) for a generated image: these are
      their `target`. Towards 1 the sets are told apart; below the target generated images are
      nearer to single real ones than new real images would be: copies.
    - `one_nn`: the mean of both halves; (m + n - 2) / (2 (m + n - 1)) for a perfect generator, 0.5
      but for 1 / (2 (m + n - 1)). (The fraction of all images, which Lopez-Paz and Oquab take, is
      the same at equal counts; at others its best value depends on them.)
    - `one_nn_worst`: how far the half that is farther from its target lies from it; 0 is best. A
      collapse pushes one half up and the other down, which `one_nn` may hide: halves of 1 and 0
      have a mean of 0.5. A perfect generator is off by about a standard error of a half.

    `precision`, `recall`, `f1` and `coverage` depend on the number of images: compare them at equal
    counts only.

    Too few images for k neighbours on a side: the numbers that need them are undefined.

    Standard errors are over new generated images, the real ones being the same. For `precision`
    that of a binomial fraction, with Wilson's interval; for `density` that of a mean of independent
    terms. For `coverage` and the 1-NN fractions the jackknife, leaving out one generated image at a
    time: on average not too small (Efron and Stein 1981, doi:10.1214/aos/1176345462). None for
    `recall` and `f1`: there a generated image acts through the balls of its neighbours.

    Of each generated image, with the balls of `precision`:

    - `realism` (the same paper, equation 4): the largest radius of a real ball over the distance to
      its centre, over the half of the balls with the smallest radii; 1 and more inside a ball of
      that half. (The paper's program takes squared radii and distances: the square of this one.)
    - `rarity` (Han et al. 2022, arXiv:2206.08549, definition 1): the smallest radius of a real ball
      that holds the image, in feature units; more where real images are sparse. An image in no real
      ball has none. (The program of its authors leaves the edge of a ball out.)

    Attributes:
        precision_k: which neighbour the balls of `precision` and `recall` reach to.
        density_k: which neighbour the balls of `density` and `coverage` reach to.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "prdc": ("precision", "recall", "density", "coverage")
    }
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "precision": MetricInfo(
            "higher",
            "fraction of generated images",
            worst=0.0,
            best=1.0,
            recommended=True,
            use="how many generated images look real: quality alone, beside recall or coverage",
        ),
        "recall": MetricInfo(
            "higher",
            "fraction of real images",
            worst=0.0,
            best=1.0,
            use="how much of the real variety is there, beside precision; a single far "
            "image can raise it",
        ),
        "f1": MetricInfo(
            "higher",
            "harmonic mean of precision and recall",
            worst=0.0,
            best=1.0,
            label="F1",
            use="precision and recall in one number",
        ),
        "density": MetricInfo(
            "target",
            "1 is best; more: images crowd together",
            1.0,
            use="precision that single odd real images can't raise; above 1 the images "
            "crowd together",
        ),
        "coverage": MetricInfo(
            "higher",
            "fraction of real images",
            worst=0.0,
            best=1.0,
            recommended=True,
            use="how many real images have a generated one near: variety, less misled by "
            "odd images than recall",
        ),
        "one_nn": MetricInfo(
            "target",
            "mean of both halves; 0.5 is best; below: copies",
            0.5,
            label="1-NN",
            use="whether real and generated images can be told apart; below 0.5: copies. "
            "Read one_nn_worst beside it",
        ),
        "one_nn_real": MetricInfo(
            "target",
            "fraction of m real images told apart; best: (m - 1) / (m + n - 1)",
            label="1-NN real",
            use="low where generated images crowd among the real ones",
        ),
        "one_nn_fake": MetricInfo(
            "target",
            "fraction of n generated images told apart; best: (n - 1) / (m + n - 1)",
            label="1-NN fake",
            use="high where generated images keep to themselves: collapse, or poor images",
        ),
        "one_nn_worst": MetricInfo(
            "lower",
            "distance of the worse half from its best value",
            worst=1.0,
            best=0.0,
            label="1-NN worst",
            use="the test that neither collapse nor copies pass",
        ),
    }
    per_image_outputs: ClassVar[Mapping[str, ImageValueInfo]] = {
        "realism": ImageValueInfo(
            "higher", "from 0; 1 and more: next to real images; infinite: a copy of one"
        ),
        "rarity": ImageValueInfo(None, "feature units; more: where real images are sparse"),
    }
    precision_k: Count = 3
    density_k: Count = 5

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the features (n, d), and for each real image the distances of its nearest others;
        infinite where there are fewer."""
        k = max(self.precision_k, self.density_k)
        return {"features": real.features, "distances": within(real.features, k).distances}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute all numbers; undefined where a side has too few images."""
        k = max(self.precision_k, 2)  # the second takes the place of the first in the jackknife
        # An infinite ball, of a set too small for it, belongs to a number that is left out below.
        distances = real["distances"].nan_to_num(posinf=0.0)
        radii = torch.stack([distances[:, k - 1] for k in (self.precision_k, self.density_k)])
        own = within(fake.features, k)
        own_radii = own.distances[:, self.precision_k - 1].nan_to_num(posinf=0.0)
        cross = across(
            real["features"],
            fake.features,
            row_k=2,
            column_k=fake.neighbours.wanted(real["features"], 1),
            row_radii=radii,
            column_radii=own_radii[None],
        )
        fake.neighbours.remember(real["features"], cross.of_columns)
        precision = proportion_of(cross.balls_over_columns[0] > 0)
        recall = float((cross.balls_over_rows[0] > 0).double().mean())
        values = {
            "precision": precision,
            "recall": MetricValue(recall),
            "f1": MetricValue(harmonic(precision.value, recall)),
            "density": _mean(cross.balls_over_columns[1].double() / self.density_k),
            "coverage": _coverage(cross, radii[1], len(fake)),
            **_one_nn(real["distances"], own, cross),
        }
        return values | self._undefined_numbers(len(distances), len(fake))

    def compute_per_image(
        self, *, real: Mapping[str, Tensor], fake: ImageSet
    ) -> Mapping[str, ImageValues]:
        """Compute `realism` and `rarity`."""
        radii = real["distances"][:, self.precision_k - 1]
        if len(radii) <= self.precision_k:
            reason = f"needs at least {self.precision_k + 1} real images, got {len(radii)}"
            return dict.fromkeys(self.per_image_outputs, ImageValues.of_no_image(len(fake), reason))
        realism, rarity = realism_and_rarity(real["features"], radii, fake.features)
        return {"realism": ImageValues(realism), "rarity": ImageValues(rarity)}

    def _undefined_numbers(self, reals: int, fakes: int) -> dict[str, MetricValue]:
        """The numbers for which a side has too few images, with the reason."""
        needed = {  # real and generated images
            "precision": (self.precision_k + 1, 1),
            "recall": (1, self.precision_k + 1),
            "f1": (self.precision_k + 1, self.precision_k + 1),
            "density": (self.density_k + 1, 1),
            "coverage": (self.density_k + 1, 1),
            "one_nn": (2, 2),
            "one_nn_real": (2, 1),
            "one_nn_fake": (1, 2),
            "one_nn_worst": (2, 2),
        }
        undefined = {}
        for name, least in needed.items():
            for side, count, enough in zip(
                ("real", "generated"), (reals, fakes), least, strict=True
            ):
                if count < enough:
                    reason = f"needs at least {enough} {side} images, got {count}"
                    undefined[name] = MetricValue.undefined(reason)
        return undefined


def _coverage(cross: Crossing, radii: Tensor, fakes: int) -> MetricValue:
    """The fraction of real images with a generated one in their ball."""
    inside = cross.of_rows.distances <= radii[:, None] * (1 + TIE)
    lone = inside[:, 0] & ~inside[:, 1]  # uncovered without the one image in the ball
    lost = torch.bincount(cross.of_rows.indices[lone, 0], minlength=fakes).double()
    proportion = inside[:, 0].double().mean()
    return MetricValue(float(proportion), _jackknife(proportion - lost / len(radii)))


def _one_nn(real: Tensor, own: Nearest, cross: Crossing) -> dict[str, MetricValue]:
    """Both halves, their mean, and the distance of the worse one from its target; `real` are the
    distances between real images, `own` between generated."""
    to_fake, to_real = cross.of_rows, cross.of_columns.distances[:, 0]
    real_right = _nearer(real[:, 0], to_fake.distances[:, 0])
    fake_right = _nearer(own.distances[:, 0], to_real)
    reals, fakes = len(real_right), len(fake_right)
    # Without a generated image, those to whom it was the nearest turn to their second.
    real_change = _nearer(real[:, 0], to_fake.distances[:, 1]) - real_right
    fake_change = _nearer(own.distances[:, 1], to_real) - fake_right
    real_left, fake_left = (
        right.sum() + torch.bincount(nearest.clamp(min=0), change, fakes)
        for right, nearest, change in (
            (real_right, to_fake.indices[:, 0], real_change),
            (fake_right, own.indices[:, 0], fake_change),
        )
    )
    left = real_left / reals, (fake_left - fake_right) / max(fakes - 1, 1)
    halves = [
        MetricValue(
            float(right.mean()), _jackknife(without), target=(count - 1) / (reals + fakes - 1)
        )
        for right, without, count in zip(
            (real_right, fake_right), left, (reals, fakes), strict=True
        )
    ]
    worse = max(halves, key=_off_target)
    return {
        "one_nn": MetricValue(
            (halves[0].value + halves[1].value) / 2, _jackknife((left[0] + left[1]) / 2)
        ),
        "one_nn_real": halves[0],
        "one_nn_fake": halves[1],
        "one_nn_worst": MetricValue(_off_target(worse), worse.standard_error),
    }


def _off_target(half: MetricValue) -> float:
    """How far a half lies from what it is for a perfect generator."""
    assert half.target is not None
    return abs(half.value - half.target)


def _nearer(first: Tensor, second: Tensor) -> Tensor:
    """1 where the first distance is smaller, 0 where the second is, half where they are equal."""
    before, after = first < second * (1 - TIE), second < first * (1 - TIE)
    return (1 + before.double() - after.double()) / 2


def _mean(scores: Float[Tensor, " n"]) -> MetricValue:
    """The mean of independent scores of the generated images."""
    error = float(scores.std() / len(scores) ** 0.5) if len(scores) > 1 else None
    return MetricValue(float(scores.mean()), error)


def _jackknife(without: Float[Tensor, " n"]) -> float | None:
    """The standard error of a statistic, from its values without one image each; None for a single
    image."""
    if len(without) < 2:
        return None
    return float((without.var(correction=0) * (len(without) - 1)).sqrt())
