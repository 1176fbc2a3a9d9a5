"""Images of any size as the float images that a pretrained net was made for: float32, three
channels.

The filters differ enough to move every number: each is named in the id of the encoder that uses it.
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
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
    each = torch.arange(size, dtype=torch.float32, device=images.device)
    position = each * (torch.tensor(float(length)) / size)
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

    On the CPU it is Pillow itself, elsewhere its sums in float32. Source: Parmar et al. 2022,
    arXiv:2104.11222 ("clean" FID).
    """
    if images.device.type != "cpu":
        return bicubic_sums(images, height, width)
    count, channels = images.shape[:2]
    result = np.empty((count * channels, height, width), np.float32)
    for row, plane in enumerate(images.flatten(0, 1).cpu().numpy()):
        image = Image.fromarray(plane.astype(np.float32))
        result[row] = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
    return torch.from_numpy(result).clamp_(0, 255).view(count, channels, height, width)


def bicubic_sums(
    images: UInt8[Tensor, "n c h w"], height: int, width: int
) -> Float[Tensor, "n c height width"]:
    """`clean_bicubic` by torch alone, on any device, within 1e-4 of 255.

    Not torch's own filter, whose weights are rounded to float32 (1e-2), nor a product of matrices,
    which TF32 would blur.
    """
    return _bicubic_axis(_bicubic_axis(images.float(), 3, width), 2, height).clamp_(0, 255)


def _bicubic_axis(images: Tensor, axis: int, size: int) -> Tensor:
    if size == images.shape[axis]:  # as Pillow: that axis is left alone
        return images
    total: Tensor | None = None
    for places, weights in _bicubic_taps(images.shape[axis], size):
        shape = [size if each == axis else 1 for each in range(4)]
        tap = images.index_select(axis, torch.from_numpy(places).to(images.device))
        tap *= torch.from_numpy(weights).to(images.device).view(shape)
        total = tap if total is None else total.add_(tap)
    assert total is not None
    return total


@lru_cache
def _bicubic_taps(length: int, size: int) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Which input pixels are added up with which weights, a tap at a time: `precompute_coeffs` of
    Pillow's Resample.c with its bicubic filter (a = -0.5, two pixels to each side)."""
    scale = length / size
    stretch = max(scale, 1.0)
    centres = (np.arange(size) + 0.5) * scale
    first = np.maximum((centres - 2 * stretch + 0.5).astype(np.int64), 0)
    end = np.minimum((centres + 2 * stretch + 0.5).astype(np.int64), length)
    places = first[:, None] + np.arange(int((end - first).max()))
    x = np.abs((places - centres[:, None] + 0.5) / stretch)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0)) * (places < end[:, None])
    weights /= weights.sum(1, keepdims=True)
    held = np.minimum(places, length - 1)
    return [
        (np.ascontiguousarray(at), of.astype(np.float32))
        for at, of in zip(held.T, weights.T, strict=True)
    ]


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
