"""The nets of DCGAN (Radford et al. 2016, arXiv:1511.06434, figure 1), in the sizes of the authors'
Torch code: 4x4 kernels, 64 channels beside the image, twice as many at each halving.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from coequal.architectures._halving import SMALLEST, Halving
from coequal.architectures._labels import Labelled
from coequal.architectures._layers import Downsample, Upsample, halvings, leaky_relu
from coequal.contract import ImageShape
from coequal.settings import Count

PART = "DcGan"

BASE = 64  # channels beside the image, at width 1


@dataclass(frozen=True)
class DcGan(Halving):
    """Convolutions of stride 2 from the image down to 4x4 (7x7 for 28x28) for D, mirrored in G.

    64x64 is the published net: 3,576,704 numbers in G for three channels and 100 latents. 32x32 and
    28x28 leave out one and two of its inner layers. BatchNorm everywhere but next to the image and
    at D's end. Weights normal (0.02), biases 0. D sees the image as 2 x - 1, which is what a tanh
    would have made; a sigmoid here.

    Attributes:
        latents: numbers of z; 100 in the paper.
        batch_norm: whether the discriminator has BatchNorm.
    """

    latents: Count = 100
    batch_norm: bool = True

    norm_epsilon: ClassVar[float] = 1e-5

    def _features(self, shape: ImageShape) -> int:
        levels = halvings(shape.height, SMALLEST)
        return self._channels(levels - 1) * (shape.height >> levels) ** 2

    def _channels(self, level: int) -> int:
        """After so many halvings beyond the first; at least 1."""
        return max(1, round(BASE * self.width) << level)

    def _decoder(self, shape: ImageShape, classes: int | None) -> Labelled:
        levels = range(halvings(shape.height, SMALLEST))
        channels = [self._channels(level) for level in reversed(levels)]
        layers = self._doubling(shape, classes, channels)
        return Labelled(*layers, Upsample(channels[-1], shape.channels, bias=False))

    def _trunk(self, shape: ImageShape, classes: int | None) -> Labelled:
        """Images to the flattened last map."""
        plane, channels = self._label_plane(shape, classes)
        layers: list[nn.Module] = [*self._shown(), *plane]
        for level in range(halvings(shape.height, SMALLEST)):
            normed = self.batch_norm and level > 0
            layers.append(Downsample(channels, channels := self._channels(level), bias=False))
            layers += [self._norm(channels)] if normed else []
            layers.append(leaky_relu())
        return Labelled(*layers, nn.Flatten())
