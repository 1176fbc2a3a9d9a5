"""Layers that several architectures share."""

from torch import Tensor, nn

from coequal.architectures import _strided
from coequal.contract import Architecture, ImageShape


class Upsample(nn.ConvTranspose2d):
    """4x4 transposed convolution with stride 2 that doubles height and width.

    On a CPU by the kernels of `_strided`; `tests/architectures` hold both equal.
    """

    def __init__(self, channels_in: int, channels_out: int, *, bias: bool = True) -> None:
        super().__init__(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=bias)

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(n, in, h, w) to (n, out, 2 h, 2 w)."""
        if _strided.applies_to(images):
            doubled: Tensor = _strided.Double.apply(images, self.weight, self.bias)
            return doubled
        if self.out_channels > 1 or images.device.type != "cpu":
            return super().forward(images)
        mapped = _strided.doubled_by_fold(images, self.weight)
        return mapped if self.bias is None else mapped + self.bias[:, None, None]


class Downsample(nn.Conv2d):
    """4x4 convolution with stride 2 that halves height and width ("SAME" padding of even sizes).

    On a CPU by the kernels of `_strided`; `tests/architectures` hold both equal.
    """

    def __init__(self, channels_in: int, channels_out: int, *, bias: bool = True) -> None:
        super().__init__(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """(n, in, 2 h, 2 w) to (n, out, h, w)."""
        if _strided.applies_to(images):
            halved: Tensor = _strided.Halve.apply(images, self.weight, self.bias)
            return halved
        return super().forward(images)


def leaky_relu(slope: float = 0.2) -> nn.Module:
    """Leaky ReLU; in place, because what it overwrites is not needed again."""
    return nn.LeakyReLU(slope, inplace=True)


def halvings(side: int, smallest: int) -> int:
    """How often a side can be halved to whole pixels without going below `smallest`."""
    count = 0
    while side % 2 == 0 and side // 2 >= smallest:
        side, count = side // 2, count + 1
    return count


def unsupported(architecture: Architecture, shape: ImageShape) -> str:
    """Which images an architecture builds nets for, in words, where it builds none for a shape."""
    name = type(architecture).__module__.rpartition(".")[2]
    found = f"{shape.channels} channels of {shape.height}x{shape.width}"
    return (
        f"{name} builds {architecture.capabilities.shapes}; the data have {found}; what would do: "
        "another architecture, or images of another size (--image-size 32, in a study file "
        "image_size: 32)"
    )


class Centre(nn.Module):
    """[0, 1] to [-1, 1], in which published discriminators see their images."""

    def forward(self, images: Tensor) -> Tensor:
        """2 x - 1."""
        return images * 2 - 1


class Reshape(nn.Module):
    """(n, ...) to (n, *shape)."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, values: Tensor) -> Tensor:
        """The same values in another shape."""
        return values.reshape(len(values), *self.shape)


DEVIATION = 0.02  # of the weights that `initialise` draws


def initialise(net: nn.Module, *, truncated: bool = True) -> None:
    """Weights normal (those of convolutions truncated at two deviations, if wanted), biases 0."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d) and truncated:
            nn.init.trunc_normal_(layer.weight, std=DEVIATION, a=-2 * DEVIATION, b=2 * DEVIATION)
        elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, std=DEVIATION)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
