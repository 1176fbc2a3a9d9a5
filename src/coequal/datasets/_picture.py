"""One picture becomes 8 bits, grey or RGB, by the same rules wherever it comes from.

The rules: 16 bits lose their low byte; palettes become grey if all their colours are, else RGB;
CMYK and other colour spaces become RGB; transparent pictures are laid on white; EXIF-rotated ones
are turned upright; of many frames the first is taken. What can't be read is refused, never skipped.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

Pixels = NDArray[np.uint8]  # (height, width), or (height, width, 3)

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".webp", ".tif", ".tiff", ".gif"),
    *(".ppm", ".pgm"),
)
OTHER_PICTURES = (
    *(".avif", ".heic", ".heif", ".jp2", ".j2k", ".jxl", ".tga", ".pbm", ".pnm", ".exr", ".dng"),
)
"""Suffixes of pictures that are not read: whoever has them must be told."""

# Whatever the suffix is; Pillow has readers of many more formats, which nobody meant to call.
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF", "PPM")
_GREY_MODES = ("1", "L", "LA", "La")
_PLAIN_MODES = ("L", "RGB")
_ORIENTATION = 0x0112  # EXIF


class Kind(NamedTuple):
    """A kind of odd picture.

    Attributes:
        what: Its name.
        done: What is done to it.
    """

    what: str
    done: str


SIXTEEN = Kind("16-bit", "scaled to 8 bits (high bytes)")
_BILEVEL = Kind("1-bit", "converted to 8-bit grey")
_PALETTE_GREY = Kind("palette", "converted to grey (all their colours are grey)")
_PALETTE = Kind("palette", "converted to RGB")
_ALPHA = Kind("transparent", "composited on white")
_FRAMES = Kind("many-framed", "reduced to the first frame")
_ROTATED = Kind("EXIF-rotated", "turned upright")


class Picture(NamedTuple):
    """A picture by the rules of this module.

    Attributes:
        image: Of mode L or RGB.
        kinds: What was odd about it.
        lossy: Whether it was stored in a format that changes pixels.
        highest: The largest value before 16 bits became 8; None if it had no more than 8.
    """

    image: Image.Image
    kinds: list[Kind]
    lossy: bool
    highest: int | None = None


def is_encoded(given: Any) -> bool:
    """Whether this is a picture in the form that a file or Hugging Face's `Image(decode=False)`
    has: a path, or {"bytes", "path"} of which one may be None.

    Args:
        given: Anything.
    """
    return isinstance(given, str | Path) or (
        isinstance(given, Mapping) and bool(given) and given.keys() <= {"bytes", "path"}
    )


def decoded(given: Image.Image | str | Path | Mapping[str, Any]) -> Picture:
    """One picture by the rules of this module.

    Args:
        given: A picture that Pillow has opened, which stays open; or see `is_encoded`.

    Raises:
        Exception: Whatever Pillow raises for a broken file.
    """
    if isinstance(given, Image.Image):
        return _by_the_rules(given)
    with _opened(given) as image:
        return _by_the_rules(image)


def _opened(given: str | Path | Mapping[str, Any]) -> Image.Image:
    source: Path | io.BytesIO
    if isinstance(given, Mapping) and given.get("bytes") is not None:
        source, size = io.BytesIO(given["bytes"]), len(given["bytes"])
    else:
        path = given.get("path") if isinstance(given, Mapping) else given
        if path is None:
            raise OSError("neither bytes nor a path")
        source = Path(path)
        if not source.is_file():
            raise OSError("not a regular file, or a broken link")
        size = source.stat().st_size
    if size == 0:
        raise OSError("empty file")
    try:
        return Image.open(source, formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise OSError("not an image of a known format") from error  # Pillow's repeats the path


def _by_the_rules(image: Image.Image) -> Picture:
    kinds: list[Kind] = []
    if getattr(image, "is_animated", False):  # only formats with frames have it
        kinds.append(_FRAMES)
    wide, lossy = _has_sixteen_bits(image), _is_lossy(image)
    # Loading a TIFF turns it upright and forgets that it had to.
    turned = image.getexif().get(_ORIENTATION, 1) in range(2, 9)
    image.load()
    upright = ImageOps.exif_transpose(image)
    if turned:
        kinds.append(_ROTATED)
    narrow = upright.mode in ("I", "F") or upright.mode.startswith("I;")
    if wide or narrow:
        kinds.append(SIXTEEN)
    if narrow:
        return Picture(_narrowed(upright), kinds, lossy, int(np.asarray(upright).max()))
    plain = _plain(upright, kinds)
    # Of colour Pillow has kept the high bytes.
    return Picture(plain, kinds, lossy, int(np.asarray(plain).max()) << 8 if wide else None)


def _has_sixteen_bits(image: Image.Image) -> bool:
    if image.mode.startswith("I;16"):
        return True
    # Pillow narrows colour of 16 bits while it loads, and only the decoder's arguments tell.
    if not isinstance(image, ImageFile.ImageFile) or image.format not in ("PNG", "TIFF", "PPM"):
        return False
    arguments: list[Any] = [tile[3] for tile in image.tile]
    if image.format == "PPM":  # (mode, the largest value), but for the plainest files
        return any(";16" in str(one) or (type(one) is tuple and one[-1] > 255) for one in arguments)
    return any(";16" in str(one) for one in arguments)


def _is_lossy(image: Image.Image) -> bool:
    """By the content, not the suffix: a PNG may be called .jpg, and WebP comes in both ways."""
    if image.format == "WEBP":
        stream = getattr(image, "fp", None)
        if stream is None or stream.closed:
            return True  # loaded before: nothing tells any more
        place = stream.tell()
        stream.seek(0)
        lossless = b"VP8L" in stream.read(1 << 16)
        stream.seek(place)
        return not lossless
    return image.format in ("JPEG", "MPO") or image.info.get("compression") == "jpeg"


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
    if mode == "LAB":
        raise ValueError("Lab colour, which Pillow can't convert; save it as RGB")
    if mode == "1":
        kinds.append(_BILEVEL)
    elif mode not in (*_PLAIN_MODES, *_GREY_MODES, "P", "PA", "RGBA", "RGBa"):
        kinds.append(Kind(mode, "converted to RGB"))
    grey = mode in _GREY_MODES
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        if np.asarray(layer)[..., 3].min() < 255:  # else it has the channel and does not use it
            kinds.append(_ALPHA)
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, layer).convert("RGB")
    elif mode not in _PLAIN_MODES:
        image = image.convert("L" if grey else "RGB")
    if mode in ("P", "PA"):
        pixels = np.asarray(image)
        grey = bool((pixels == pixels[..., :1]).all())
        kinds.append(_PALETTE_GREY if grey else _PALETTE)
    return image.convert("L") if grey else image
