"""The forms of an image: uint8 on disk and for encoders, float32 in [0, 1] for nets and wherever 8
bits would blur what is measured."""

import torch
from torch import Tensor


def as_float(images: Tensor) -> Tensor:
    """uint8 0 .. 255 to float32 in [0, 1]; floats are taken as they are."""
    return images if images.is_floating_point() else images.to(torch.float32).div_(255)


def to_uint8(images: Tensor) -> Tensor:
    """[0, 1] to uint8, rounded to the nearest; uint8 is taken as it is."""
    if images.dtype == torch.uint8:
        return images
    return images.clamp(0, 1).mul(255).round_().to(torch.uint8)


def match_dtype(images: Tensor, dtype: torch.dtype) -> Tensor:
    """Images in the form of others: uint8, or float32 in [0, 1]."""
    return to_uint8(images) if dtype == torch.uint8 else as_float(images)
