"""Precision and recall of distributions: Sajjadi et al. 2018, arXiv:1806.00035, section 3."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.metrics._canonical_order import some
from coequal.metrics._kmeans import tightest
from coequal.rng import Rng
from coequal.settings import Count

PART = "DistributionPrecisionRecall"
SEARCHED = 2000  # images, of both sides together, that every start of k-means is tried on
ANGLE_MARGIN = 1e-10  # the first and the last angle lie this far inside 0 and pi/2


class Curve(NamedTuple):
    """Attainable pairs, one per angle: from recall to precision at its highest."""

    precision: Tensor
    recall: Tensor


class Clustering(NamedTuple):
    """What one run of k-means found.

    Attributes:
        real: (clusters,) the fraction of real images in each cluster.
        fake: (clusters,) the fraction of generated images in each cluster.
        labels: (n,) the cluster of each generated image.
    """

    real: Tensor
    fake: Tensor
    labels: Tensor


@dataclass(frozen=True)
class DistributionPrecisionRecall(Metric):
    """The highest F_8 (weighs recall) and F_1/8 (weighs precision) on the curve; 0 to 1, 1 is best.

    Real and generated features together are put into `clusters` by k-means; the curve of the two
    histograms is averaged over `runs` clusterings, and F_b = (1 + b^2) p r / (b^2 p + r) is taken
    from the mean curve, as in the authors' program. Sets of unequal counts are cut to the smaller
    one at random, since k-means favours the larger.

    Biased downwards for few images (the noise of the histograms), and upwards for few clusters.

    The standard error is over new fake images, the real ones being the same, and adds two parts in
    squares: what the fakes' places in given clusters make (the delta method at the angle that was
    chosen), and what other starts of k-means make (from the spread of the runs; none with one run).
    Left out is that new images move the clusters. It is honest within a factor: 0.7 to 1.3 times
    the true one in simulations, and up to 1.6 times where both distributions are the same or share
    modes.

    Each run takes the best of ten k-means++ starts, as the program does: from a single one, sets
    that lie apart are put into common clusters, and score too high. A deviation: Lloyd's algorithm
    instead of mini-batches. Of more than 2,000 images the starts are tried on 2,000.

    With fewer images than clusters the numbers are undefined. In many dimensions they are nearly
    blind to scale: sets of one centre share their clusters, whatever their width (0.92 and 0.99 for
    deviations of 1 and 1.78 in 64 dimensions).

    Attributes:
        clusters: of k-means.
        angles: at which the curve is computed.
        runs: clusterings that the curve is averaged over.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "prd_f8": MetricInfo(
            "higher",
            "fraction",
            worst=0.0,
            best=1.0,
            label="PRD F8",
            use="variety by clusters, to compare with published PRDs; coarse",
        ),
        "prd_f1_8": MetricInfo(
            "higher",
            "fraction",
            worst=0.0,
            best=1.0,
            label="PRD F1/8",
            use="quality by clusters, to compare with published PRDs; coarse",
        ),
    }
    clusters: Count = 20
    angles: Annotated[int, Field(ge=3)] = 1001
    runs: Count = 10

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `prd_f8` and `prd_f1_8`; undefined with fewer images than clusters."""
        count = min(len(real["features"]), len(fake))
        if count < self.clusters:
            reason = f"needs at least {self.clusters} images of each side, for as many clusters"
            return dict.fromkeys(self.outputs, MetricValue.undefined(f"{reason}, got {count}"))
        clusterings = self.clusterings(real=real["features"], fake=fake.features, rng=rng)
        fake.shared[self] = clusterings  # for whoever shows the curve
        return {
            "prd_f8": best_f_with_error(clusterings, 8, self.angles),
            "prd_f1_8": best_f_with_error(clusterings, 1 / 8, self.angles),
        }

    def clusterings(self, *, real: Tensor, fake: Tensor, rng: Rng) -> list[Clustering]:
        """Cluster features (n, d), once per run; their order does not matter."""
        count = min(len(real), len(fake))
        chosen = [some(rows, count, rng) for rows in (real, fake)]
        points = torch.cat(chosen)
        points = points - points.mean(0)
        runs = []
        for _ in range(self.runs):
            clusters = tightest(points, self.clusters, rng, searched=SEARCHED)
            parts = clusters.labels.cpu().split(count)  # the rest is of the size of the clusters
            of_real, of_fake = (
                torch.bincount(part, minlength=self.clusters).double() / count for part in parts
            )
            runs.append(Clustering(of_real, of_fake, parts[1]))
        return runs


def curves(clusterings: Sequence[Clustering], angles: int = 1001) -> Curve:
    """(runs, angles) of each clustering."""
    by_run = [discrete_curve(real=one.real, fake=one.fake, angles=angles) for one in clusterings]
    return Curve(*(torch.stack(parts) for parts in zip(*by_run, strict=True)))


def discrete_curve(*, real: Tensor, fake: Tensor, angles: int = 1001) -> Curve:
    """The curve of two discrete distributions (states,), at slopes tan of equally spaced angles.

    precision = sum min(slope * real, fake), recall = sum min(real, fake / slope). At slope 1 both
    are 1 - total variation.
    """
    slopes = spaced_slopes(angles)[:, None]
    precision = torch.minimum(slopes * real, fake).sum(1).clamp(max=1)
    recall = torch.minimum(real, fake / slopes).sum(1).clamp(max=1)
    return Curve(precision, recall)


def spaced_slopes(angles: int) -> Tensor:
    """The slopes (angles,) of the lines that the curve is read along."""
    return torch.linspace(
        ANGLE_MARGIN, math.pi / 2 - ANGLE_MARGIN, angles, dtype=torch.float64
    ).tan()


def f_scores(curve: Curve, beta: float) -> Tensor:
    """F_beta along a curve; 0 where precision and recall both are."""
    p, r = curve
    weighted = beta**2 * p + r
    return torch.where(weighted > 0, (1 + beta**2) * p * r / weighted.clamp(min=1e-300), 0.0)


def best_f_with_error(clusterings: Sequence[Clustering], beta: float, angles: int) -> MetricValue:
    """The highest F_beta on the mean curve, and its standard error with two runs and two images."""
    every = curves(clusterings, angles)
    mean = Curve(every.precision.mean(0), every.recall.mean(0))
    scores = f_scores(mean, beta)
    best = int(scores.argmax())
    count, runs = len(clusterings[0].labels), len(clusterings)
    if runs < 2 or count < 2 or scores[best] == 0:
        return MetricValue(float(scores[best]))
    p, r = mean.precision[best], mean.recall[best]
    by_p, by_r = (1 + beta**2) * torch.stack([r, beta * p]).square() / (beta**2 * p + r) ** 2
    slope = spaced_slopes(angles)[best]
    below = _below(clusterings, best, angles, float(by_p * slope**2 / by_r))
    counts_for = torch.zeros(count, dtype=torch.float64)
    for one, proportion in zip(clusterings, below, strict=True):
        counts_for += proportion[one.labels] * (by_p + by_r / slope) / runs
    of_runs = by_p * every.precision[:, best] + by_r * every.recall[:, best]
    parts = (counts_for.std() / count**0.5, of_runs.std() / runs**0.5)
    return MetricValue(float(scores[best]), math.hypot(*map(float, parts)))


def _below(clusterings: Sequence[Clustering], best: int, angles: int, odds: float) -> Tensor:
    """(runs, clusters) 1 where fake < slope * real at the best angle, 0 where it is more.

    Where it is less, a fake image adds 1 / n to precision and 1 / (n slope) to recall; elsewhere
    nothing. The best angle is often one where a cluster changes sides, and moves with its fraction:
    such clusters get what makes the derivative by the slope vanish, as it does at any maximum. It
    is by_p sum of real fractions above - by_r / slope^2 sum of fake fractions below; `odds` are
    by_p over by_r / slope^2.
    """
    real, fake = (torch.stack(parts) for parts in list(zip(*clusterings, strict=True))[:2])
    slopes = spaced_slopes(angles)
    before, after = slopes[max(best - 1, 0)], slopes[min(best + 1, angles - 1)]
    surely, maybe = fake < before * real, (fake >= before * real) & (fake <= after * real)
    falls = odds * real[~surely].sum() - fake[surely].sum()  # with `maybe` above
    change = odds * real[maybe].sum() + fake[maybe].sum()
    proportion = (falls / change).clamp(0, 1) if change > 0 else 0.5
    return surely.double() + proportion * maybe
