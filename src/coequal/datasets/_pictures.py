"""Pictures become arrays of 8 bits, all grey or all RGB, and what was done to each kind is counted.

What becomes of one picture is the matter of `_picture`; grey pictures among colour ones become RGB.
A picture that can't be read is refused, never skipped.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from coequal.contract import Log
from coequal.datasets._picture import SIXTEEN, Kind, Pixels, decoded
from coequal.datasets._published import silent
from coequal.datasets._resize import square

_NAMES_SHOWN = 3
_PICTURES_PER_LOG_LINE = 10_000
_TWELVE_BITS = 1 << 12

_MIXED = Kind("grey", "converted to RGB (others have colour)")


class Pictures(NamedTuple):
    """Pictures that are decoded when they are wanted.

    Attributes:
        where: What holds them, for messages.
        names: Of each, for messages.
        given: The picture of a row, or what it is decoded from (see `_picture.decoded`).
    """

    where: str
    names: Sequence[str]
    given: Callable[[int], Image.Image | str | Path | Mapping[str, Any]]


def pictures_in(root: Path, names: Sequence[str]) -> Pictures:
    """The picture files of a folder.

    Args:
        root: Where the names start.
        names: Relative paths.
    """
    return Pictures(str(root), names, lambda row: root / names[row])


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
    decoder = _Decoder(pictures, image_size, log)
    size = (0, 0)
    as_they_are, in_colour = bytearray(), bytearray()
    for array in decoder:
        size = array.shape[:2]
        planes = array if array.ndim == 2 else array.transpose(2, 0, 1)
        own = planes.tobytes()
        coloured = own * 3 if array.ndim == 2 else own
        as_they_are += hashlib.sha256(own).digest()
        in_colour += hashlib.sha256(coloured).digest()
    notes = decoder.notes()
    colour = len(decoder.grey) < len(pictures.names)
    digests = np.frombuffer(in_colour if colour else as_they_are, np.uint8).reshape(-1, 32)
    shape = (3 if colour else 1, *size)
    return Survey(shape, digests, notes, decoder.warnings(), decoder.lossy, decoder.brightest)


def all_pictures(pictures: Pictures, image_size: int | None) -> tuple[NDArray[np.uint8], Survey]:
    """Decodes every picture once and keeps them all: their pixels (n, c, h, w), and the survey.

    Args:
        pictures: At least one.
        image_size: As for `survey_pictures`.

    Raises:
        ValueError: As `survey_pictures`.
    """
    decoder = _Decoder(pictures, image_size)
    arrays = list(decoder)
    notes = decoder.notes()
    channels = 3 if len(decoder.grey) < len(pictures.names) else 1
    pixels = _planes(arrays, channels)
    digests = b"".join(hashlib.sha256(image).digest() for image in pixels)
    return pixels, Survey(
        (channels, *pixels.shape[2:]),
        np.frombuffer(digests, np.uint8).reshape(-1, 32),
        notes,
        decoder.warnings(),
        decoder.lossy,
        decoder.brightest,
    )


def some_pictures(pictures: Pictures, image_size: int | None, channels: int) -> NDArray[np.uint8]:
    """(n, c, h, w) pixels of pictures that have been surveyed.

    Args:
        pictures: At least one.
        image_size: As in the survey.
        channels: As the survey found.

    Raises:
        ValueError: A picture can't be read any more.
    """
    decoder = _Decoder(pictures, image_size)
    arrays = list(decoder)
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
    decoder = _Decoder(pictures, size, log)
    for array in decoder:
        yield _coloured(array).transpose(2, 0, 1)
    notes += [*decoder.notes(), *decoder.warnings()]


class _Decoder:
    """Decodes pictures one after the other, and remembers what was odd about them."""

    def __init__(self, pictures: Pictures, image_size: int | None, log: Log = silent) -> None:
        self.pictures, self.image_size, self.log = pictures, image_size, log
        self.kinds: dict[Kind, list[str]] = {}
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.grey: list[str] = []
        self.broken: list[str] = []
        self.lossy = 0
        self.brightest = 0
        self.brightest_wide = 0  # of pictures with 16 bits, before they became 8

    def __iter__(self) -> Iterator[Pixels]:
        where, names, given = self.pictures
        for row, name in enumerate(names):
            if row and row % _PICTURES_PER_LOG_LINE == 0:
                self.log(f"decoded {row:,} of {len(names):,} pictures of {where}")
            try:
                picture = decoded(given(row))
            except Exception as error:  # decoders of broken files raise anything; each is reported
                self.broken.append(f"{name} ({error or type(error).__name__})")
                continue
            self.sizes[picture.image.size] += 1
            self.lossy += picture.lossy
            for kind in picture.kinds:
                self.kinds.setdefault(kind, []).append(name)
            self.brightest = max(self.brightest, int(np.asarray(picture.image).max()))
            self.brightest_wide = max(self.brightest_wide, picture.highest or 0)
            if picture.image.mode == "L":
                self.grey.append(name)
            if self.image_size is not None:
                yield np.asarray(square(picture.image, self.image_size))
            elif len(self.sizes) == 1:  # otherwise they'll be refused: spare memory
                yield np.asarray(picture.image)

    @property
    def mixed(self) -> bool:
        """Whether there are grey pictures among colour ones."""
        return 0 < len(self.grey) < len(self.pictures.names)

    def notes(self) -> list[str]:
        """What was done to the pictures, once all have been seen.

        Raises:
            ValueError: some can't be read, or their sizes differ and no image size is given.
        """
        where, names, _ = self.pictures
        if self.broken:
            raise ValueError(
                f"{where}: {len(self.broken)} of {len(names)} image files can't be read: "
                f"{listed(self.broken, shown=5)}; mend or remove them"
            )
        if self.image_size is None and len(self.sizes) > 1:
            raise ValueError(
                f"{where}: the images have {len(self.sizes)} sizes "
                f"({_size_counts(self.sizes)}); give an image size to have them all cropped to "
                "their centre square and resized (--image-size 32, in a study file image_size: 32)"
            )
        kinds = {**self.kinds, _MIXED: self.grey} if self.mixed else self.kinds
        return [*_kind_notes(kinds), *_size_notes(self.sizes, self.image_size)]

    def warnings(self) -> list[str]:
        """Why the pictures may not be what they were meant to be, once all have been seen."""
        if not 0 < self.brightest_wide < _TWELVE_BITS:
            return []
        return [
            f"no value of the {len(self.kinds[SIXTEEN]):,} 16-bit images is above 4095: they hold "
            "12 bits or fewer, and are nearly black as 8 bits; scale them to the full range first"
        ]


def listed(names: Sequence[str], shown: int = _NAMES_SHOWN) -> str:
    """The first few names and how many more there are, fit to print even if not valid Unicode.

    Args:
        names: At least one.
        shown: How many to name.
    """
    more = [f"and {len(names) - shown:,} more"] if len(names) > shown else []
    text = ", ".join([*names[:shown], *more])
    return text.encode("utf-8", "backslashreplace").decode()


def _coloured(array: Pixels) -> Pixels:
    """Grey as RGB; RGB as it is."""
    return np.stack([array] * 3, axis=-1) if array.ndim == 2 else array


def _planes(arrays: Sequence[Pixels], channels: int) -> NDArray[np.uint8]:
    """(n, c, h, w), contiguous."""
    if channels == 1:
        return np.stack(arrays)[:, None]
    stack = np.stack([_coloured(array) for array in arrays])
    return np.ascontiguousarray(stack.transpose(0, 3, 1, 2))


def _kind_notes(kinds: Mapping[Kind, Sequence[str]]) -> list[str]:
    return [
        f"{len(names):,} {kind.what} {'image was' if len(names) == 1 else 'images were'} "
        f"{kind.done} ({listed(names)})"
        for kind, names in sorted(kinds.items())
    ]


def _size_notes(sizes: Counter[tuple[int, int]], image_size: int | None) -> list[str]:
    if image_size is None or set(sizes) == {(image_size, image_size)}:
        return []
    return [
        f"images of {_size_counts(sizes)} were cropped to their centre square and resized to "
        f"{image_size}x{image_size} (Pillow, antialiased bilinear)"
    ]


def _size_counts(sizes: Counter[tuple[int, int]]) -> str:
    return listed([f"{w}x{h}: {count:,}" for (w, h), count in sizes.most_common()], shown=5)
