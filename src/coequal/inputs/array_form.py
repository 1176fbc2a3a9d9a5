"""How arrays of images are laid out, and what they are brought to: uint8 (n, c, h, w)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from coequal.datasets._resize import resize_note, resized_images
from coequal.images import to_uint8
from coequal.records import POINT
from coequal.value_range import BYTES, UNIT, ValueRange, range_that_holds

ROUNDING = 1e-5  # of the width of a range: how far a sum of float32 may leave it
_SURELY_NOT_UNIT = 1.5  # the largest value of images in [0, 255], unless they are nearly black


class Conversion(NamedTuple):
    """What images are brought to, and from what.

    Attributes:
        image_size: what every image's centre square is resized to; None: as they are.
        value_range: black and white of images that are floats.
    """

    image_size: int | None = None
    value_range: ValueRange = UNIT


AS_THEY_ARE = Conversion()


@dataclass(frozen=True)
class ArrayForm:
    """The layout of an array of images, or of parts of it.

    Attributes:
        shape: (c, h, w) of each image when it has been converted.
        dtype: of them then: uint8, or float32 for points.
        floats: whether they are floats in the array and become 8 bits.
        notes: what is done to them.
    """

    shape: tuple[int, int, int]
    dtype: torch.dtype
    floats: bool
    notes: tuple[str, ...]
    _flat: bool  # no axis of channels
    _last: bool  # channels are the last axis
    _to: Conversion
    _resize: bool

    def converted(self, part: Tensor) -> Tensor:
        """Some of the images, (rows, c, h, w) in the form that metrics take."""
        part = part.unsqueeze(1) if self._flat else part
        part = part.permute(0, 3, 1, 2) if self._last else part
        if self.dtype.is_floating_point:
            return part.float()
        if part.is_floating_point():
            part = to_uint8(self._to.value_range.to_unit(part))
        part = part.contiguous()
        size = self._to.image_size
        return resized_images(part, size) if self._resize and size is not None else part


def array_form(
    shape: tuple[int, ...], dtype: torch.dtype, what: str, to: Conversion = AS_THEY_ARE
) -> ArrayForm:
    """The layout of an array by its axes: (n, c, h, w), (n, h, w, c) or (n, h, w).

    Raises:
        ValueError: it can't be one of images, or can't be resized; the message says what would do.
    """
    flat = len(shape) == 3
    axes = (shape[0], 1, *shape[1:]) if flat else shape
    if len(axes) != 4 or (axes[1] not in (1, 3) and axes[3] not in (1, 3)):
        raise ValueError(
            f"{what} has the shape {shape} and type {dtype}; give uint8 images (n, c, "
            "h, w) or (n, h, w, c) with 1 or 3 channels, or features (n, d) as floats"
        )
    point = axes[1:] == POINT and dtype.is_floating_point
    last = axes[1] not in (1, 3) and not point
    if not dtype.is_floating_point and dtype != torch.uint8:
        raise ValueError(f"{what}: images must be uint8, or floats in [0, 1]; got {dtype}")
    channels, height, width = (axes[3], axes[1], axes[2]) if last else axes[1:]
    size = to.image_size
    resize = size is not None and (height, width) != (size, size)
    if resize and point:
        raise ValueError(f"{what} holds points, which can't be resized; leave out image_size")
    floats = dtype.is_floating_point and not point
    notes = [_rounding_note(to.value_range)] if floats else []
    if resize and size is not None:
        notes.append(resize_note(height, width, size))
        height = width = size
    form = torch.float32 if point else torch.uint8
    return ArrayForm((channels, height, width), form, floats, tuple(notes), flat, last, to, resize)


def _rounding_note(known: ValueRange) -> str:
    mapped = "" if known == UNIT else f"taken from {known} and "
    return f"float images were {mapped}rounded to 8 bits"


class ValuesSeen:
    """The values of float images, as far as they have been seen.

    Args:
        known: the range in which they have to lie.
    """

    def __init__(self, known: ValueRange) -> None:
        self.known = known
        self.low, self.high = float("inf"), float("-inf")
        self.images = self.outside = 0

    def see(self, part: Tensor) -> None:
        """Look at some images, (rows, ...)."""
        if not part.numel():
            return
        edges = part.flatten(1).float().aminmax(dim=1)
        low, high = edges.min, edges.max
        beyond = ROUNDING * self.known.width
        inside = (low >= self.known.low - beyond) & (high <= self.known.high + beyond)
        self.images += len(part)
        self.outside += int((~inside).sum())  # NaN is neither
        self.low = min(self.low, float(low.min())) if low.isfinite().all() else float("nan")
        self.high = max(self.high, float(high.max())) if high.isfinite().all() else float("nan")

    def refuse(self, what: str) -> None:
        """Raise ValueError if some images leave the range, or if it can't be theirs, as all lie in
        [0, 1]; the message says how many, and which range would hold them."""
        if self.images and self.known.low < 0 <= self.low and self.high <= 1 + ROUNDING:
            raise ValueError(
                f"{what}: no value of the float images is below 0, though black was said to be "
                f"{self.known.low:g}; if they lie in [0, 1], leave that out, and bring the other "
                "images to the same range"
            )
        if not self.outside:
            return
        raise ValueError(
            f"{what}: float images must lie in {self.known}, found {self.low:.7g} to "
            f"{self.high:.7g} ({self.outside:,} of {self.images:,} images do not){self._hint()}"
        )

    def _hint(self) -> str:
        """Which of the usual ranges they may be in."""
        other = range_that_holds(self.low, self.high, ROUNDING)
        if other is None or other == self.known:
            return ""
        if other == BYTES and self.high <= _SURELY_NOT_UNIT:
            return ""
        low, high = f"{other.low:g}", f"{other.high:g}"
        return (
            f"; if black is {low} and white {high}, say so: --value-range={low},{high}, in Python "
            f"value_range=({low}, {high})"
        )
