"""Nets of convolutions that halve a square image down to 4x4, or 7x7 of 28x28."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from coequal.architectures._conditioning import Conditioning, InputRange, Momentum
from coequal.architectures._layers import Reshape, Upsample, halvings, initialise
from coequal.contract import Capabilities, ClassLogits, Generator, ImageShape

SMALLEST = 4  # the nets halve until another halving would go below it


@dataclass(frozen=True)
class Halving(Conditioning):
    """What these nets share: which images they are for, their norms, weights normal (0.02).

    Attributes:
        norm_momentum: weight of each new batch in BatchNorm's moving averages.
    """

    input_range: InputRange = "symmetric"
    norm_momentum: Momentum = 0.1

    norm_epsilon: ClassVar[float] = 2e-5  # of BatchNorm
    capabilities: ClassVar[Capabilities] = Capabilities(
        generators=(Generator,),
        outputs=(ClassLogits,),
        shapes="1 or 3 channels, square of 28, 32, 64 or another multiple of 4 from 16 on",
    )

    def _fits(self, shape: ImageShape) -> bool:
        channels, height, width = shape
        square = height == width and height >= 16 and height % 4 == 0
        return square and height >> halvings(height, SMALLEST) < 8 and channels in (1, 3)

    def _initialise(self, net: nn.Module) -> None:
        initialise(net, truncated=False)

    def _norm(self, channels: int, affine: bool = True) -> nn.BatchNorm2d:
        return nn.BatchNorm2d(channels, self.norm_epsilon, self.norm_momentum, affine=affine)

    def _doubling(
        self, shape: ImageShape, classes: int | None, channels: Sequence[int]
    ) -> list[nn.Module]:
        """From latents to the smallest map, which doubles until it has the last of the channels;
        a norm and a ReLU after every map."""
        side = shape.height >> halvings(shape.height, SMALLEST)
        joined, inputs = self._joined(self.latents, classes)
        layers: list[nn.Module] = [
            *joined,
            nn.Linear(inputs, channels[0] * side * side, bias=False),
            Reshape(channels[0], side, side),
        ]
        for level, after in enumerate(channels):
            if level:
                layers.append(Upsample(channels[level - 1], after, bias=False))
            layers += [self._generator_norm(self._norm, after, classes), nn.ReLU(inplace=True)]
        return layers
