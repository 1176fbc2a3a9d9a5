"""Realism and rarity of single generated images, from the balls around real ones.

Realism: Kynkäänniemi et al. 2019, arXiv:1904.06991, equation 4. Rarity: Han et al. 2022,
arXiv:2206.08549, definition 1.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.metrics._exact_squares import exact_squares
from coequal.metrics._tiles import TIE, centre_of, paired_squares

TILE = 512  # generated images at once
PANEL = 8192  # real images at once


def realism_and_rarity(
    real: Float[Tensor, "m d"], radii: Float[Tensor, " m"], fake: Float[Tensor, "n d"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """How realistic and how rare each generated image is.

    Args:
        real: features of the real images.
        radii: of their balls; a point on the edge is inside.
        fake: features of the generated images.

    Returns:
        The realism, the largest radius / distance over the balls whose radius is at most the
        median, infinite for a copy of the centre of such a ball; a ball without extent counts for
        nothing. And the rarity, the smallest radius of all balls that hold the image, NaN if none
        does. Both are float64.
    """
    radii = radii.double()
    order = radii.argsort(stable=True)  # the balls of the realism are the first ones
    rows, sizes = real[order], radii[order]
    kept = int((sizes <= radii.median()).sum())
    balls = _Balls(rows, sizes.square(), kept, centre_of(real))
    found = [balls.around(tile) for tile in fake.split(TILE)]
    nearest, smallest = (torch.cat(parts) for parts in zip(*found, strict=True))
    numbers = torch.arange(len(fake), device=fake.device)
    distances = paired_squares(rows, fake, nearest, numbers).sqrt()
    realism = torch.where(sizes[nearest] > 0, sizes[nearest] / distances, 0.0)
    holds = smallest < len(rows)
    rarity = torch.where(holds, sizes[smallest.clamp(max=len(rows) - 1)], math.nan)
    return realism, rarity


class _Balls:
    """Balls around points, in the order of their radii."""

    def __init__(self, centres: Tensor, squares: Tensor, kept: int, middle: Tensor) -> None:
        self.centres, self.squares, self.kept, self.middle = centres, squares, kept, middle

    def around(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """For each of some points (n, d): which of the first `kept` balls has the largest radius
        for its distance, and which is the first that holds the point; the number of balls if none
        does."""
        best = self.squares.new_full((len(points),), -1.0)
        best_at = torch.zeros(len(points), dtype=torch.long, device=points.device)
        first = torch.full_like(best_at, len(self.centres))
        for start in range(0, len(self.centres), PANEL):
            stop = min(start + PANEL, len(self.centres))
            radii = self.squares[start:stop, None]
            squares = exact_squares(self.centres[start:stop], points, self.middle, radii[:, 0])
            inside = squares <= radii * (1 + TIE)
            found = start + inside.to(torch.uint8).argmax(0)  # the first of the largest values
            first = torch.where(inside.any(0), torch.minimum(first, found), first)
            if start < self.kept:
                ratios = torch.where(radii > 0, radii / squares, 0.0)[: self.kept - start]
                most = ratios.max(0)
                better = most.values > best
                best = torch.where(better, most.values, best)
                best_at = torch.where(better, start + most.indices, best_at)
        return best_at, first
