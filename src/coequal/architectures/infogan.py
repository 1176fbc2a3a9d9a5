"""The nets of "Are GANs Created Equal?" (Lucic et al. 2018, arXiv:1711.10337): those of InfoGAN.

Sizes as in the study's code; the source of the nets is Chen et al. 2016, arXiv:1606.03657, appendix
C.1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from coequal.architectures._layers import Reshape, Upsample, downsample, initialise, leaky_relu
from coequal.architectures._players import Autoencoder, LogitDiscriminator, UniformGenerator, Vae
from coequal.contract import (
    Architecture,
    Generator,
    ImageShape,
    LatentVariableGenerator,
    Logits,
    Needs,
    Offers,
    Players,
    Reconstruction,
)

PART = "InfoGan"

BATCH_NORM_EPSILON = 1e-3  # TensorFlow's default, which the study used


@dataclass(frozen=True)
class InfoGan(Architecture):
    """Two convolutions and two dense layers for D, mirrored in G; an autoencoder for BEGAN, a VAE.

    28x28, 32x32 and 64x64 in the study; any height and width divisible by 4 here. G has BatchNorm
    always, the discriminator (and the VAE's encoder) by a setting. Two departures from the study's
    code: layers before a BatchNorm have no bias (it would have no effect but in Adam's rounding),
    and BatchNorm's moving averages are faster, to follow a training of a few hundred steps.

    Attributes:
        width: multiplies every number of channels and hidden units; 1 is the study.
        latents: numbers of z, uniform on (-1, 1); standard normal for a VAE.
        batch_norm: whether the discriminator or the VAE's encoder has BatchNorm.
        norm_momentum: share of each new batch in BatchNorm's moving averages; 0.001 in the study.
    """

    width: float = 1.0
    latents: int = 64
    batch_norm: bool = True
    norm_momentum: float = 0.01

    def __post_init__(self) -> None:
        if self.width <= 0:
            raise ValueError(f"width must be above 0, got {self.width}")
        if self.latents < 1:
            raise ValueError(f"latents must be at least 1, got {self.latents}")
        if not 0 < self.norm_momentum <= 1:
            raise ValueError(f"norm_momentum must be in (0, 1], got {self.norm_momentum}")

    offers: ClassVar[Offers] = Offers(
        generators=(LatentVariableGenerator,),
        outputs=(Logits, Reconstruction),
        shapes="1 or 3 channels, height and width divisible by 4",
    )

    def refuses(self, shape: ImageShape) -> str | None:
        """Why images of this shape can't be had, in words; None if they can."""
        if shape.channels in (1, 3) and shape.height % 4 == 0 and shape.width % 4 == 0:
            return None
        found = f"{shape.channels} channels of {shape.height}x{shape.width}"
        return f"infogan builds {self.offers.shapes}; the data have {found}"

    def build(self, shape: ImageShape, classes: int | None, needs: Needs) -> Players:
        """A generator or a VAE, and a discriminator or an autoencoder, or none."""
        variational = needs.generator is LatentVariableGenerator
        generator: Generator
        if variational:
            generator = Vae(
                self._trunk(shape), self.units(1024), self._decoder(shape, nn.ReLU), self.latents
            )
        else:
            generator = UniformGenerator(self._decoder(shape, leaky_relu), self.latents)
        discriminator: nn.Module | None = None
        if needs.output is Logits:
            discriminator = LogitDiscriminator(self._trunk(shape), self.units(1024))
        elif needs.output is Reconstruction:
            discriminator = self._autoencoder(shape)
        for net in (generator, discriminator):
            if net is not None:
                initialise(net)
        return Players(generator, discriminator)

    def units(self, full: int) -> int:
        """A number of channels or units of the study, at this width; at least 1."""
        return max(1, round(full * self.width))

    def _norm_1d(self, units: int) -> nn.Module:
        return nn.BatchNorm1d(units, eps=BATCH_NORM_EPSILON, momentum=self.norm_momentum)

    def _norm_2d(self, channels: int) -> nn.Module:
        return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPSILON, momentum=self.norm_momentum)

    def _decoder(self, shape: ImageShape, activation: Callable[[], nn.Module]) -> nn.Sequential:
        hidden, wide, narrow = self.units(1024), self.units(128), self.units(64)
        height, width = shape.height // 4, shape.width // 4
        return nn.Sequential(
            nn.Linear(self.latents, hidden, bias=False),
            self._norm_1d(hidden),
            activation(),
            nn.Linear(hidden, wide * height * width, bias=False),
            self._norm_1d(wide * height * width),
            activation(),
            Reshape(wide, height, width),
            Upsample(wide, narrow, bias=False),
            self._norm_2d(narrow),
            activation(),
            Upsample(narrow, shape.channels),
        )

    def _trunk(self, shape: ImageShape) -> nn.Sequential:
        """Images to `units(1024)` features."""
        wide, narrow, hidden = self.units(128), self.units(64), self.units(1024)
        flat = wide * (shape.height // 4) * (shape.width // 4)
        bias = not self.batch_norm
        return nn.Sequential(
            downsample(shape.channels, narrow),
            leaky_relu(),
            downsample(narrow, wide, bias=bias),
            *self._optional(self._norm_2d, wide),
            leaky_relu(),
            nn.Flatten(),
            nn.Linear(flat, hidden, bias=bias),
            *self._optional(self._norm_1d, hidden),
            leaky_relu(),
        )

    def _autoencoder(self, shape: ImageShape) -> nn.Module:
        wide, narrow, code = self.units(128), self.units(64), 64
        height, width = shape.height // 4, shape.width // 4
        bias = not self.batch_norm
        encoder = nn.Sequential(
            downsample(shape.channels, narrow),
            leaky_relu(),
            downsample(narrow, wide),
            leaky_relu(),
            nn.Flatten(),
            nn.Linear(wide * height * width, code, bias=bias),
            *self._optional(self._norm_1d, code),
            leaky_relu(),
        )
        decoder = nn.Sequential(
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
