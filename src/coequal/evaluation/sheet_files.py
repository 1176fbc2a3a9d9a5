"""What all sheets of images share: which files they are, and their captions."""

import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from coequal.files import refuse_unwritable
from coequal.images import Pixels
from coequal.inputs.input import Input

SHEET = ".png"
GAP_PIXELS = 2  # between two images
ENLARGED_PIXELS = 64  # small images are enlarged to about this side
MARGIN = 6  # pixels around the caption


def refuse_sheet(sheet: Path | None, fake: Input, near: Input | None = None) -> None:
    """Before anything is measured.

    Args:
        sheet: the file, if one is asked for.
        fake: the images that it shows.
        near: those that it shows beside them, if it does.

    Raises:
        ValueError: a sheet is asked for that can't be had.
        OSError: it can't be written where it is asked for.
    """
    if sheet is not None and sheet.suffix.lower() != SHEET:
        raise ValueError(
            f"a sheet is a {SHEET}, not {sheet.name}; a page, with all distances and "
            "scores, is written by --page FILE.html"
        )
    without = next((one for one in (fake, near) if one is not None and one.images is None), None)
    if sheet is not None and without is not None:
        raise ValueError(f"a sheet needs images; {without.kind} were given")
    if sheet is not None and fake.shape is not None and fake.shape.channels not in (1, 3):
        size = "x".join(map(str, fake.shape))
        raise ValueError(f"a sheet shows grey or coloured images; these are {size}")
    if sheet is not None:
        refuse_unwritable(sheet)


def with_caption(picture: Pixels, caption: str) -> Image.Image:
    """A picture (height, width, 3) with the caption above it."""
    font = ImageFont.load_default()
    text_shown = printable(caption)
    pixels = font.getlength(text_shown) / len(text_shown)  # of a letter
    letters = max(1, int(0.9 * (picture.shape[1] - 2 * MARGIN) / pixels))
    text = "\n".join(textwrap.wrap(text_shown, letters))
    _, _, _, bottom = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox(
        (0, 0), text, font
    )
    above = int(bottom) + 2 * MARGIN
    sheet = Image.new("RGB", (picture.shape[1], picture.shape[0] + above), "white")
    ImageDraw.Draw(sheet).multiline_text((MARGIN, MARGIN), text, fill="black", font=font)
    sheet.paste(Image.fromarray(picture), (0, above))
    return sheet


def printable(text: str) -> str:
    """The text in the letters that Pillow's small font has."""
    return text.encode("latin-1", "replace").decode("latin-1")
