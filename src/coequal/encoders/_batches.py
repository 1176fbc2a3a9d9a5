"""A convolution net run over many images, the same way whoever asks for how many."""

from collections.abc import Callable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from coequal.images import to_uint8

LARGER_ON_A_GPU = 8  # times the images of a batch: with few it waits for its orders


@torch.inference_mode()
def in_batches(
    run: Callable[[Tensor], Tensor],
    images: UInt8[Tensor, "n c h w"],
    size: int,
    device: torch.device,
) -> Float[Tensor, "n d"]:
    """Run a net over batches of exactly one size, the last filled up with black images.

    With batches of one size a row's bits do not depend on the other images.

    Args:
        run: The net: a batch of uint8 images on the device to features (n, d).
        images: On any device. Floats in [0, 1] are rounded to 8 bits first, which is what these
            nets get everywhere.
        size: Images of a batch on the CPU; on other devices there are `LARGER_ON_A_GPU` times as
            many.
        device: Where the net lies.
    """
    rows = []
    size *= 1 if device.type == "cpu" else LARGER_ON_A_GPU
    for chunk in to_uint8(images).split(size):
        chunk = chunk.to(device)
        missing = size - len(chunk)
        full = torch.cat([chunk, chunk.new_zeros(missing, *chunk.shape[1:])]) if missing else chunk
        rows.append(run(full)[: len(chunk)])
    return torch.cat(rows)


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """The convolution with the BatchNorm after it, whose statistics are fixed, worked into its
    weights (computed in float64). Both arguments are used up."""
    return fuse_conv_bn_eval(conv.double(), norm.double()).float()
