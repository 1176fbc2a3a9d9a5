"""Layers of PixelCNN++ (Salimans et al. 2017, arXiv:1701.05517): two streams that see only earlier
pixels.

The vertical stream sees the rows above; the horizontal one these, and the pixels to the left.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

Kernel = tuple[int, int]
Streams = tuple[Float[Tensor, "n c h w"], Float[Tensor, "n c h w"]]
"""Vertical and horizontal, of one size."""

DOWN: Kernel = (2, 3)  # the row above and this row, from left to right
DOWN_RIGHT: Kernel = (2, 2)  # the same, and no column to the right


class _ConcatElu(torch.autograd.Function):
    """One exponential for both halves, and none for the gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """The larger of x and e^-|x| - 1 is ELU(x); and ELU(-x) is that of -x."""
        decayed = values.abs().neg_().exp_()
        ctx.save_for_backward(values, decayed)
        below = decayed - 1
        return torch.cat([torch.maximum(values, below), torch.maximum(-values, below)], 1)

    @staticmethod
    def backward(ctx: Any, *towards: Tensor) -> Tensor:
        """Slope 1 on the positive side, e^-|x| on the other; the second half's is negative."""
        values, decayed = ctx.saved_tensors
        first, second = towards[0].chunk(2, 1)
        right = torch.addcmul(first, second, decayed, value=-1)
        return torch.where(values > 0, right, torch.addcmul(-second, first, decayed))


def concat_elu(values: Tensor) -> Tensor:
    """ELU of the values and of their negatives: twice as many channels (axis 1).

    Near 0 it is off by the rounding of 1. On a CPU about six times as fast as torch's, twice with
    its gradient.
    """
    found: Tensor = _ConcatElu.apply(values)
    return found


class Conv(nn.Module):
    """Convolution that looks up and to both sides, or only up and left; weight-normalised.

    The kernel's last row is the pixel's own; columns are centred if their number is odd. Each
    output has a direction and a length (Salimans and Kingma 2016, arXiv:1602.07868). The paper sets
    lengths and biases by a first batch of data; nets are built before there is one here, and
    lengths begin at `gain`: the deviation of the output for inputs of mean square 1.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: Kernel, stride: int = 1, gain: float = 1
    ) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.empty(channels_out, channels_in, *kernel))
        self.length = nn.Parameter(torch.full((channels_out,), float(gain)))
        self.bias = nn.Parameter(torch.zeros(channels_out))
        self.stride = stride
        nn.init.normal_(self.direction, std=0.05)

    def weight(self) -> Float[Tensor, "out in height width"]:
        """The weights as they act."""
        return self.length[:, None, None, None] * _unit(self.direction, (1, 2, 3))

    def forward(self, values: Float[Tensor, "n in h w"]) -> Float[Tensor, "n out ho wo"]:
        """The same height and width, divided by the stride."""
        height, width = self.direction.shape[2:]
        padded = functional.pad(values, (width // 2, (width - 1) // 2, height - 1, 0))
        return functional.conv2d(padded, self.weight(), self.bias, self.stride)


class Deconv(nn.Module):
    """Transposed convolution with stride 2 that doubles height and width; as `Conv` otherwise."""

    def __init__(self, channels: int, kernel: Kernel) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.empty(channels, channels, *kernel))
        self.length = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        nn.init.normal_(self.direction, std=0.05)

    def weight(self) -> Float[Tensor, "in out height width"]:
        """The weights as they act."""
        return self.length[:, None, None] * _unit(self.direction, (0, 2, 3))

    def forward(self, values: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 2h 2w"]:
        """Rows 2 r and 2 r + 1 come from row r alone; so do columns if the kernel is 2 wide."""
        sides = (0, (self.direction.shape[3] - 1) // 2)
        return functional.conv_transpose2d(values, self.weight(), self.bias, 2, sides, sides)


class GatedBlock(nn.Module):
    """A residual block with a gate, and a view of another stream or of an earlier layer."""

    def __init__(self, width: int, kernel: Kernel, beside: int, classes: int | None) -> None:
        super().__init__()
        self.first = Conv(2 * width, width, kernel)
        self.second = Conv(2 * width, 2 * width, kernel, gain=0.1)
        self.beside = Conv(2 * beside, width, (1, 1)) if beside else None
        self.classes = nn.Embedding(classes, 2 * width) if classes else None
        if self.classes is not None:
            nn.init.normal_(self.classes.weight, std=0.05)

    def forward(
        self,
        values: Float[Tensor, "n c h w"],
        beside: Tensor | None,
        labels: Int[Tensor, " n"] | None,
    ) -> Float[Tensor, "n c h w"]:
        """The values, and what is added to them.

        Args:
            values: of the stream.
            beside: what else is seen; None for a block that was built without it.
            labels: classes of the images, for a block that knows them.
        """
        hidden = self.first(concat_elu(values))
        if self.beside is not None and beside is not None:
            hidden = hidden + self.beside(concat_elu(beside))
        hidden = self.second(concat_elu(hidden))
        if self.classes is not None:
            hidden = hidden + self.classes(labels)[:, :, None, None]
        change, gate = hidden.chunk(2, 1)
        found: Tensor = values + change * torch.sigmoid(gate)
        return found


class Step(nn.Module):
    """One layer of both streams.

    Attributes:
        level: of its output; height and width are those of the image, halved so many times.
    """

    level: int

    def forward(
        self, streams: Streams, skip: Streams | None, labels: Int[Tensor, " n"] | None
    ) -> Streams:
        """Both streams, one layer on; `skip` are those of a layer on the way down."""
        raise NotImplementedError


class Residual(Step):
    """A gated block in each stream; the horizontal one sees the vertical."""

    def __init__(self, width: int, level: int, skip: bool, classes: int | None) -> None:
        super().__init__()
        self.level = level
        self.vertical = GatedBlock(width, DOWN, width * skip, classes)
        self.horizontal = GatedBlock(width, DOWN_RIGHT, width * (1 + skip), classes)

    def forward(
        self, streams: Streams, skip: Streams | None, labels: Int[Tensor, " n"] | None
    ) -> Streams:
        """See `Step`."""
        vertical = self.vertical(streams[0], None if skip is None else skip[0], labels)
        beside = vertical if skip is None else torch.cat([vertical, skip[1]], 1)
        return vertical, self.horizontal(streams[1], beside, labels)


class Down(Step):
    """Half of height and width."""

    def __init__(self, width: int, level: int) -> None:
        super().__init__()
        self.level = level
        self.vertical = Conv(width, width, DOWN, stride=2)
        self.horizontal = Conv(width, width, DOWN_RIGHT, stride=2)

    def forward(
        self, streams: Streams, skip: Streams | None, labels: Int[Tensor, " n"] | None
    ) -> Streams:
        """See `Step`."""
        return self.vertical(streams[0]), self.horizontal(streams[1])


class Up(Step):
    """Twice height and width."""

    def __init__(self, width: int, level: int) -> None:
        super().__init__()
        self.level = level
        self.vertical = Deconv(width, DOWN)
        self.horizontal = Deconv(width, DOWN_RIGHT)

    def forward(
        self, streams: Streams, skip: Streams | None, labels: Int[Tensor, " n"] | None
    ) -> Streams:
        """See `Step`."""
        return self.vertical(streams[0]), self.horizontal(streams[1])


def _unit(direction: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The same direction for each output, of length 1 over the other axes."""
    length: Tensor = torch.linalg.vector_norm(direction, dim=axes, keepdim=True)
    return direction / length
