"""The 4x4 convolution with stride 2 and padding 1, its transpose and its gradients, on a CPU.

With images x, maps g of half their height and width, and weights w, the number <g, conv(x, w)> is
linear in each of the three, and its gradients are the three maps here: `Halve` (the convolution),
`Double` (its transpose) and `WeightGradient`. The derivative of each is made of the other two, so
that gradients of any order take these three kernels and no others.

torch's own kernels are near the peak of a processor except where there are few channels: there the
same maps are computed as a matrix product, or as a convolution with stride 1. Which kernel computes
a map depends on the numbers of channels and on the processor's instructions, never on a clock: the
same machine gives the same bits. `benchmarks/training.py` measures them; a result's environment
records the instructions as its "cpu capability". `COEQUAL_KERNELS=torch` in the shell, which is
recorded too, leaves them out, so that results of versions that had none come out to the bit;
`coequal verify` trains with the kernels of the run.
"""

import math
import os
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import register_flop_formula

VARIABLE = "COEQUAL_KERNELS"
CHOICES = ("own", "torch")
if os.environ.get(VARIABLE, "own") not in CHOICES:
    given = os.environ[VARIABLE]
    raise ValueError(f"{VARIABLE} is one of {', '.join(CHOICES)}; it is set to '{given}'")

COLOURS = 4  # up to so many channels of an image, a stride-1 convolution doubles faster than torch
NARROW = 16  # the same for a map of up to so many channels


def applies_to(values: Tensor) -> bool:
    """Whether these kernels may compute a map of `values`, instead of torch's own layers: on a CPU,
    without autocast, and while nobody compiles or traces the operations."""
    return (
        os.environ.get(VARIABLE, "own") == "own"
        and values.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    )


