"""The nets of DCGAN (Radford et al. 2016, arXiv:1511.06434, figure 1), in the sizes of the authors'
Torch code: 4x4 kernels, 64 channels beside the image, twice as many at each halving.
"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import PositiveFloat
from torch import nn

from coequal.architectures._conditioning import Conditioning, InputRange, Momentum
from coequal.architectures._labels import Labelled
from coequal.architectures._layers import (
    Reshape,
    Upsample,
    downsample,
    halvings,
    initialise,
    leaky_relu,
    unsupported_size,
)
from coequal.architectures._players import DecoderGenerator
from coequal.architectures._remedies import with_masks
from coequal.contract import Capabilities, ClassLogits, Generator, ImageShape, Players, Requirements
from coequal.settings import Count

PART = "DcGan"

BASE = 64  # channels beside the image, at width 1
SMALLEST = 4  # the nets halve until another halving would go below it


@dataclass(frozen=True)
class DcGan(Conditioning):
    """Convolutions of stride 2 from the image down to 4x4 (7x7 for 28x28) for D, mirrored in G.

    64x64 is the published net: 3,576,704 numbers in G for three channels and 100 latents. 32x32 and
    28x28 leave out one and two of its inner layers. BatchNorm everywhere but next to the image and
    at D's end. Weights normal (0.02), biases 0. D sees the image as 2 x - 1, which is what a tanh
    would have made; a sigmoid here.

    Attributes:
        width: multiplies every number of channels; 1 is the paper.
        latents: numbers of z; 100 in the paper.
        batch_norm: whether the discriminator has BatchNorm.
        norm_momentum: weight of each new batch in BatchNorm's moving averages.
    """

    width: PositiveFloat = 1.0
    latents: Count = 100
    batch_norm: bool = True
    norm_momentum: Momentum = 0.1
    input_range: InputRange = "symmetric"

    capabilities: ClassVar[Capabilities] = Capabilities(
        generators=(Generator,),
        outputs=(ClassLogits,),
        shapes="1 or 3 channels, square of 28, 32, 64 or another multiple of 4 from 16 on",
    )

    def unsupported_reason(self, shape: ImageShape) -> str | None:
        """Why images of this shape can't be had, in words; None if they can."""
        return unsupported_size("dcgan", shape, self.capabilities.shapes)

    def build(self, shape: ImageShape, classes: int | None, requirements: Requirements) -> Players:
        """A generator, and a discriminator with or without a class head."""
        decoder = self._decoder(shape, classes)
        generator = DecoderGenerator(
            with_masks(decoder, self.generator_dropout), self.latents, self.prior, classes
        )
        levels = halvings(shape.height, SMALLEST)
        flat = self._channels(levels - 1) * (shape.height >> levels) ** 2
        discriminator = self._discriminator(
            requirements, lambda: self._trunk(shape, classes), flat, classes
        )
        initialise(generator, truncated=False)
        if discriminator is not None:
            initialise(discriminator, truncated=False)
            discriminator = self._normalised(discriminator)
        return Players(generator, discriminator)

    def _channels(self, level: int) -> int:
        """After so many halvings beyond the first; at least 1."""
        return max(1, round(BASE * self.width) << level)

    def _norm(self, channels: int, affine: bool = True) -> nn.BatchNorm2d:
        return nn.BatchNorm2d(channels, momentum=self.norm_momentum, affine=affine)

    def _decoder(self, shape: ImageShape, classes: int | None) -> Labelled:
        levels = halvings(shape.height, SMALLEST)
        side, channels = shape.height >> levels, self._channels(levels - 1)
        joined, inputs = self._joined(self.latents, classes)
        layers: list[nn.Module] = [
            *joined,
            nn.Linear(inputs, channels * side * side, bias=False),
            Reshape(channels, side, side),
        ]
        for level in reversed(range(levels - 1)):
            layers += [self._generator_norm(self._norm, channels, classes), nn.ReLU(inplace=True)]
            layers.append(Upsample(channels, channels := self._channels(level), bias=False))
        layers += [self._generator_norm(self._norm, channels, classes), nn.ReLU(inplace=True)]
        return Labelled(*layers, Upsample(channels, shape.channels, bias=False))

    def _trunk(self, shape: ImageShape, classes: int | None) -> Labelled:
        """Images to the flattened last map."""
        plane, channels = self._label_plane(shape, classes)
        layers: list[nn.Module] = [*self._shown(), *plane]
        for level in range(halvings(shape.height, SMALLEST)):
            normed = self.batch_norm and level > 0
            layers.append(downsample(channels, channels := self._channels(level), bias=False))
            layers += [self._norm(channels)] if normed else []
            layers.append(leaky_relu())
        return Labelled(*layers, nn.Flatten())
