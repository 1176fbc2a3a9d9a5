"""Images of any size as the float images that a pretrained net was made for: float32, three
channels.

The filters differ enough to move every number: each is named in the id of the encoder that uses it.
"""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn import functional


def tf1_bilinear(
    images: UInt8[Tensor, "n c h w"], height: int, width: int
) -> Float[Tensor, "n c height width"]:
    """TensorFlow 1's bilinear filter, in 0 .. 255: no antialias, no half-pixel shift.

    Output pixel i is read at i * (input length / output length). Bit for bit what TensorFlow does
    on a CPU: rows are mixed first, in float32, by left + (right - left) * weight.
    """
    return _tf1_axis(_tf1_axis(images.float(), 3, width), 2, height)


def _tf1_axis(images: Tensor, axis: int, size: int) -> Tensor:
    length = images.shape[axis]
    position = torch.arange(size, dtype=torch.float32) * (torch.tensor(float(length)) / size)
    low = position.long()
    high = (low + 1).clamp_(max=length - 1)
    weight = (position - low).view([size if each == axis else 1 for each in range(4)])
    left = images.index_select(axis, low)
    # Not `lerp`, which rounds otherwise.
    return images.index_select(axis, high).sub_(left).mul_(weight).add_(left)


def torch_bilinear(
    images: UInt8[Tensor, "n c h w"], height: int, width: int
) -> Float[Tensor, "n c height width"]:
    """torch's bilinear filter, in 0 .. 1: pixel centres aligned, no antialias."""
    scaled = images.float().div_(255)
    return functional.interpolate(
        scaled, size=(height, width), mode="bilinear", align_corners=False
    )


def clean_bicubic(
    images: UInt8[Tensor, "n c h w"], height: int, width: int
) -> Float[Tensor, "n c height width"]:
    """Pillow's antialiased bicubic filter on floats, clipped to 0 .. 255 and not rounded.

    Source: Parmar et al. 2022, arXiv:2104.11222 ("clean" FID).
    """
    count, channels = images.shape[:2]
    result = np.empty((count * channels, height, width), np.float32)
    for row, plane in enumerate(images.flatten(0, 1).cpu().numpy()):
        image = Image.fromarray(plane.astype(np.float32))
        result[row] = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
    return torch.from_numpy(result).clamp_(0, 255).view(count, channels, height, width)


def coloured(images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 3 h w"]:
    """Three channels in channels-last memory, the layout that convolutions are fastest in; grey is
    repeated."""
    three = images.expand(-1, 3, -1, -1)
    return three.contiguous(memory_format=torch.channels_last)


def refuse_channels(name: str, channels: int, dataset: str) -> str | None:
    """Why images can't be given to a net for colour images; None if they can.

    Args:
        name: Of the encoder.
        channels: Of the images.
        dataset: Its name.
    """
    if channels in (1, 3):
        return None
    return f"encoder {name} takes images of 1 or 3 channels; {dataset} has {channels}"
