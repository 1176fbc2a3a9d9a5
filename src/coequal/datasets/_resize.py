"""Images of another size: the centre square, then Pillow's antialiased bilinear filter.

Pillow computes it in integers, so that the bytes (and with them `fingerprint`) are the same on
every machine; torch's own filter works in floats.
"""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Int
from PIL import Image
from torch import Tensor

from coequal.contract import Dataset, ImageRows, Split

SIZES = (28, 32, 64)


def check_size(image_size: int | None) -> None:
    """Refuse a size that the study's nets are not made for.

    Args:
        image_size: Height and width in pixels; None keeps the images' own.

    Raises:
        ValueError: The size is neither None nor one of `SIZES`.
    """
    if image_size is not None and image_size not in SIZES:
        known = ", ".join(map(str, SIZES))
        raise ValueError(
            f"image size {image_size} is not one of {known}; without one, images keep their own"
        )


def square(image: Image.Image, size: int) -> Image.Image:
    """The centre square of an image, resized.

    Args:
        image: Any.
        size: Height and width of the result, in pixels.
    """
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box)


def resized(dataset: Dataset, image_size: int | None) -> Dataset:
    """A dataset at another size, with a note; None or its own size changes nothing.

    Args:
        dataset: Any; images that are read in parts are resized when they are read.
        image_size: Height and width in pixels; None keeps the images' own.

    Raises:
        ValueError: The size is not one of `SIZES`, or the images are floats, which are kept as they
            were made.
    """
    check_size(image_size)
    _, height, width = dataset.shape
    if image_size is None or (height, width) == (image_size, image_size):
        return dataset
    if dataset.train.images.dtype.is_floating_point:
        text = f"float images can't be resized: {dataset.name} has {width}x{height}"
        raise ValueError(f"{text}, and the study asks for {image_size}; leave out image_size")
    note = resize_note(height, width, image_size)
    return replace(
        dataset,
        train=_resized_split(dataset.train, image_size),
        validation=_resized_split(dataset.validation, image_size),
        test=_resized_split(dataset.test, image_size),
        notes=(*dataset.notes, note),
    )


def _resized_split(split: Split, size: int) -> Split:
    images = split.images
    if images.loaded:
        return Split(resized_images(images.whole, size), split.labels)
    shape = (*images.shape[:2], size, size)
    small = ImageRows(shape, images.dtype, lambda index: resized_images(images[index], size))
    return Split(small, split.labels)


def resize_note(height: int, width: int, size: int) -> str:
    """What was done to images that were resized, for people."""
    cropped = "" if height == width else "cropped to their centre square and "
    how = f"{cropped}resized to {size}x{size} (Pillow, antialiased bilinear)"
    return f"{width}x{height} images were {how}"


def resized_images(images: Int[Tensor, "n c h w"], size: int) -> Int[Tensor, "n c size size"]:
    """The centre squares of images, resized.

    Args:
        images: uint8.
        size: Height and width of the result, in pixels.
    """
    count, channels = images.shape[:2]
    result = torch.empty((count * channels, size, size), dtype=torch.uint8)
    target = result.numpy()
    # Plane by plane: any number of channels, and the filter treats them alike anyway.
    for row, plane in enumerate(images.flatten(0, 1).numpy()):
        target[row] = np.asarray(square(Image.fromarray(plane), size))
    return result.view(count, channels, size, size)
