"""An SVG file of matplotlib's in fewer bytes, which are the same on every processor."""

import base64
import io
import re
from decimal import Decimal

import numpy as np
from PIL import Image

from coequal.images import png_bytes


def slim(svg: bytes) -> bytes:
    """Shorten an SVG file to less than half of its bytes.

    Hundredths of a point are enough; lines say how far they go on instead of where they are;
    markers or lines that look alike say so once; pictures in grey are stored so.
    """
    text = re.sub(r"font(?:-family)?: [^;\"]*", _fonts, svg.decode())
    text = re.sub(r' (?:d|x|y|transform)="[^"]*"', _rounded, text)
    text = re.sub(r' d="([MLz\s\d.-]*)"', _relative, text)
    text = re.sub(r"(<g[^>]*>)\s*((?:<use [^>]*/>\s*)+)</g>", _shared, text)
    text = re.sub(r"(<g[^>]*>)\s*((?:<path [^>]*/>\s*){2,})</g>", _shared, text)
    return re.sub(r'(data:image/png;base64,)([^"]*)', _small, text).encode()


def numbered(svg: bytes) -> bytes:
    """Name what an SVG file refers to by its place in the file. matplotlib names clips and markers
    by a hash of all their digits, so that another processor's last digit renames them."""
    names: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        return match[1] + names.setdefault(match[2], f"d{len(names) + 1}")

    pattern = r'(\bid="|href="#|url\(#)(\w*[0-9a-f]{10})(?=["\)])'
    return re.sub(pattern, name, svg.decode()).encode()


def _rounded(match: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda number: _hundredths(number[0]), match[0])


def _hundredths(number: str) -> str:
    """A number rounded, not cut off: a tick at 12.34 is 12.339999 on another processor."""
    text = f"{float(number):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _relative(match: re.Match[str]) -> str:
    """A path of straight lines, each point by its distance from the one before. The distances are
    of rounded points, so that no error adds up."""
    path: list[str] = []
    at = (Decimal(0), Decimal(0))
    begun = at
    for command, numbers in re.findall(r"([MLz])([^MLz]*)", match[1]):
        if command == "z":
            path.append("z")
            at = begun
            continue
        values = list(map(Decimal, numbers.split()))
        for x, y in zip(values[::2], values[1::2], strict=True):
            letter = "m" if command == "M" else "l"
            path.append(f"{letter}{_joined(x - at[0], y - at[1])}")
            at = (x, y)
            begun = at if command == "M" else begun
    return f' d="{_without_repeats(path)}"'


def _without_repeats(path: list[str]) -> str:
    """The commands in a row; one that is the same as the one before needs no letter."""
    text, last = [], ""
    for step in path:
        letter = step[0]
        if letter == "l" and last == "l":
            text.append(step[1:] if step[1] == "-" else f" {step[1:]}")
        else:
            text.append(step)
        last = letter
    return "".join(text)


def _joined(x: Decimal, y: Decimal) -> str:
    first, second = _short(x), _short(y)
    return f"{first}{second}" if second.startswith("-") else f"{first} {second}"


def _short(value: Decimal) -> str:
    """A number without zeros that say nothing: -0.50 is "-.5"."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = re.sub(r"^(-?)0\.", r"\1.", text)
    return "0" if text in ("-0", "-", "") else text


def _shared(match: re.Match[str]) -> str:
    start, uses = match[1], match[2]
    styles = set(re.findall(r' style="([^"]*)"', uses))
    if len(styles) != 1 or " style=" in start:
        return match[0]
    return f'{start[:-1]} style="{styles.pop()}">' + re.sub(r' style="[^"]*"', "", uses) + "</g>"


def _fonts(match: re.Match[str]) -> str:
    """A font where DejaVu Sans is missing: Verdana has its widths."""
    start = match[0].partition("'")[0]  # "font-family: ", or "font: 9px " in older matplotlib
    return f"{start}'DejaVu Sans', Verdana, sans-serif"


def _small(match: re.Match[str]) -> str:
    """A picture without the channels that it doesn't use: matplotlib writes four of them."""
    with Image.open(io.BytesIO(base64.b64decode(match[2]))) as picture:
        pixels = np.asarray(picture.convert("RGBA"))
    if np.any(pixels[..., 3] < 255):
        return match[0]
    colours = pixels[..., :3]
    grey = np.all(colours == colours[..., :1])
    smaller = png_bytes(np.ascontiguousarray(colours[..., 0] if grey else colours))
    return match[1] + base64.b64encode(smaller).decode()
