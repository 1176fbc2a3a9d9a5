"""k-means by Lloyd's algorithm from k-means++ starts: Arthur and Vassilvitskii 2007, SODA."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from coequal.rng import Rng

MAX_ITERATIONS = 100
STARTS = 10


class Clusters(NamedTuple):
    """Where k-means came to rest.

    Attributes:
        labels: (n,) the cluster of each point, from 0 on.
        centres: (count, d), to which no other point is nearer.
    """

    labels: Int[Tensor, " n"]
    centres: Float[Tensor, "count d"]


def tightest(
    points: Float[Tensor, "n d"], count: int, rng: Rng, *, searched: int | None = None
) -> Clusters:
    """The best of `STARTS` clusterings: that with the least squared distances to the centres.

    Args:
        points: any, at least one.
        count: of clusters, at least 1.
        rng: of the starts.
        searched: so many points at most, drawn at random, are clustered from every start; all
            points then move from the best centres alone. None: all are clustered from every start.
    """
    few = points
    if searched is not None and len(points) > searched:
        few = points[rng.permutation(len(points))[:searched].to(points.device)]
    runs = [kmeans(few, count, rng) for _ in range(STARTS)]
    best = min(runs, key=lambda run: float((few - run.centres[run.labels]).square().sum()))
    return best if few is points else settled(points, best.centres)


def kmeans(points: Float[Tensor, "n d"], count: int, rng: Rng) -> Clusters:
    """Cluster points from one k-means++ start, until no point moves to another cluster.

    Args:
        points: any, at least one.
        count: of clusters, at least 1.
        rng: of the start.
    """
    return settled(points, starts(points, count, rng))


def settled(points: Float[Tensor, "n d"], centres: Float[Tensor, "count d"]) -> Clusters:
    """Where Lloyd's algorithm comes to rest from these centres; a cluster that loses all its points
    keeps its centre."""
    count = len(centres)
    labels = nearest(points, centres)
    for _ in range(MAX_ITERATIONS):
        member = torch.nn.functional.one_hot(labels, count).to(points.dtype)
        sizes = member.sum(0)[:, None]
        means = member.T @ points / sizes.clamp(min=1)
        centres = torch.where(sizes > 0, means, centres)
        moved = nearest(points, centres)
        if torch.equal(moved, labels):
            break
        labels = moved
    return Clusters(labels, centres)


def starts(points: Tensor, count: int, rng: Rng) -> Tensor:
    """Centres (count, d) by k-means++: each point with odds of its squared distance to the last
    ones."""
    centres = [points[int(rng.integers(len(points), 1))]]
    gap = (points - centres[0]).square().sum(1)
    for draw in rng.uniform(count - 1).double():
        total = gap.double().cumsum(0)
        index = torch.searchsorted(total, draw * total[-1], right=True).clamp(max=len(points) - 1)
        centres.append(points[int(index)])
        gap = torch.minimum(gap, (points - centres[-1]).square().sum(1))
    return torch.stack(centres)


def nearest(points: Tensor, centres: Tensor) -> Tensor:
    """The index of the nearest centre of each point; of equals, the first."""
    return (centres.square().sum(1) / 2 - points @ centres.T).argmin(1)
