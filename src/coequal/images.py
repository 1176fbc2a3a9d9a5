"""The forms of an image: uint8 on disk and for encoders, float32 in [0, 1] for nets and wherever 8
bits would blur what is measured; and how images are laid out as one picture.

Imports no torch: a report is written without it.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Pixels = NDArray[np.uint8]
"""A picture: (height, width) in grey, or (height, width, 3) in colours."""


def as_float(images: Tensor) -> Tensor:
    """Convert uint8 from 0 to 255 to float32 in [0, 1]; floats are returned as they are."""
    return images if images.is_floating_point() else images.float().div_(255)


def to_uint8(images: Tensor) -> Tensor:
    """Convert floats in [0, 1] to uint8, rounded to the nearest; uint8 is returned as it is."""
    return images.clamp(0, 1).mul(255).round_().byte() if images.is_floating_point() else images


def match_dtype(images: Tensor, dtype: torch.dtype) -> Tensor:
    """Convert images to the form of others: uint8, or float32 in [0, 1]."""
    return as_float(images) if dtype.is_floating_point else to_uint8(images)


def tile(images: NDArray[Any], columns: int, *, gap: int = 1, background: int = 255) -> Pixels:
    """Lay images out in rows as one picture.

    Args:
        images: uint8 (n, channels, height, width). Of three channels or more the first three are
            shown as colours, of fewer the first one in grey.
        columns: the number of images in a row.
        gap: pixels between two images.
        background: the grey value of gaps and empty places, from 0 to 255.

    Returns:
        The picture; it is as wide as the images if there are fewer than `columns`.
    """
    shown = images[:, :3] if images.shape[1] >= 3 else images[:, :1]
    count, channels, height, width = shown.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap, channels)
    picture = np.full(size, background, np.uint8)
    for place, image in enumerate(shown):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        picture[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return picture if channels == 3 else picture[:, :, 0]


def enlarge(picture: Pixels, factor: float) -> Pixels:
    """Scale a picture by `factor`: whole pixels if it becomes larger, averages if smaller."""
    if factor == 1:
        return picture
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    method = Image.Resampling.NEAREST if factor > 1 else Image.Resampling.BOX
    return np.asarray(Image.fromarray(picture).resize(size, method))


def png_bytes(picture: Pixels | Image.Image) -> bytes:
    """Encode a picture as a PNG file, as small as it gets without loss."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def data_uri(png: bytes) -> str:
    """A PNG file as an address that holds it, for the `src` of an image on a page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
