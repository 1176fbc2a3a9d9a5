"""The nets of "Are GANs Created Equal?" (Lucic et al. 2018, arXiv:1711.10337): those of InfoGAN.

Sizes as in the study's code; the source of the nets is Chen et al. 2016, arXiv:1606.03657, appendix
C.1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from coequal.architectures._conditioning import Conditioning, Momentum
from coequal.architectures._labels import Labelled
from coequal.architectures._layers import Downsample, Reshape, Upsample, initialise, leaky_relu
from coequal.architectures._players import Autoencoder
from coequal.contract import (
    Capabilities,
    ClassLogits,
    ImageShape,
    LatentVariableGenerator,
    Reconstruction,
)

PART = "InfoGan"

BATCH_NORM_EPSILON = 1e-3  # TensorFlow's default, which the study used


@dataclass(frozen=True)
class InfoGan(Conditioning):
    """Two convolutions and two dense layers for D, mirrored in G; an autoencoder for BEGAN, a VAE.

    28x28, 32x32 and 64x64 in the study; any height and width divisible by 4 here. G has BatchNorm
    always, the discriminator (and the VAE's encoder) by a setting. Two departures from the study's
    code: layers before a BatchNorm have no bias (it would have no effect but in Adam's rounding),
    and BatchNorm's moving averages are faster, to follow a training of a few hundred steps.

    Attributes:
        batch_norm: whether the discriminator or the VAE's encoder has BatchNorm.
        norm_momentum: weight of each new batch in BatchNorm's moving averages; 0.001 in the study.
    """

    batch_norm: bool = True
    norm_momentum: Momentum = 0.01

    capabilities: ClassVar[Capabilities] = Capabilities(
        generators=(LatentVariableGenerator,),
        outputs=(ClassLogits, Reconstruction),
        shapes="1 or 3 channels, height and width divisible by 4",
    )

    def _fits(self, shape: ImageShape) -> bool:
        return shape.channels in (1, 3) and shape.height % 4 == 0 and shape.width % 4 == 0

    def _features(self, shape: ImageShape) -> int:
        return self.units(1024)

    def _initialise(self, net: nn.Module) -> None:
        initialise(net)

    def _norm_1d(self, units: int, affine: bool = True) -> nn.BatchNorm1d:
        return nn.BatchNorm1d(units, BATCH_NORM_EPSILON, self.norm_momentum, affine=affine)

    def _norm_2d(self, channels: int, affine: bool = True) -> nn.BatchNorm2d:
        return nn.BatchNorm2d(channels, BATCH_NORM_EPSILON, self.norm_momentum, affine=affine)

    def _vae_decoder(self, shape: ImageShape, classes: int | None) -> Labelled:
        return self._decoder(shape, classes, nn.ReLU)

    def _decoder(
        self,
        shape: ImageShape,
        classes: int | None,
        activation: Callable[[], nn.Module] = leaky_relu,
    ) -> Labelled:
        joined, latents = self._joined(self.latents, classes)
        hidden, wide, narrow = self.units(1024), self.units(128), self.units(64)
        height, width = shape.height // 4, shape.width // 4
        return Labelled(
            *joined,
            nn.Linear(latents, hidden, bias=False),
            self._generator_norm(self._norm_1d, hidden, classes),
            activation(),
            nn.Linear(hidden, wide * height * width, bias=False),
            self._generator_norm(self._norm_1d, wide * height * width, classes),
            activation(),
            Reshape(wide, height, width),
            Upsample(wide, narrow, bias=False),
            self._generator_norm(self._norm_2d, narrow, classes),
            activation(),
            Upsample(narrow, shape.channels),
        )

    def _trunk(self, shape: ImageShape, classes: int | None) -> Labelled:
        """Images to `units(1024)` features."""
        plane, channels = self._label_plane(shape, classes)
        wide, narrow, hidden = self.units(128), self.units(64), self.units(1024)
        flat = wide * (shape.height // 4) * (shape.width // 4)
        bias = not self.batch_norm
        return Labelled(
            *self._shown(),
            *plane,
            Downsample(channels, narrow),
            leaky_relu(),
            Downsample(narrow, wide, bias=bias),
            *self._optional(self._norm_2d, wide),
            leaky_relu(),
            nn.Flatten(),
            nn.Linear(flat, hidden, bias=bias),
            *self._optional(self._norm_1d, hidden),
            leaky_relu(),
        )

    def _autoencoder(self, shape: ImageShape, classes: int | None) -> Autoencoder:
        plane, channels = self._label_plane(shape, classes)
        wide, narrow, code = self.units(128), self.units(64), 64
        height, width = shape.height // 4, shape.width // 4
        bias = not self.batch_norm
        encoder = Labelled(
            *self._shown(),
            *plane,
            Downsample(channels, narrow),
            leaky_relu(),
            Downsample(narrow, wide),
            leaky_relu(),
            nn.Flatten(),
            nn.Linear(wide * height * width, code, bias=bias),
            *self._optional(self._norm_1d, code),
            leaky_relu(),
        )
        decoder = Labelled(
            nn.Linear(code, wide * height * width, bias=bias),
            *self._optional(self._norm_1d, wide * height * width),
            leaky_relu(),
            Reshape(wide, height, width),
            Upsample(wide, narrow, bias=bias),
            *self._optional(self._norm_2d, narrow),
            leaky_relu(),
            Upsample(narrow, shape.channels),
        )
        return Autoencoder(encoder, decoder)

    def _optional(self, norm: Callable[[int], nn.Module], units: int) -> list[nn.Module]:
        return [norm(units)] if self.batch_norm else []
