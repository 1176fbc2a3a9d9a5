"""Images of PixelCNN++, pixel by pixel, each layer computed once for each of its pixels."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from coequal.architectures import _logistics
from coequal.architectures._pixel_layers import Down, Residual, Up, concat_elu
from coequal.architectures._pixel_net import First, PixelNet
from coequal.architectures._pixel_rows import DownRows, Pixel, ResidualRows, Row, UpRows

Rows = ResidualRows | DownRows | UpRows


@torch.no_grad()
def sample(
    net: PixelNet,
    distribution: Callable[[Tensor], _logistics.Mixture],
    uniforms: Float[Tensor, "n 1+channels h w"],
    labels: Int[Tensor, " n"] | None,
) -> Float[Tensor, "n channels h w"]:
    """Levels 0 .. 255: the quantiles of every pixel's distribution, given the pixels before it.

    Args:
        net: of the pixels' distributions.
        distribution: from the net's output, (n, numbers), to the distribution of a pixel.
        uniforms: see `_logistics.draw`.
        labels: for a net that knows classes.
    """
    count, numbers, height, width = uniforms.shape
    levels = uniforms.new_zeros(count, numbers - 1, height, width)
    first = _First(net.first, levels)
    streams = _Streams(net, count, width, labels)
    last = net.last.weight()[:, :, 0, 0].T
    draws = uniforms.permute(2, 3, 0, 1).contiguous()
    for i in range(height):
        streams.row(i, first.row(i))
        for j in range(width):
            seen = concat_elu(streams.pixel(i, j, first.pixel(i, j)))
            found = _logistics.draw(
                distribution(torch.addmm(net.last.bias, seen, last)), draws[i, j]
            )
            levels[:, :, i, j] = found
            first.put(i, j, found)
    return levels


class _First:
    """The first layer, on a canvas with two rows above the image and a column on either side."""

    def __init__(self, first: First, like: Float[Tensor, "n c h w"]) -> None:
        count, channels, height, width = like.shape
        self.canvas = like.new_zeros(count, channels + 1, height + 2, width + 2)
        self.canvas[:, -1, 2:, 1:-1] = 1
        self.vertical = first.vertical.weight(), first.vertical.bias
        self.above = first.above.weight(), first.above.bias + first.left.bias
        self.left = first.left.weight().flatten(1).T

    def row(self, i: int) -> Row:
        """The vertical stream; what the horizontal sees of the row above is kept."""
        above = functional.conv2d(self.canvas[:, :, i + 1 : i + 2], *self.above)
        self.seen = above[:, :, 0].permute(2, 0, 1).contiguous()
        return functional.conv2d(self.canvas[:, :, i : i + 2], *self.vertical)

    def pixel(self, i: int, j: int) -> Pixel:
        """The horizontal stream."""
        left = self.canvas[:, :, i + 1 : i + 3, j].flatten(1)
        return torch.addmm(self.seen[j], left, self.left)

    def put(self, i: int, j: int, levels: Float[Tensor, "n channels"]) -> None:
        """A pixel that is known now."""
        self.canvas[:, :-1, i + 2, j + 1] = _logistics.on_line(levels)


class _Streams:
    """Both streams of all further layers."""

    def __init__(
        self, net: PixelNet, count: int, width: int, labels: Int[Tensor, " n"] | None
    ) -> None:
        def kept(step: nn.Module) -> Rows:
            if isinstance(step, Residual):
                return ResidualRows(step, count, width >> step.level, labels)
            if isinstance(step, Down):
                return DownRows(step, count, width >> step.level - 1)
            assert isinstance(step, Up)
            return UpRows(step, count, width >> step.level)

        self.down, self.up = [kept(step) for step in net.down], [kept(step) for step in net.up]

    def row(self, i: int, values: Row) -> None:
        """Everything that can be computed before the first pixel of a row is known."""
        self._through(values, i, lambda step, x, skip: step.row(i, x, skip))

    def pixel(self, i: int, j: int, values: Pixel) -> Pixel:
        """The horizontal stream of the last layer."""
        # i | j is divisible by a power of two if both are.
        found: Pixel = self._through(values, i | j, lambda s, x, skip: s.pixel(i, j, x, skip))
        return found

    def _through(self, values: Any, place: int, act: Callable[[Any, Any, Any], Any]) -> Any:
        """All layers in turn; those of a coarser level only where one of their pixels begins."""
        kept = [values]
        for step in self.down:
            values = act(step, values, None) if place % (1 << step.level) == 0 else None
            kept.append(values)
        values = kept.pop()
        for step in self.up:
            skip = kept.pop() if isinstance(step, ResidualRows) else None
            values = act(step, values, skip) if place % (1 << step.level) == 0 else None
        return values
