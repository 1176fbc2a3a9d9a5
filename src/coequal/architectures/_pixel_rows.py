"""What the layers of PixelCNN++ have seen, kept by row: each is computed once for each pixel.

As in Ramachandran et al. 2017 (arXiv:1704.06001). The vertical stream is computed a whole row at a
time. So is what the row above adds to a 2x2 convolution of the horizontal stream, which leaves one
matrix product of the two pixels of the row itself.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from coequal.architectures._pixel_layers import (
    Conv,
    Down,
    GatedBlock,
    Residual,
    Up,
    concat_elu,
)

Row = Float[Tensor, "n c 1 columns"]
"""Of the vertical stream."""
Pixel = Float[Tensor, "n c"]
"""Of the horizontal stream."""


class ConvByRow:
    """A 2x3 convolution, one row of its input after the other."""

    def __init__(self, conv: Conv, count: int, columns: int) -> None:
        # Channels last: faster here, and what the horizontal stream wants of its rows.
        self.weight = conv.weight().contiguous(memory_format=torch.channels_last)
        self.bias, self.stride = conv.bias, conv.stride
        self.seen = self.weight.new_zeros(count, self.weight.shape[1], 1, columns)

    def __call__(self, row: Row) -> Row:
        """The output of this row."""
        both = torch.cat([self.seen, row], 2)
        self.seen = row
        return functional.conv2d(both, self.weight, self.bias, self.stride, (0, 1))


class ConvByPixel:
    """A 2x2 convolution, one pixel of its input after the other, in reading order.

    Its input lies in `seen`, a column after the padding: of this row where it was put already, of
    the row above elsewhere.
    """

    def __init__(self, conv: Conv, count: int, columns: int) -> None:
        weight = conv.weight()
        self.channels = weight.shape[1]
        self.upper = weight[:, :, 0].permute(1, 2, 0).flatten(1)  # (in, left out + own out)
        self.lower = weight[:, :, 1].permute(2, 1, 0).flatten(0, 1)  # (left in + own in, out)
        self.bias, self.stride = conv.bias, conv.stride
        self.seen = weight.new_zeros(count, columns + 1, self.channels)

    def begin_row(self, more: Float[Tensor, "n columns out"] | Tensor | None = None) -> None:
        """All that the row above, the bias and `more` add to the outputs of the next row."""
        left, own = (self.seen @ self.upper).chunk(2, 2)
        above = left[:, : -1 : self.stride] + own[:, 1 :: self.stride]
        above += self.bias if more is None else self.bias + more
        self.above = above.transpose(0, 1).contiguous()

    def put(self, column: int, pixel: Pixel) -> None:
        """An input of this row."""
        self.seen[:, column + 1] = pixel

    def put_elu(self, column: int, pixel: Pixel) -> None:
        """The same, through `concat_elu`."""
        place = self.seen[:, column + 1]
        half = self.channels // 2
        below = pixel.abs().neg_().exp_().sub_(1)
        torch.maximum(pixel, below, out=place[:, :half])
        torch.maximum(-pixel, below, out=place[:, half:])

    def at(self, column: int) -> Pixel:
        """The output of a column, whose own input is the last that was put."""
        start = column * self.stride
        window = self.seen[:, start : start + 2].flatten(1)
        return torch.addmm(self.above[column], window, self.lower)


class ResidualRows:
    """A gated block in each stream.

    Attributes:
        level: at which it is computed: at every pixel whose row and column 2^level divides.
    """

    def __init__(
        self, step: Residual, count: int, columns: int, labels: Int[Tensor, " n"] | None
    ) -> None:
        self.level = step.level
        self.rows, self.pixels = step.vertical, step.horizontal
        self.of_rows = [ConvByRow(c, count, columns) for c in (self.rows.first, self.rows.second)]
        self.first = ConvByPixel(self.pixels.first, count, columns)
        self.second = ConvByPixel(self.pixels.second, count, columns)
        self.labels = [_classes(block, labels) for block in (self.rows, self.pixels)]
        assert self.pixels.beside is not None
        own, earlier = _streams(self.pixels.beside.weight(), len(self.pixels.first.bias))
        self.beside, self.earlier = own, earlier

    def row(self, i: int, values: Row, skip: Row | None) -> Row:
        """The vertical stream, and what the horizontal sees of it."""
        first, second = self.of_rows
        hidden = first(concat_elu(values))
        if self.rows.beside is not None and skip is not None:
            hidden = hidden + self.rows.beside(concat_elu(skip))
        hidden = second(concat_elu(hidden))
        if self.labels[0] is not None:
            hidden = hidden + self.labels[0][:, :, None, None]
        change, gate = hidden.chunk(2, 1)
        found = values + change * torch.sigmoid(gate)
        assert self.pixels.beside is not None
        seen = concat_elu(found)[:, :, 0].transpose(1, 2) @ self.beside
        self.first.begin_row(seen + self.pixels.beside.bias)
        self.second.begin_row(None if self.labels[1] is None else self.labels[1][:, None])
        return found

    def pixel(self, i: int, j: int, values: Pixel, skip: Pixel | None) -> Pixel:
        """The horizontal stream."""
        column = j >> self.level
        self.first.put_elu(column, values)
        hidden = self.first.at(column)
        if self.earlier is not None and skip is not None:
            hidden = torch.addmm(hidden, concat_elu(skip), self.earlier)
        self.second.put_elu(column, hidden)
        change, gate = self.second.at(column).chunk(2, 1)
        return torch.addcmul(values, change, torch.sigmoid(gate))


class DownRows:
    """Half of height and width; its level is that of its input."""

    def __init__(self, step: Down, count: int, columns: int) -> None:
        self.level = step.level - 1
        self.rows = ConvByRow(step.vertical, count, columns)
        self.pixels = ConvByPixel(step.horizontal, count, columns)

    def row(self, i: int, values: Row, skip: Row | None) -> Row | None:
        """The vertical stream in every second row."""
        if (i >> self.level) % 2:
            self.rows.seen = values
            return None
        self.pixels.begin_row()
        return self.rows(values)

    def pixel(self, i: int, j: int, values: Pixel, skip: Pixel | None) -> Pixel | None:
        """The horizontal stream at every fourth pixel."""
        self.pixels.put(j >> self.level, values)
        whole = (i >> self.level) % 2 == 0 and (j >> self.level) % 2 == 0
        return self.pixels.at(j >> self.level + 1) if whole else None


class UpRows:
    """Twice height and width; its level is that of its output."""

    def __init__(self, step: Up, count: int, columns: int) -> None:
        self.level = step.level
        self.vertical, self.horizontal = step.vertical, step.horizontal
        weight = step.horizontal.weight()
        self.weights = weight.permute(2, 3, 0, 1).contiguous()
        self.seen = weight.new_zeros(columns // 2, count, weight.shape[0])

    def row(self, i: int, values: Row | None, skip: Row | None) -> Row:
        """The vertical stream: one row of the input makes two."""
        if values is not None:
            self.both: Float[Tensor, "n c 2 columns"] = self.vertical(values)
        start = (i >> self.level) % 2
        return self.both[:, :, start : start + 1]

    def pixel(self, i: int, j: int, values: Pixel | None, skip: Pixel | None) -> Pixel:
        """The horizontal stream: one pixel of the input makes four."""
        row, column = i >> self.level, j >> self.level
        if values is not None:
            self.seen[column // 2] = values
        weight = self.weights[row % 2, column % 2]
        return torch.addmm(self.horizontal.bias, self.seen[column // 2], weight)


def _classes(block: GatedBlock, labels: Int[Tensor, " n"] | None) -> Tensor | None:
    if block.classes is None or labels is None:
        return None
    return functional.embedding(labels, block.classes.weight)


def _streams(weight: Float[Tensor, "out in 1 1"], width: int) -> tuple[Tensor, Tensor | None]:
    """Weights of what a block sees beside its stream, as (in, out): of the vertical stream, and of
    an earlier layer of its own if it sees one."""
    parts = weight[:, :, 0, 0].T.split(width)
    half = len(parts) // 2
    own = torch.cat([parts[0], parts[half]])
    return own, None if half == 1 else torch.cat([parts[1], parts[half + 1]])
