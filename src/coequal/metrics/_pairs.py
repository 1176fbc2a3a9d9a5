"""Random pairs of images."""

import torch
from jaxtyping import Int
from torch import Tensor

from coequal.rng import Rng


def draw_pairs(count: int, pairs: int, rng: Rng) -> Int[Tensor, "2 pairs"]:
    """First and second members of pairs of different images, each image as often as the next, up to
    one."""
    half = count // 2
    rounds = -(-pairs // half)
    drawn = [rng.permutation(count)[: 2 * half].view(2, half) for _ in range(rounds)]
    return torch.cat(drawn, 1)[:, :pairs]


def draw_pairs_within(labels: Int[Tensor, " n"], pairs: int, rng: Rng) -> Int[Tensor, "2 some"]:
    """First and second members of pairs of images of one class, at most `pairs` of them, no image
    in two: of every class as many as it has images for, and of all these some at random."""
    drawn = [torch.zeros(2, 0, dtype=torch.long)]
    for label in labels.unique().tolist():
        (members,) = (labels == label).nonzero(as_tuple=True)
        half = len(members) // 2
        drawn.append(members.cpu()[rng.permutation(len(members))[: 2 * half]].view(2, half))
    every = torch.cat(drawn, 1)
    return every[:, rng.permutation(every.shape[1])[:pairs]]
