"""The "standard CNN" of spectral normalisation (Miyato et al. 2018, arXiv:1802.05957, table 3)."""

from dataclasses import dataclass

from torch import nn

from coequal.architectures._conditioning import Prior
from coequal.architectures._halving import SMALLEST, Halving
from coequal.architectures._labels import Labelled
from coequal.architectures._layers import Downsample, halvings, leaky_relu
from coequal.contract import ImageShape
from coequal.settings import Count

PART = "SnDcGan"

TOP = 512  # channels of the smallest map, at width 1
LEAK = 0.1  # slope below 0


@dataclass(frozen=True)
class SnDcGan(Halving):
    """D of seven convolutions, three of them halving; G doubles three times from 512 channels.

    32x32 is the published net. 28x28 begins at 7x7 and doubles twice, from 256 channels; 64x64
    doubles four times, from 1024. G ends with a 3x3 convolution. BatchNorm in G always; in D by a
    setting, which the paper turns off for all but its comparison. Weights normal (0.02), biases 0.
    D sees the image as 2 x - 1.

    Attributes:
        latents: numbers of z; 128 in the paper, standard normal.
        batch_norm: whether the discriminator has BatchNorm.
    """

    latents: Count = 128
    batch_norm: bool = False
    prior: Prior = "normal"

    def _features(self, shape: ImageShape) -> int:
        return self.units(TOP) * (shape.height >> 3) ** 2  # D halves three times, at any size

    def _decoder(self, shape: ImageShape, classes: int | None) -> Labelled:
        levels = halvings(shape.height, SMALLEST)
        channels = [self.units(64 << level) for level in reversed(range(levels + 1))]
        layers = self._doubling(shape, classes, channels)
        return Labelled(*layers, nn.Conv2d(channels[-1], shape.channels, 3, padding=1))

    def _trunk(self, shape: ImageShape, classes: int | None) -> Labelled:
        """Images to the flattened last map."""
        plane, channels = self._label_plane(shape, classes)
        layers: list[nn.Module] = [*self._shown(), *plane]
        for index, full in enumerate((64, 64, 128, 128, 256, 256, TOP)):
            after, normed = self.units(full), self.batch_norm and index > 0
            if index % 2:
                layers.append(Downsample(channels, after, bias=not normed))
            else:
                layers.append(nn.Conv2d(channels, after, 3, padding=1, bias=not normed))
            layers += [self._norm(after)] if normed else []
            layers.append(leaky_relu(LEAK))
            channels = after
        return Labelled(*layers, nn.Flatten())