class Halve(torch.autograd.Function):
    """Images (n, c, 2 h, 2 w) to (n, k, h, w), by weights (k, c, 4, 4) and a bias (k,) or None."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution."""
        ctx.save_for_backward(images, weight)
        return torch.conv2d(images, weight, bias, stride=2, padding=1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of images, weights and bias, where they are needed."""
        (gradient,), (images, weight) = gradients, ctx.saved_tensors
        of_images, of_weight, of_bias = _wanted(ctx)
        return (
            Double.apply(gradient, weight, None) if of_images else None,
            WeightGradient.apply(images, gradient) if of_weight else None,
            gradient.sum((0, 2, 3)) if of_bias else None,
        )


class Double(torch.autograd.Function):
    """Maps (n, k, h, w) to (n, c, 2 h, 2 w), by weights (k, c, 4, 4) and a bias (c,) or None."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The transposed convolution."""
        ctx.save_for_backward(maps, weight)
        wide, channels = weight.shape[:2]
        if channels > COLOURS and wide > NARROW:
            return torch.conv_transpose2d(maps, weight, bias, stride=2, padding=1)
        kernel = doubled_by_fold if channels == 1 else torch.ops.coequal.doubled_in_blocks
        doubled = kernel(maps, weight)
        return doubled if bias is None else doubled.add_(bias[:, None, None])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of maps, weights and bias, where they are needed."""
        (gradient,), (maps, weight) = gradients, ctx.saved_tensors
        of_maps, of_weight, of_bias = _wanted(ctx)
        return (
            Halve.apply(gradient, weight, None) if of_maps else None,
            WeightGradient.apply(gradient, maps) if of_weight else None,
            gradient.sum((0, 2, 3)) if of_bias else None,
        )


class WeightGradient(torch.autograd.Function):
    """Images (n, c, 2 h, 2 w) and maps (n, k, h, w) to the gradient of weights, (k, c, 4, 4)."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, maps: Tensor) -> Tensor:
        """The correlation of both."""
        ctx.save_for_backward(images, maps)
        if images.shape[1] == 1 and torch.backends.cpu.get_cpu_capability() == "AVX2":
            return _correlated_with_one_channel(images, maps)
        return _correlated(images, maps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of images and maps, where they are needed."""
        (gradient,), (images, maps) = gradients, ctx.saved_tensors
        of_images, of_maps = _wanted(ctx)
        return (
            Double.apply(maps, gradient, None) if of_images else None,
            Halve.apply(images, gradient, None) if of_maps else None,
        )


def _wanted(ctx: Any) -> Iterator[bool]:
    """For each input of a node, whether the present backward pass needs its gradient: a gradient
    penalty takes that of images alone, though the weights could have one, too."""
    after = (*ctx.next_functions, *[(None, 0)] * 3)  # torch names none for a bias that is None
    for needed, (node, _) in zip(ctx.needs_input_grad, after, strict=False):
        if not needed or node is None:
            yield False
            continue
        try:
            yield torch._C._will_engine_execute_node(node)
        except RuntimeError:  # it can't be asked of a leaf whose gradient is returned
            yield True


def doubled_by_fold(maps: Tensor, weight: Tensor) -> Tensor:
    """The transposed convolution as one matrix product and the sum of overlapping patches."""
    size = (2 * maps.shape[2], 2 * maps.shape[3])
    patches = weight.flatten(1).T @ maps.flatten(2)  # (n, c 16, h w)
    return functional.fold(patches, size, 4, padding=1, stride=2)


def _doubled_in_blocks(maps: Tensor, weight: Tensor) -> Tensor:
    """The transposed convolution as one of 2x2 with stride 1, whose channels are the pixels of
    blocks of 2x2 (Shi et al. 2016, arXiv:1609.05158).

    The blocks are those of the padded image: pixel (2 i + p, 2 j + q) of it, in block (i, j), gets
    from map (i - a, j - b), with a and b 0 or 1, what weight (2 a + p, 2 b + q) gives.
    """
    (count, wide, high, across), channels = maps.shape, weight.shape[1]
    blocks = weight.reshape(wide, channels, 2, 2, 2, 2).flip(2, 4)  # a and b count backwards
    kernel = blocks.permute(1, 3, 5, 0, 2, 4).reshape(4 * channels, wide, 2, 2)
    padded = torch.conv2d(maps, kernel, padding=1)
    pixels = padded.view(count, channels, 2, 2, high + 1, across + 1)
    image = maps.new_empty(count, channels, 2 * high, 2 * across)
    for row in (0, 1):  # of the image; the padding moves it to the other row of a block
        for column in (0, 1):
            inside = pixels[:, :, 1 - row, 1 - column, row : row + high, column : column + across]
            image[:, :, row::2, column::2] = inside
    return image


OPERATIONS = torch.library.Library("coequal", "DEF")
OPERATIONS.define("doubled_in_blocks(Tensor maps, Tensor weight) -> Tensor")
OPERATIONS.impl("doubled_in_blocks", _doubled_in_blocks, "CPU")


@register_flop_formula(torch.ops.coequal.doubled_in_blocks)
def _flops_of_doubling(maps: Any, weight: Any, *_: Any, **__: Any) -> int:
    """FLOPs of the map, which are those of torch's kernel: the blocks at the edge, half of which
    are thrown away, are no work that a budget should count."""
    flops: int = 2 * maps[0] * maps[2] * maps[3] * math.prod(weight)
    return flops


def _correlated(images: Tensor, maps: Tensor) -> Tensor:
    """torch's own kernel."""
    like = images.new_empty(1).expand(maps.shape[1], images.shape[1], 4, 4)  # for its shape alone
    geometry = ([2, 2], [1, 1], [1, 1], False, [0, 0], 1)  # stride, padding, dilation
    wanted = [False, True, False]  # of images, weights and bias
    found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        maps, images, like, None, *geometry, wanted
    )
    return found[1]


def _correlated_with_one_channel(images: Tensor, maps: Tensor) -> Tensor:
    """One matrix product over all positions, several times as fast as oneDNN's kernel for AVX2."""
    windows = functional.pad(images[:, 0], (1, 1, 1, 1)).unfold(1, 4, 2).unfold(2, 4, 2)
    patches = windows.permute(3, 4, 0, 1, 2).reshape(16, -1)
    return (maps.transpose(0, 1).flatten(1) @ patches.T).view(-1, 1, 4, 4)
