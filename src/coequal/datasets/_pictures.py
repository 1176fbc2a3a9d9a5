"""Picture files become arrays of 8 bits, grey or RGB, and what was done to each kind is counted.

The rules: 16 bits lose their low byte; palettes become grey if all their colours are, else RGB;
CMYK and other colour spaces become RGB; transparent pictures are laid on white; EXIF-rotated ones
are turned upright; of many frames the first is taken; grey pictures among colour ones become RGB.
A file that can't be read is refused, never skipped.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from coequal.contract import Log
from coequal.datasets._published import silent
from coequal.datasets._resize import square

Pixels = NDArray[np.uint8]  # (height, width), or (height, width, 3)

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif")
# Whatever the suffix is; Pillow has readers of many more formats, which nobody meant to call.
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF")
_GREY_MODES = ("1", "L", "LA", "La")
_PLAIN_MODES = ("L", "RGB")
_ORIENTATION = 0x0112  # EXIF
_NAMES_SHOWN = 3
_PICTURES_PER_LOG_LINE = 10_000


class Kind(NamedTuple):
    """A kind of odd picture.

    Attributes:
        what: Its name.
        done: What is done to it.
    """

    what: str
    done: str


_BILEVEL = Kind("1-bit", "converted to 8-bit grey")
_SIXTEEN = Kind("16-bit", "scaled to 8 bits (high bytes)")
_PALETTE_GREY = Kind("palette", "converted to grey (all their colours are grey)")
_PALETTE = Kind("palette", "converted to RGB")
_ALPHA = Kind("transparent", "composited on white")
_FRAMES = Kind("many-framed", "reduced to the first frame")
_ROTATED = Kind("EXIF-rotated", "turned upright")
_MIXED = Kind("grey", "converted to RGB (others have colour)")


class Survey(NamedTuple):
    """What has to be known of all pictures before any is used, without their pixels.

    Attributes:
        shape: Channels, height and width, the same for all.
        digests: (n, 32), the SHA-256 of each one's pixels (c, h, w).
        notes: What was done to the pictures.
    """

    shape: tuple[int, int, int]
    digests: NDArray[np.uint8]
    notes: list[str]


def survey_pictures(
    root: Path, names: Sequence[str], image_size: int | None, log: Log = silent
) -> Survey:
    """Decodes every picture once and keeps none.

    Args:
        root: Where the names start.
        names: Relative paths.
        image_size: What every centre square is resized to; None if all have one size already.
        log: Is told how far decoding is.

    Raises:
        ValueError: Some can't be read, or their sizes differ and no image size is given.
    """
    decoder = _Decoder(root, names, image_size, log)
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
    colour = len(decoder.grey) < len(names)
    digests = np.frombuffer(in_colour if colour else as_they_are, np.uint8)
    return Survey((3 if colour else 1, *size), digests.reshape(-1, 32), notes)


def some_pictures(
    root: Path, names: Sequence[str], image_size: int | None, channels: int
) -> NDArray[np.uint8]:
    """(n, c, h, w) pixels of pictures that have been surveyed.

    Args:
        root: Where the names start.
        names: Relative paths.
        image_size: As in the survey.
        channels: As the survey found.

    Raises:
        ValueError: A picture can't be read any more.
    """
    decoder = _Decoder(root, names, image_size)
    stack = np.stack([_coloured(array) if channels == 3 else array for array in decoder])
    decoder.notes()
    return stack[:, None] if channels == 1 else np.ascontiguousarray(stack.transpose(0, 3, 1, 2))


def decoded_in_colour(
    root: Path, names: Sequence[str], size: int, log: Log, notes: list[str]
) -> Iterator[NDArray[np.uint8]]:
    """Decodes pictures one at a time, each (3, size, size).

    Args:
        root: Where the names start.
        names: Relative paths.
        size: What every centre square is resized to.
        log: Is told how far decoding is.
        notes: What was done to the pictures is added to them in the end.

    Raises:
        ValueError: Some can't be read; the message comes after all were tried.
    """
    decoder = _Decoder(root, names, size, log)
    for array in decoder:
        yield _coloured(array).transpose(2, 0, 1)
    notes += decoder.notes()


class _Decoder:
    """Decodes pictures one after the other, and remembers what was odd about them."""

    def __init__(
        self, root: Path, names: Sequence[str], image_size: int | None, log: Log = silent
    ) -> None:
        self.root, self.names, self.image_size, self.log = root, names, image_size, log
        self.kinds: dict[Kind, list[str]] = {}
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.grey: list[str] = []
        self.broken: list[str] = []

    def __iter__(self) -> Iterator[Pixels]:
        for row, name in enumerate(self.names):
            if row and row % _PICTURES_PER_LOG_LINE == 0:
                self.log(f"decoded {row:,} of {len(self.names):,} pictures of {self.root}")
            try:
                picture = _decode(self.root / name)
            except Exception as error:  # decoders of broken files raise anything; each is reported
                self.broken.append(f"{name} ({error or type(error).__name__})")
                continue
            self.sizes[picture.image.size] += 1
            for kind in picture.kinds:
                self.kinds.setdefault(kind, []).append(name)
            if picture.image.mode == "L":
                self.grey.append(name)
            if self.image_size is not None:
                yield np.asarray(square(picture.image, self.image_size))
            elif len(self.sizes) == 1:  # otherwise they'll be refused: spare memory
                yield np.asarray(picture.image)

    @property
    def mixed(self) -> bool:
        """Whether there are grey pictures among colour ones."""
        return 0 < len(self.grey) < len(self.names)

    def notes(self) -> list[str]:
        """What was done to the pictures, once all have been seen.

        Raises:
            ValueError: some can't be read, or their sizes differ and no image size is given.
        """
        if self.broken:
            raise ValueError(
                f"{self.root}: {len(self.broken)} of {len(self.names)} image files can't be read: "
                f"{listed(self.broken, shown=5)}; mend or remove them"
            )
        if self.image_size is None and len(self.sizes) > 1:
            raise ValueError(
                f"{self.root}: the images have {len(self.sizes)} sizes "
                f"({_size_counts(self.sizes)}); give an image size to have them all cropped to "
                "their centre square and resized"
            )
        kinds = {**self.kinds, _MIXED: self.grey} if self.mixed else self.kinds
        return [*_kind_notes(kinds), *_size_notes(self.sizes, self.image_size)]


def listed(names: Sequence[str], shown: int = _NAMES_SHOWN) -> str:
    """The first few names and how many more there are, fit to print even if not valid Unicode.

    Args:
        names: At least one.
        shown: How many to name.
    """
    more = [f"and {len(names) - shown:,} more"] if len(names) > shown else []
    text = ", ".join([*names[:shown], *more])
    return text.encode("utf-8", "backslashreplace").decode()


# -------------------------------------------------------------------------------------- one picture


class _Picture(NamedTuple):
    image: Image.Image  # of mode L or RGB
    kinds: list[Kind]


def _decode(path: Path) -> _Picture:
    """One picture by the rules of this module; raises whatever Pillow raises for a broken file."""
    if not path.is_file():
        raise OSError("not a regular file, or a broken link")
    if path.stat().st_size == 0:
        raise OSError("empty file")
    kinds: list[Kind] = []
    try:
        opened = Image.open(path, formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise OSError("not an image of a known format") from error  # Pillow's repeats the path
    with opened as image:
        if getattr(image, "is_animated", False):  # only formats with frames have it
            kinds.append(_FRAMES)
        wide = _has_sixteen_bits(image)
        # Loading a TIFF turns it upright and forgets that it had to.
        turned = image.getexif().get(_ORIENTATION, 1) in range(2, 9)
        image.load()
        upright = ImageOps.exif_transpose(image)
    if turned:
        kinds.append(_ROTATED)
    if wide:
        kinds.append(_SIXTEEN)
    if upright.mode in ("I", "F") or upright.mode.startswith("I;"):
        return _Picture(_narrowed(upright), kinds)
    return _Picture(_plain(upright, kinds), kinds)


def _has_sixteen_bits(image: Image.Image) -> bool:
    # Pillow narrows colour of 16 bits while it loads, and only the decoder's arguments tell.
    if not isinstance(image, ImageFile.ImageFile) or image.format not in ("PNG", "TIFF"):
        return False
    return any(";16" in str(tile[3]) for tile in image.tile)


def _narrowed(image: Image.Image) -> Image.Image:
    """Grey of 16 bits as grey of 8: the high byte, as Pillow does for colour."""
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit or floating-point values; save it with 8 or 16 bits")
    if image.has_transparency_data:
        raise ValueError("16-bit grey with transparency; save it with 8 bits")
    return Image.fromarray((values.astype(np.int32) >> 8).astype(np.uint8))


def _plain(image: Image.Image, kinds: list[Kind]) -> Image.Image:
    """The picture in mode L or RGB; adds to `kinds` what had to be done."""
    mode = image.mode
    if mode == "1":
        kinds.append(_BILEVEL)
    elif mode not in (*_PLAIN_MODES, *_GREY_MODES, "P", "PA", "RGBA", "RGBa"):
        kinds.append(Kind(mode, "converted to RGB"))
    grey = mode in _GREY_MODES
    if image.has_transparency_data:
        kinds.append(_ALPHA)
        image = _on_white(image)
    elif mode not in _PLAIN_MODES:
        image = image.convert("L" if grey else "RGB")
    if mode in ("P", "PA"):
        pixels = np.asarray(image)
        grey = bool((pixels == pixels[..., :1]).all())
        kinds.append(_PALETTE_GREY if grey else _PALETTE)
    return image.convert("L") if grey else image


def _on_white(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layer).convert("RGB")


# -------------------------------------------------------------------------------------- all of them


def _coloured(array: Pixels) -> Pixels:
    """Grey as RGB; RGB as it is."""
    return np.stack([array] * 3, axis=-1) if array.ndim == 2 else array


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
