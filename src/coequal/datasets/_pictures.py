"""Pictures become arrays of 8 bits, all grey or all RGB, and what was done to each kind is counted.

What becomes of one picture is the matter of `_picture`; grey pictures among colour ones become RGB.
A picture that can't be read is refused, never skipped.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from coequal.contract import Log
from coequal.datasets._decoding import Attempt, DecodedPictures, attempted
from coequal.datasets._picture import Pixels
from coequal.datasets._published import silent
from coequal.pace import Pace
from coequal.parallel import in_order


class Pictures(NamedTuple):
    """Pictures that are decoded when they are wanted.

    Attributes:
        where: What holds them, for messages.
        names: Of each, for messages.
        given: The picture of a row, or what it is decoded from (see `_picture.decoded`).
        of_files: Whether each is read anew, so that several can be decoded at once.
    """

    where: str
    names: Sequence[str]
    given: Callable[[int], Image.Image | str | Path | Mapping[str, Any]]
    of_files: bool = False


def pictures_in(root: Path, names: Sequence[str]) -> Pictures:
    """The picture files of a folder.

    Args:
        root: Where the names start.
        names: Relative paths.
    """
    return Pictures(str(root), names, lambda row: root / names[row], of_files=True)


class Survey(NamedTuple):
    """What has to be known of all pictures before any is used, without their pixels.

    Attributes:
        shape: Channels, height and width, the same for all.
        digests: (n, 32), the SHA-256 of each one's pixels (c, h, w).
        notes: What was done to the pictures.
        warnings: Why they may not be what they were meant to be.
        lossy: How many were stored in a format that changes pixels.
        brightest: The largest value of all their pixels.
    """

    shape: tuple[int, int, int]
    digests: NDArray[np.uint8]
    notes: list[str]
    warnings: list[str]
    lossy: int
    brightest: int


def survey_pictures(pictures: Pictures, image_size: int | None, log: Log = silent) -> Survey:
    """Decodes every picture once and keeps none.

    Args:
        pictures: At least one.
        image_size: What every centre square is resized to; None if all have one size already.
        log: Is told how far decoding is.

    Raises:
        ValueError: Some can't be read, or their sizes differ and no image size is given.
    """
    decoder = DecodedPictures(pictures.where, image_size)
    size = (0, 0)
    as_they_are, in_colour = bytearray(), bytearray()
    for array in _decoded(pictures, decoder, log):
        size = array.shape[:2]
        planes = array if array.ndim == 2 else array.transpose(2, 0, 1)
        own = planes.tobytes()
        coloured = own * 3 if array.ndim == 2 else own
        as_they_are += hashlib.sha256(own).digest()
        in_colour += hashlib.sha256(coloured).digest()
    notes = decoder.notes()
    own_form = as_they_are if decoder.channels == 1 else in_colour
    digests = np.frombuffer(own_form, np.uint8).reshape(-1, 32)
    shape = (decoder.channels, *size)
    return Survey(shape, digests, notes, decoder.warnings(), decoder.lossy, decoder.brightest)


def some_pictures(pictures: Pictures, image_size: int | None, channels: int) -> NDArray[np.uint8]:
    """(n, c, h, w) pixels of pictures that have been surveyed.

    Args:
        pictures: At least one.
        image_size: As in the survey.
        channels: As the survey found.

    Raises:
        ValueError: A picture can't be read any more.
    """
    decoder = DecodedPictures(pictures.where, image_size)
    arrays = list(_decoded(pictures, decoder))
    decoder.notes()
    return _planes(arrays, channels)


def decoded_in_colour(
    pictures: Pictures, size: int, log: Log, notes: list[str]
) -> Iterator[NDArray[np.uint8]]:
    """Decodes pictures one at a time, each (3, size, size).

    Args:
        pictures: At least one.
        size: What every centre square is resized to.
        log: Is told how far decoding is.
        notes: What was done to the pictures is added to them in the end.

    Raises:
        ValueError: Some can't be read; the message comes after all were tried.
    """
    decoder = DecodedPictures(pictures.where, size)
    for array in _decoded(pictures, decoder, log):
        yield _coloured(array).transpose(2, 0, 1)
    notes += [*decoder.notes(), *decoder.warnings()]


def _decoded(pictures: Pictures, seen: DecodedPictures, log: Log = silent) -> Iterator[Pixels]:
    """Decodes pictures, files in several threads, and gives them one after the other; what can't be
    used is left out."""
    names = pictures.names
    pace = Pace(f"decoding {pictures.where}", len(names), log, announced=False)

    def decode(row: int) -> Attempt:
        return attempted(partial(pictures.given, row), seen.image_size)

    Image.init()  # or several threads would at once
    each = in_order if pictures.of_files else map
    for name, attempt in zip(names, each(decode, range(len(names))), strict=True):
        pixels = seen.see(name, attempt)
        pace.add(1)
        if pixels is not None:
            yield pixels


def _coloured(array: Pixels) -> Pixels:
    """Grey as RGB; RGB as it is."""
    return np.stack([array] * 3, axis=-1) if array.ndim == 2 else array


def _planes(arrays: Sequence[Pixels], channels: int) -> NDArray[np.uint8]:
    """(n, c, h, w), contiguous."""
    if channels == 1:
        return np.stack(arrays)[:, None]
    stack = np.stack([_coloured(array) for array in arrays])
    return np.ascontiguousarray(stack.transpose(0, 3, 1, 2))
