"""The two nets of the recipes: a small one, and the ResNet-32 of the GAN-train paper."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from coequal.contract import ImageShape

FEATURES = 128  # of the small net's last hidden layer
BLOCKS_PER_GROUP = 5  # n of 6n + 2 layers
WIDTHS = (16, 32, 64)
BATCH_NORM_EPSILON = 1e-5


def drawn(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A net with initial weights from a seed; torch's global generator stays as it was.

    Args:
        build: Builds the net.
        seed: Of its weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def small(shape: ImageShape, classes: int) -> nn.Sequential:
    """Two convolutions and two dense layers, for images of 4x4 at least; some 200,000 parameters
    for 28x28."""
    channels, height, width = shape
    return nn.Sequential(
        *_small_block(channels, 16),
        *_small_block(16, 32),
        nn.Flatten(),
        nn.Linear(32 * (height // 4) * (width // 4), FEATURES),
        nn.ReLU(),
        nn.Linear(FEATURES, classes),
    )


def resnet32(shape: ImageShape, classes: int) -> nn.Sequential:
    """Pre-activation ResNet-32, for images of 4x4 at least; 466,970 parameters for 3 channels and
    10 classes, whatever the size.

    A 3x3 convolution; three groups of five blocks with 16, 32 and 64 channels, the second and the
    third at half the size of the one before; BatchNorm, ReLU, the mean over all places, and a dense
    layer. The first block of each group has a 1x1 convolution as its shortcut, in the first group,
    too, where none would be needed (as in TensorFlow's model of 2017, which the paper took).
    """
    layers: list[nn.Module] = [_conv(shape.channels, WIDTHS[0], 3)]
    before = WIDTHS[0]
    for group, width in enumerate(WIDTHS):
        for block in range(BLOCKS_PER_GROUP):
            stride = 2 if group and not block else 1
            layers.append(Block(before, width, stride, project=not block))
            before = width
    dense = nn.Linear(before, classes)
    nn.init.xavier_uniform_(dense.weight)
    nn.init.zeros_(dense.bias)
    pool = [_norm(before), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, *pool, dense)


class Block(nn.Module):
    """Twice BatchNorm, ReLU and a 3x3 convolution, and a shortcut about them.

    Source: He et al. 2016, arXiv:1603.05027, figure 1 (b).
    """

    def __init__(self, before: int, width: int, stride: int, project: bool) -> None:
        super().__init__()
        self.first_norm, self.second_norm = _norm(before), _norm(width)
        self.first = _conv(before, width, 3, stride)
        self.second = _conv(width, width, 3)
        self.shortcut = _conv(before, width, 1, stride) if project else None

    def forward(self, x: Tensor) -> Tensor:
        """(n, before, h, w) to (n, width, h / stride, w / stride)."""
        active = functional.relu(self.first_norm(x))
        beside = x if self.shortcut is None else self.shortcut(active)
        change: Tensor = self.second(functional.relu(self.second_norm(self.first(active))))
        return change + beside


class MaxPool(nn.Module):
    """Largest of each 2x2; an odd last row or column is dropped.

    Without a gradient by slices, at ten times torch's speed on a CPU; with one, torch's is faster.
    """

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) to (n, c, h // 2, w // 2)."""
        if torch.is_grad_enabled():
            return functional.max_pool2d(images, 2)
        height, width = images.shape[2] // 2 * 2, images.shape[3] // 2 * 2
        even = images[:, :, :height, :width]
        rows = torch.maximum(even[:, :, ::2], even[:, :, 1::2])
        return torch.maximum(rows[..., ::2], rows[..., 1::2])


def _small_block(channels_in: int, channels_out: int) -> list[nn.Module]:
    conv = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
    # Pooling comes before norm and ReLU, which then have a quarter of the work.
    return [conv, MaxPool(), nn.BatchNorm2d(channels_out), nn.ReLU()]


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=BATCH_NORM_EPSILON)


def _conv(before: int, width: int, size: int, stride: int = 1) -> nn.Conv2d:
    """Without a bias; normal weights cut at two deviations, of variance 1 / inputs."""
    conv = nn.Conv2d(before, width, size, stride, padding=size // 2, bias=False)
    # A standard normal cut at two deviations has the deviation 0.8796.
    deviation = math.sqrt(1 / (before * size**2)) / 0.87962566103423978
    nn.init.trunc_normal_(conv.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    return conv
