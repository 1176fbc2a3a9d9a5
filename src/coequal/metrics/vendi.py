"""Vendi Score: Friedman and Dieng 2023, arXiv:2210.02410, definition 3.1; other orders: Pasarkar
and Dieng 2023, arXiv:2310.12952.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue
from coequal.metrics._canonical_order import in_fixed_order, some
from coequal.rng import Rng

PART = "VendiScore"
JACKKNIFE_GROUPS = 10
BLIND_TO = "noise, which is more diverse than real images"


@dataclass(frozen=True)
class VendiScore(Metric):
    """The effective number of different images under a cosine kernel; higher is more diverse.

    exp of the Shannon entropy of the eigenvalues of K / n, K being the cosines of all pairs of
    generated features: 1 for copies of one image, m for m equal groups at right angles, at most
    min(n, d). `order` q makes it the Hill number (sum of eigenvalues^q)^(1 / (1 - q)): 0 counts
    them, infinity is one over the largest.

    `vendi` uses no real image: noise scores high, so `vendi_ratio` divides by the score of real
    images at equal counts (of the larger set a random part): 1 is as diverse as they are, and more
    than 1 is no merit by itself. Biased downwards for few images.

    Standard errors are over new fake images, the real ones being the same. With more images than
    features by the delta method: the deviation of what each image counts for, over the root of
    their number. Else by the jackknife over 10 random groups, since too little is seen of each
    direction; it is itself uncertain by a quarter. In simulations they were 0.8 to 1.1 times the
    true one, and up to 1.5 times where all directions are alike: there the score is at its maximum.
    None for orders below 1, which hang on the smallest eigenvalues (half the true one was found),
    and for infinity, where the largest two may change places.

    Attributes:
        order: q; 1 is the Shannon entropy.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "vendi": MetricInfo(
            "higher",
            "effective images",
            worst=1.0,
            blind_to=BLIND_TO,
            use="how many different images there are; noise has the most, so beside a "
            "measure of quality",
        ),
        "vendi_ratio": MetricInfo(
            "higher",
            "of the real images' score",
            worst=0.0,
            blind_to=BLIND_TO,
            use="variety against as many real images; noise has more, so beside a "
            "measure of quality",
        ),
    }
    order: Annotated[float, Field(ge=0, allow_inf_nan=True)] = 1.0

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `vendi` and `vendi_ratio`; NaN if all features are 0."""
        count = min(len(real["features"]), len(fake))
        theirs, ours = (some(rows, count, rng) for rows in (fake.features, real["features"]))
        part, against = vendi_with_error(theirs, self.order, rng), vendi(ours, self.order)
        whole = part
        if count < len(fake):
            whole = vendi_with_error(in_fixed_order(fake.features), self.order, rng)
        error = None if part.standard_error is None else part.standard_error / against
        return {"vendi": whole, "vendi_ratio": MetricValue(part.value / against, error)}


def vendi(features: Tensor, order: float = 1.0) -> float:
    """The score of features (n, d), in float64; NaN if all are 0.

    K and its dual (d, d) have the same eigenvalues but for zeros: the smaller one is solved. A row
    of zeros has no direction and is left out. Eigenvalues that are rounding errors count as 0.
    """
    rows = _directions(features)
    if not len(rows):
        return float("nan")
    eigenvalues = torch.linalg.eigvalsh(_smaller_gram(rows))
    return hill_number(eigenvalues[_seen(eigenvalues)], order)


def vendi_with_error(features: Tensor, order: float, rng: Rng) -> MetricValue:
    """`vendi` and its standard error; `rng` draws the groups of the jackknife."""
    rows = _directions(features)
    if len(rows) < 2 or not 1 <= order < math.inf:
        return MetricValue(vendi(features, order))
    if len(rows) > rows.shape[1]:
        return _by_delta_method(rows, order)
    groups = min(JACKKNIFE_GROUPS, len(rows))
    group = (rng.permutation(len(rows)) % groups).to(rows.device)
    without = torch.tensor([vendi(rows[group != one], order) for one in range(groups)])
    error = float(without.double().std(correction=0)) * (groups - 1) ** 0.5
    return MetricValue(vendi(rows, order), error)


def _by_delta_method(rows: Tensor, order: float) -> MetricValue:
    """The score of more directions (n, d) than features, and its standard error.

    With the weight of a direction x, exp(H) moves by -exp(H) (x' log(rho) x + H), and the Hill
    number S of order q by S q / (1 - q) (x' rho^(q - 1) x / tr rho^q - 1), rho the mean of x x'.
    """
    eigenvalues, vectors = torch.linalg.eigh(_smaller_gram(rows))
    seen = _seen(eigenvalues)
    proportions = eigenvalues[seen]
    parts = (
        rows @ vectors[:, seen]
    ).square()  # (n, r), along each eigenvector; the mean: fractions
    score = hill_number(proportions, order)
    if order == 1:
        counts_for = parts @ proportions.log() * -score
    else:
        scale = score * order / (1 - order) / proportions.pow(order).sum()
        counts_for = parts @ proportions.pow(order - 1) * scale
    return MetricValue(score, float(counts_for.std()) / len(rows) ** 0.5)


def _directions(features: Tensor) -> Tensor:
    """The rows at length 1, in float64, without those of length 0."""
    rows = features.double()
    lengths = rows.norm(dim=1, keepdim=True)
    kept = lengths[:, 0] > 0
    directions: Tensor = rows[kept] / lengths[kept]
    return directions


def _smaller_gram(rows: Tensor) -> Tensor:
    """(d, d) or (n, n), with eigenvalues that add up to 1."""
    count, size = rows.shape
    gram = rows.T @ rows if size < count else rows @ rows.T
    scaled: Tensor = gram / count
    return scaled


def _seen(eigenvalues: Tensor) -> Tensor:
    """Which of them are more than rounding errors."""
    noise = len(eigenvalues) * torch.finfo(torch.float64).eps * eigenvalues.max()
    seen: Tensor = eigenvalues > noise
    return seen


def hill_number(proportions: Tensor, order: float) -> float:
    """The effective number of positive fractions (n,), divided by their sum first."""
    proportions = proportions / proportions.sum()
    if order == 1:
        return float(torch.special.entr(proportions).sum().exp())
    if math.isinf(order):
        return float(1 / proportions.max())
    return float(proportions.pow(order).sum() ** (1 / (1 - order)))
