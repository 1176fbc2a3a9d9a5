"""Multilayer perceptrons, for points in the plane and small images.

As in the toy experiments of Metz et al. 2017 (arXiv:1611.02163; sizes from memory) and of Gulrajani
et al. 2017 (arXiv:1704.00028).
"""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from torch import nn

from coequal.architectures._conditioning import Conditioning
from coequal.architectures._labels import Labelled
from coequal.architectures._layers import Reshape, leaky_relu
from coequal.architectures._players import Autoencoder
from coequal.contract import (
    Capabilities,
    ClassLogits,
    ImageShape,
    LatentVariableGenerator,
    Reconstruction,
)
from coequal.settings import Count

PART = "Mlp"

HIDDEN = 128  # units of a layer, at width 1
LEAK = 0.2  # slope of `leaky_relu` below 0
CODE = 64  # numbers at most that the autoencoder squeezes an image through


@dataclass(frozen=True)
class Mlp(Conditioning):
    """Dense layers with leaky ReLU, as many in every net; images of any shape.

    The generator has no BatchNorm: its moving averages would blur what it makes by more than a
    Gaussian of 0.02. The autoencoder's code has half as many numbers as an image, and 64 at most;
    an image of two numbers has a code of one. Weights are drawn by He's rule (He et al. 2015,
    arXiv:1502.01852), biases are 0.

    Attributes:
        width: multiplies the 128 units of every hidden layer.
        depth: hidden layers of each net (and of each half of an autoencoder or a VAE).
        batch_norm: whether the hidden layers of the discriminator or the VAE's encoder have
            BatchNorm.
    """

    depth: Count = 2
    batch_norm: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.generator_norm == "virtual":
            raise ValueError("generator_norm: virtual needs a norm, and mlp's generator has none")
        if self.generator_labels == "conditional_norm":
            raise ValueError(
                "generator_labels: conditional_norm needs BatchNorm, and mlp's generator has none; "
                "take one_hot, embedding or product"
            )

    capabilities: ClassVar[Capabilities] = Capabilities(
        generators=(LatentVariableGenerator,),
        outputs=(ClassLogits, Reconstruction),
        shapes="any channels, height and width",
    )

    def _fits(self, shape: ImageShape) -> bool:
        return True

    def _features(self, shape: ImageShape) -> int:
        return self.units(HIDDEN)

    def _initialise(self, net: nn.Module) -> None:
        for layer in net.modules():
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, a=LEAK)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def _decoder(self, shape: ImageShape, classes: int | None) -> Labelled:
        joined, inputs = self._joined(self.latents, classes)
        return Labelled(*joined, *self._dense(inputs, shape))

    def _autoencoder(self, shape: ImageShape, classes: int | None) -> Autoencoder:
        code = max(1, min(CODE, prod(shape) // 2))
        encoder = Labelled(*self._trunk(shape, classes), nn.Linear(self._features(shape), code))
        return Autoencoder(encoder, Labelled(*self._dense(code, shape)))

    def _dense(self, inputs: int, shape: ImageShape) -> list[nn.Module]:
        units = self.units(HIDDEN)
        layers: list[nn.Module] = []
        for wide in [inputs, *[units] * (self.depth - 1)]:
            layers += [nn.Linear(wide, units), leaky_relu()]
        return [*layers, nn.Linear(units, prod(shape)), Reshape(*shape)]

    def _trunk(self, shape: ImageShape, classes: int | None) -> Labelled:
        """Images to features. A layer before a BatchNorm has no bias, as in `infogan`."""
        units = self.units(HIDDEN)
        plane, channels = self._label_plane(shape, classes)
        layers: list[nn.Module] = [*self._shown(), *plane, nn.Flatten()]
        for wide in [channels * shape.height * shape.width, *[units] * (self.depth - 1)]:
            layers.append(nn.Linear(wide, units, bias=not self.batch_norm))
            layers += [nn.BatchNorm1d(units)] if self.batch_norm else []
            layers.append(leaky_relu())
        return Labelled(*layers)
