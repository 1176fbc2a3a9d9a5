"""A mixture of round Gaussians around one set of features, fitted to another by their widths:
Jiralerspong et al. 2023, arXiv:2302.04440, section 3.

All Gaussians weigh the same. Their variances s_j are those under which the features of the second
set are most likely, found as in the authors' program (marcojira/fld): Adam on log s_j at a rate of
0.5, 50 times through the set, from the squared distance to the nearest feature over the number of
dimensions. While it is fitted, there is one Gaussian more around the mean of the second set, which
keeps far features from deciding everything.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

RATE, EPOCHS, BATCH = 0.5, 50, 10_000
NEAREST = 1e-3  # added to the squared distance to the nearest feature that a variance begins at
WIDTHS = (-40.0, 20.0)  # between which log s_j are kept: copies would let them go to -infinity
NEARER = 0.81  # of squared distances to the mean of all, for the Gaussian around it
ROWS = 128  # of features whose likelihoods are in memory at once


class Mixture(NamedTuple):
    """A fitted mixture.

    Attributes:
        centres: (m, d), float32.
        log_variances: (m,), in the precision of likelihoods.
    """

    centres: Float[Tensor, "m d"]
    log_variances: Float[Tensor, " m"]

    def _joint(self, features: Float[Tensor, "n d"]) -> Iterator[Float[Tensor, "rows m"]]:
        """log N(x_i | centre j, s_j) / m of all pairs, some rows at a time."""
        for rows in features.split(ROWS):
            yield _joint(
                squared_distances(rows, self.centres).to(self.log_variances.dtype),
                self.log_variances,
                len(self.centres),
                self.centres.shape[1],
            )

    def log_likelihoods(self, features: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """log p(x_i), float64."""
        return torch.cat([part.logsumexp(1).double() for part in self._joint(features)])

    def log_masses(self, features: Float[Tensor, "n d"]) -> Float[Tensor, " m"]:
        """Of each Gaussian, the log of the sum of its densities at the features."""
        parts = [part.logsumexp(0) for part in self._joint(features)]
        return torch.stack(parts).logsumexp(0) + math.log(len(self.centres))

    def densest(self, features: Float[Tensor, "n d"]) -> Float[Tensor, " m"]:
        """Of each Gaussian, the largest of its log-densities at the features."""
        parts = [part.amax(0) for part in self._joint(features)]
        return torch.stack(parts).amax(0) + math.log(len(self.centres))


def fitted(
    centres: Float[Tensor, "m d"],
    features: Float[Tensor, "n d"],
    precision: torch.dtype = torch.float64,
) -> Mixture:
    """The mixture around the centres under which the features are most likely.

    Holds n m numbers in float32.

    Args:
        centres: float32.
        features: float32, in the order in which they are taken in batches.
        precision: of likelihoods and widths. In float32, as in the authors' program, takes half the
            time and rounding errors become some 0.0002 nats by feature: Adam's steps do not shrink
            with the slopes.
    """
    dimensions = centres.shape[1]
    distances = torch.cat([squared_distances(rows, centres) for rows in features.split(ROWS)])
    widths = ((distances.amin(0).to(precision) + NEAREST) / dimensions).log_()
    of_all = widths.new_zeros(1)
    middle = features.double().mean(0, keepdim=True)
    far = NEARER * squared_distances(features, middle).to(precision)
    steps = torch.optim.Adam([widths, of_all], lr=RATE)
    for _ in range(EPOCHS):
        for batch, beyond in zip(distances.split(BATCH), far.split(BATCH), strict=True):
            widths.grad, of_all.grad = _slopes(batch, beyond, widths, of_all, dimensions)
            steps.step()
            widths.clamp_(*WIDTHS)
    return Mixture(centres, widths)


def squared_distances(
    first: Float[Tensor, "n d"], second: Float[Tensor, "m d"]
) -> Float[Tensor, "n m"]:
    """|x - y|^2 of all pairs in float32, from float64 products: copies are next to 0 apart."""
    x, y = first.double(), second.double()
    squares = torch.addmm(y.square().sum(1), x, y.T, alpha=-2)
    return squares.add_(x.square().sum(1, keepdim=True)).clamp_(min=0).float()


def _joint(distances: Tensor, log_variances: Tensor, weights: int, dimensions: int) -> Tensor:
    """Log densities of round Gaussians at squared distances, over a number of them."""
    norms = log_variances + math.log(2 * math.pi)
    return torch.addcmul(
        -dimensions / 2 * norms - math.log(weights), distances, (-log_variances).exp(), value=-0.5
    )


def _slopes(
    distances: Tensor, beyond: Tensor, widths: Tensor, of_all: Tensor, dimensions: int
) -> tuple[Tensor, Tensor]:
    """The derivatives of the mean negative log-likelihood per dimension by both kinds of log
    variances: with r_ij what Gaussian j has of the likelihood of feature i and u_ij its distance
    over s_j, those of r_ij (d - u_ij) / 2 on average, per dimension."""
    slopes, own = torch.zeros_like(widths), torch.zeros_like(of_all)
    scales, scale = (-widths).exp(), (-of_all).exp()
    for some, far in zip(distances.split(ROWS), beyond.split(ROWS), strict=True):
        rows = some.to(widths.dtype)
        joint = _joint(rows, widths, len(widths), dimensions)
        apart = _joint(far, of_all, 1, dimensions)
        highest = torch.maximum(joint.amax(1, keepdim=True), apart)
        shares, rest = joint.sub_(highest).exp_(), apart.sub_(highest).exp_()[:, 0]
        parts = (shares.sum(1) + rest).reciprocal_()
        slopes += torch.mv(shares.T, parts).mul_(dimensions)
        slopes -= torch.mv(shares.mul_(rows).T, parts).mul_(scales)
        own += (rest * parts * (dimensions - far[:, 0] * scale)).sum()
    factor = 0.5 / (len(distances) * dimensions)
    return slopes.mul_(factor), own.mul_(factor)
