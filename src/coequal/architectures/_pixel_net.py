"""The net of PixelCNN++ (Salimans et al. 2017, arXiv:1701.05517), figure 2: all pixels at once."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from coequal.architectures._pixel_layers import (
    DOWN,
    Conv,
    Down,
    Residual,
    Step,
    Streams,
    Up,
    concat_elu,
)

STAGES = 3  # resolutions: whole, half, a quarter


class First(nn.Module):
    """From pixels to both streams, shifted so that no pixel sees itself."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.vertical = Conv(channels + 1, width, DOWN)
        self.above = Conv(channels + 1, width, (1, 3))
        self.left = Conv(channels + 1, width, (2, 1))

    def forward(self, pixels: Float[Tensor, "n c h w"]) -> Streams:
        """Pixels in [-1, 1]."""
        one = torch.ones_like(pixels[:, :1])  # tells an image's edge from a pixel of value 0
        seen = torch.cat([pixels, one], 1)
        lower, right = functional.pad(seen, (0, 0, 1, -1)), functional.pad(seen, (1, -1))
        return self.vertical(lower), self.above(lower) + self.left(right)


class PixelNet(nn.Module):
    """Pixels to the numbers of each pixel's distribution, which see only earlier pixels in
    reading order.

    Three stages of `blocks` blocks on the way down, and `blocks`, `blocks` + 1, `blocks` + 1 on the
    way up, each with a short cut to the layer of its size: figure 2 of the paper.
    """

    def __init__(
        self, channels: int, width: int, blocks: int, numbers: int, classes: int | None
    ) -> None:
        super().__init__()
        self.first = First(channels, width)
        down: list[Step] = []
        up: list[Step] = []
        for level in range(STAGES):
            down += [Down(width, level)] if level else []
            down += [Residual(width, level, False, classes) for _ in range(blocks)]
        for level in reversed(range(STAGES)):
            inner = level == STAGES - 1
            up += [] if inner else [Up(width, level)]
            up += [Residual(width, level, True, classes) for _ in range(blocks + (not inner))]
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        self.last = Conv(2 * width, numbers, (1, 1))

    def forward(
        self, pixels: Float[Tensor, "n c h w"], labels: Int[Tensor, " n"] | None
    ) -> Float[Tensor, "n numbers h w"]:
        """Pixels in [-1, 1]; labels for a net that knows classes."""
        kept: list[Streams] = [self.first(pixels)]
        for step in self.down:
            kept.append(step(kept[-1], None, labels))
        streams = kept.pop()
        for step in self.up:
            skip = kept.pop() if isinstance(step, Residual) else None
            streams = step(streams, skip, labels)
        found: Tensor = self.last(concat_elu(streams[1]))
        return found.float() if found.dtype == torch.bfloat16 else found
