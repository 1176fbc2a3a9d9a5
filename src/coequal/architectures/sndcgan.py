"""The "standard CNN" of spectral normalisation (Miyato et al. 2018, arXiv:1802.05957, table 3)."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import PositiveFloat
from torch import nn

from coequal.architectures._conditioning import Conditioning, InputRange, Momentum, Prior
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

PART = "SnDcGan"

TOP = 512  # channels of the smallest map, at width 1
LEAK = 0.1  # slope below 0
SMALLEST = 4  # of G; D halves three times, whatever comes out


@dataclass(frozen=True)
class SnDcGan(Conditioning):
    """D of seven convolutions, three of them halving; G doubles three times from 512 channels.

    32x32 is the published net. 28x28 begins at 7x7 and doubles twice, from 256 channels; 64x64
    doubles four times, from 1024. G ends with a 3x3 convolution. BatchNorm in G always; in D by a
    setting, which the paper turns off for all but its comparison. Weights normal (0.02), biases 0.
    D sees the image as 2 x - 1.

    Attributes:
        width: multiplies every number of channels; 1 is the paper.
        latents: numbers of z; 128 in the paper, standard normal.
        batch_norm: whether the discriminator has BatchNorm.
        norm_momentum: weight of each new batch in BatchNorm's moving averages.
    """

    width: PositiveFloat = 1.0
    latents: Count = 128
    batch_norm: bool = False
    norm_momentum: Momentum = 0.1
    prior: Prior = "normal"
    input_range: InputRange = "symmetric"

    capabilities: ClassVar[Capabilities] = Capabilities(
        generators=(Generator,),
        outputs=(ClassLogits,),
        shapes="1 or 3 channels, square of 28, 32, 64 or another multiple of 4 from 16 on",
    )

    def unsupported_reason(self, shape: ImageShape) -> str | None:
        """Why images of this shape can't be had, in words; None if they can."""
        return unsupported_size("sndcgan", shape, self.capabilities.shapes)

    def build(self, shape: ImageShape, classes: int | None, requirements: Requirements) -> Players:
        """A generator, and a discriminator with or without a class head."""
        generator = DecoderGenerator(
            with_masks(self._decoder(shape, classes), self.generator_dropout),
            self.latents,
            self.prior,
            classes,
        )
        flat = self.units(TOP) * (shape.height >> 3) ** 2
        discriminator = self._discriminator(
            requirements, lambda: self._trunk(shape, classes), flat, classes
        )
        initialise(generator, truncated=False)
        if discriminator is not None:
            initialise(discriminator, truncated=False)
            discriminator = self._normalised(discriminator)
        return Players(generator, discriminator)

    def units(self, full: int) -> int:
        """A number of channels of the paper, at this width; at least 1."""
        return max(1, round(full * self.width))

    def _norm(self, channels: int, affine: bool = True) -> nn.BatchNorm2d:
        return nn.BatchNorm2d(channels, 2e-5, self.norm_momentum, affine=affine)

    def _decoder(self, shape: ImageShape, classes: int | None) -> Labelled:
        levels = halvings(shape.height, SMALLEST)
        side, channels = shape.height >> levels, self.units(64 << levels)
        joined, inputs = self._joined(self.latents, classes)
        layers: list[nn.Module] = [
            *joined,
            nn.Linear(inputs, channels * side * side, bias=False),
            Reshape(channels, side, side),
        ]
        for level in reversed(range(levels)):
            layers += [self._generator_norm(self._norm, channels, classes), nn.ReLU(inplace=True)]
            layers.append(Upsample(channels, channels := self.units(64 << level), bias=False))
        layers += [self._generator_norm(self._norm, channels, classes), nn.ReLU(inplace=True)]
        return Labelled(*layers, nn.Conv2d(channels, shape.channels, 3, padding=1))

    def _trunk(self, shape: ImageShape, classes: int | None) -> Labelled:
        """Images to the flattened last map."""
        plane, channels = self._label_plane(shape, classes)
        layers: list[nn.Module] = [*self._shown(), *plane]
        for index, full in enumerate((64, 64, 128, 128, 256, 256, TOP)):
            after, normed = self.units(full), self.batch_norm and index > 0
            if index % 2:
                layers.append(downsample(channels, after, bias=not normed))
            else:
                layers.append(nn.Conv2d(channels, after, 3, padding=1, bias=not normed))
            layers += [self._norm(after)] if normed else []
            layers.append(leaky_relu(LEAK))
            channels = after
        return Labelled(*layers, nn.Flatten())
