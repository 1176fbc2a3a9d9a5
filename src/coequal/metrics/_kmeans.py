"""k-means by Lloyd's algorithm from k-means++ starts: Arthur and Vassilvitskii 2007, SODA.

All starts move together: their products are one, which reads the points once.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from coequal.rng import Rng

MAX_ITERATIONS = 100
STARTS = 10
FLOATS = 1 << 16  # differences at once: they stay in a core's cache
MEMBERS = 1 << 23  # entries of the tables of who belongs to which cluster that are held at once


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
    runs = kmeans(few, count, rng, STARTS)
    best = min(runs, key=lambda run: float((few - run.centres[run.labels]).square().sum()))
    return best if few is points else settled(points, best.centres[None])[0]


def kmeans(points: Float[Tensor, "n d"], count: int, rng: Rng, runs: int) -> list[Clusters]:
    """Cluster points from some k-means++ starts, until no point moves to another cluster.

    Args:
        points: any, at least one.
        count: of clusters, at least 1.
        rng: of the starts.
        runs: how many starts.
    """
    centres = starts(points, count, rng, runs)
    at_once = max(1, MEMBERS // (len(points) * count))
    return [run for some in centres.split(at_once) for run in settled(points, some)]


def settled(points: Float[Tensor, "n d"], centres: Float[Tensor, "runs count d"]) -> list[Clusters]:
    """Where Lloyd's algorithm comes to rest from each run's centres; a cluster that loses all its
    points keeps its centre."""
    centres, labels = centres.clone(), nearest(points, centres)
    moving = torch.arange(len(centres), device=points.device)
    for _ in range(MAX_ITERATIONS):
        centres[moving] = means_of(points, labels[moving], centres[moving])
        found = nearest(points, centres[moving])
        moved = (found != labels[moving]).any(1)
        labels[moving] = found
        moving = moving[moved]
        if not len(moving):
            break
    return [Clusters(*run) for run in zip(labels, centres, strict=True)]


def means_of(
    points: Float[Tensor, "n d"], labels: Int[Tensor, "runs n"], centres: Tensor
) -> Float[Tensor, "runs count d"]:
    """The mean of the points of each cluster; the old centre where there are none."""
    clusters = torch.arange(centres.shape[1], device=points.device)
    member = (labels[:, None] == clusters[:, None]).to(points.dtype)  # (runs, count, n)
    sizes = member.sum(2, keepdim=True)
    sums = member.flatten(0, 1) @ points
    return torch.where(sizes > 0, sums.view_as(centres) / sizes.clamp(min=1), centres)


def starts(
    points: Float[Tensor, "n d"], count: int, rng: Rng, runs: int
) -> Float[Tensor, "runs count d"]:
    """Centres by k-means++: each point with odds of its squared distance to the last ones."""
    drawn = [(rng.integers(len(points), 1), rng.uniform(count - 1).double()) for _ in range(runs)]
    first, further = (torch.stack(parts).to(points.device) for parts in zip(*drawn, strict=True))
    centres = [points[first[:, 0]]]
    gap = squared_distances(points, centres[0])
    for draw in further.T:
        total = gap.double().cumsum(1)
        wanted = (draw * total[:, -1])[:, None]
        index = torch.searchsorted(total, wanted, right=True).clamp(max=len(points) - 1)
        centres.append(points[index[:, 0]])
        gap = torch.minimum(gap, squared_distances(points, centres[-1]))
    return torch.stack(centres, 1)


def squared_distances(
    points: Float[Tensor, "n d"], others: Float[Tensor, "runs d"]
) -> Float[Tensor, "runs n"]:
    """Of each point from each other one, from differences."""
    size = max(1, FLOATS // max(1, others.numel())) if points.device.type == "cpu" else len(points)
    parts = [(rows - others[:, None]).square_().sum(2) for rows in points.split(size)]
    return torch.cat(parts, 1)


def nearest(
    points: Float[Tensor, "n d"], centres: Float[Tensor, "runs count d"]
) -> Int[Tensor, "runs n"]:
    """The index of the nearest of each run's centres to each point; of equals, the first."""
    products = (points @ centres.flatten(0, 1).T).view(len(points), *centres.shape[:2])
    return (centres.square().sum(2) / 2 - products).argmin(2).T
