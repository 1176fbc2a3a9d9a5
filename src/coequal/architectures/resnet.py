"""Residual nets of SNGAN and of projection cGAN (Miyato et al. 2018, arXiv:1802.05957, tables 4 and
5; Miyato and Koyama 2018, arXiv:1802.05637, appendix A). Those of WGAN-GP (Gulrajani et al. 2017,
arXiv:1704.00028, appendix F) are alike, with a mean in the place of D's sum.
"""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional

from coequal.architectures._conditioning import Prior
from coequal.architectures._halving import SMALLEST, Halving
from coequal.architectures._labels import Labelled, TakesLabels
from coequal.architectures._layers import Reshape, halvings
from coequal.contract import ImageShape
from coequal.settings import Count

PART = "ResNet"

LARGE = 64  # from this height on the nets are those of the papers' ImageNet experiments


@dataclass(frozen=True)
class ResNet(Halving):
    """Blocks of two 3x3 convolutions beside a shortcut; G upsamples, D averages down.

    32x32 is the published net for CIFAR-10: G has 256 channels and 4,276,739 numbers, D has 128.
    28x28 begins at 7x7 and doubles twice (one block less); from 64x64 on G halves its channels at
    each of its blocks (512, 256, 128, 64) and D doubles them (64 to 1024, five halvings). BatchNorm
    in G only. Weights by Glorot's uniform rule, with gain sqrt 2 in the residual branches, biases
    0. D sees the image as 2 x - 1.

    Attributes:
        latents: numbers of z; 128 in the papers, standard normal.
        pooling: how D's last map becomes features: the sum over positions (SNGAN) or the mean
            (WGAN-GP).
    """

    latents: Count = 128
    pooling: Literal["sum", "mean"] = "sum"
    prior: Prior = "normal"

    logit_bias: ClassVar[bool] = False

    def _features(self, shape: ImageShape) -> int:
        return self.units(1024 if shape.height >= LARGE else 128)

    def _initialise(self, net: nn.Module) -> None:
        for name, layer in net.named_modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                residual = name.endswith((".first", ".second"))
                nn.init.xavier_uniform_(layer.weight, gain=sqrt(2) if residual else 1.0)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def _decoder(self, shape: ImageShape, classes: int | None) -> Labelled:
        levels = halvings(shape.height, SMALLEST)
        side = shape.height >> levels
        wide = shape.height >= LARGE
        after = [self.units(512 >> level if wide else 256) for level in range(levels)]
        joined, inputs = self._joined(self.latents, classes)
        layers: list[nn.Module] = [
            *joined,
            nn.Linear(inputs, after[0] * side * side),
            Reshape(after[0], side, side),
        ]
        for before, channels in zip([after[0], *after], after, strict=False):
            norms = [self._generator_norm(self._norm, c, classes) for c in (before, channels)]
            layers.append(_Up(before, channels, *norms))
        last = after[-1]
        return Labelled(
            *layers,
            self._generator_norm(self._norm, last, classes),
            nn.ReLU(inplace=True),
            nn.Conv2d(last, shape.channels, 3, padding=1),
        )

    def _trunk(self, shape: ImageShape, classes: int | None) -> Labelled:
        """Images to the pooled last map."""
        plane, channels = self._label_plane(shape, classes)
        wide = shape.height >= LARGE
        plan = [(64 << level, True) for level in range(5)] if wide else _SMALL
        layers: list[nn.Module] = [*self._shown(), *plane]
        for index, (full, halve) in enumerate(plan):
            after = self.units(full)
            layers.append(_Down(channels, after, halve=halve, first=index == 0))
            channels = after
        return Labelled(*layers, nn.ReLU(), _Pool(self.pooling))


_SMALL = [(128, True), (128, True), (128, False), (128, False)]  # channels, and whether it halves


class _Up(TakesLabels):
    """Norm, ReLU, twice as large, convolution, norm, ReLU, convolution; beside it a 1x1 one."""

    only_passes = True

    def __init__(self, before: int, after: int, norm: nn.Module, inner: nn.Module) -> None:
        super().__init__()
        self.norms = nn.ModuleList([Labelled(norm), Labelled(inner)])
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.shortcut = nn.Conv2d(before, after, 1)
        self.channels_out = after

    def forward(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """(n, before, h, w) to (n, after, 2 h, 2 w)."""
        hidden = functional.relu(self.norms[0](images, labels))
        hidden = self.first(functional.interpolate(hidden, scale_factor=2.0))
        hidden = self.second(functional.relu(self.norms[1](hidden, labels)))
        # A 1x1 convolution and a repetition of pixels commute; this order has a quarter of the work
        beside = functional.interpolate(self.shortcut(images), scale_factor=2.0)
        found: Tensor = hidden + beside
        return found


class _Down(nn.Module):
    """ReLU, convolution, ReLU, convolution, mean of 2x2; beside it a 1x1 one where it must be."""

    def __init__(self, before: int, after: int, *, halve: bool, first: bool) -> None:
        super().__init__()
        self.halve, self.begins = halve, first
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.shortcut = nn.Conv2d(before, after, 1) if halve or before != after else None

    def forward(self, images: Tensor) -> Tensor:
        """(n, before, h, w) to (n, after, h, w) or half of it."""
        # The first block sees the image itself: no ReLU before it.
        hidden = self.first(images if self.begins else functional.relu(images))
        hidden = self.second(functional.relu(hidden))
        beside = images
        if self.halve:
            hidden, beside = functional.avg_pool2d(hidden, 2), functional.avg_pool2d(images, 2)
        found: Tensor = hidden + (beside if self.shortcut is None else self.shortcut(beside))
        return found


class _Pool(nn.Module):
    """(n, c, h, w) to (n, c)."""

    def __init__(self, pooling: str) -> None:
        super().__init__()
        self.pooling = pooling

    def forward(self, images: Tensor) -> Tensor:
        """Sum or mean over positions."""
        return images.sum((2, 3)) if self.pooling == "sum" else images.mean((2, 3))
