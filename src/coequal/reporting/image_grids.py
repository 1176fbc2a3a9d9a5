"""Generated images side by side: a row for each model, a column for each latent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from coequal.analysis.data_summary import DataSummary
from coequal.images import Pixels, data_uri, enlarge, png_bytes, tile
from coequal.records import POINT
from coequal.reporting.scatter import scatters
from coequal.reporting.setting_text import score_text, setting_name
from coequal.reporting.style import house_style
from coequal.results.folder import RunFolder

IMAGES_IN_A_ROW = 16
GAP_PIXELS = 1  # between two images, before they are enlarged
MAX_SIDE_PIXELS = 64  # wider images are made smaller for the page; the PNG file keeps them
LABEL_PIXELS = 210  # for the labels of the sheet

Images = NDArray[Any]  # uint8; float32 if they are points


@dataclass(frozen=True)
class Row:
    """One row of images and what they are.

    Attributes:
        title: whose images they are.
        detail: a line below the title.
        images: (n, channels, height, width): uint8, or float32 if they are points.
        real: real points, drawn beneath generated ones; None for images.
        model: the model's name; empty for real images.
    """

    title: str
    detail: str
    images: Images
    real: Images | None = None
    model: str = ""

    @property
    def points(self) -> bool:
        """Whether they are points in the plane, for a scatter plot."""
        return are_points(self.images)

    @cached_property
    def strip(self) -> Image.Image:
        """The row as the page shows it: small images enlarged, large ones made smaller."""
        side = int(self.images.shape[-1])
        factor = MAX_SIDE_PIXELS / side if side > MAX_SIDE_PIXELS else max(1, 84 // side)
        return Image.fromarray(enlarge(_row(self.images), factor))

    @property
    def uri(self) -> str:
        """The row as a PNG in a data URI."""
        untitled = replace(self, title="", detail="")
        return data_uri(_scatter([untitled]) if self.points else png_bytes(self.strip))


def are_points(images: Images) -> bool:
    """Whether images are points in the plane: two channels of one pixel."""
    return images.shape[1:] == POINT


def sample_rows(folder: RunFolder, summary: DataSummary) -> list[Row]:
    """Real images, then each model's chosen setting where it is judged, if images were kept."""
    label = summary.metric.label
    rows = []
    real = folder.real_samples(summary.data)
    if real is not None:
        rows.append(Row("Real images", "held out", real[: _in_a_row(real)]))
    for model in summary.ranked:
        if model.chosen is None or model.chosen.checkpoint is None:
            continue
        images = folder.samples(model.chosen.trial, model.chosen.checkpoint.step)
        if images is not None:
            which = setting_name(model.chosen).removeprefix("the ")
            detail = f"{label} {score_text(model)}, {which}"
            shown = images[: _in_a_row(images)]
            rows.append(Row(model.label, detail, shown, real, model.name))
    return rows


def sheet(rows: Sequence[Row]) -> bytes:
    """All rows with their labels as one PNG file; of points, a scatter plot each."""
    if rows[0].points:
        return _scatter(rows)
    factor = max(1, 56 // max(row.images.shape[-1] for row in rows))
    strips = [Image.fromarray(enlarge(_row(row.images), factor)) for row in rows]
    heights = [max(strip.height, 34) + 6 for strip in strips]
    width = LABEL_PIXELS + max(strip.width for strip in strips) + 8
    picture = Image.new("RGB", (width, sum(heights) + 6), "white")
    draw = ImageDraw.Draw(picture)
    bold, light = font("DejaVuSans-Bold.ttf", 13), font("DejaVuSans.ttf", 11)
    top = 6
    for row, strip, height in zip(rows, strips, heights, strict=True):
        middle = top + strip.height // 2
        draw.text((8, middle - 2), row.title, fill="#1d2430", font=bold, anchor="ls")
        draw.text((8, middle + 14), row.detail[:32], fill="#5f6875", font=light, anchor="ls")
        picture.paste(strip, (LABEL_PIXELS, top))
        top += height
    return png_bytes(picture)


def square_sheet(
    images: Images,
    real: Images | None = None,
    columns: int | None = None,
    at_least: int = 84,
) -> bytes:
    """Any number of images as one PNG file, about as wide as high or in so many columns; points as
    a scatter plot over real ones. Smaller images are enlarged to about `at_least` pixels."""
    if are_points(images):
        return _scatter([Row("", "", images, real)])
    columns = columns or min(len(images), max(1, round(len(images) ** 0.5)))
    factor = max(1, at_least // (images.shape[2] + GAP_PIXELS))
    return png_bytes(enlarge(tile(images, columns, gap=GAP_PIXELS), factor))


@dataclass(frozen=True)
class Block:
    """Images in rows and columns, and whose they are.

    Attributes:
        title: whose images they are.
        detail: a line below the title.
        images: (rows, columns, channels, height, width).
        rows: a name for each row; empty for none.
    """

    title: str
    detail: str
    images: NDArray[np.uint8]
    rows: Sequence[str] = ()

    @property
    def uri(self) -> str:
        """The images without names as a PNG in a data URI."""
        rows, columns = self.images.shape[:2]
        together = self.images.reshape(rows * columns, *self.images.shape[2:])
        picture = tile(together, columns, gap=GAP_PIXELS, background=128)
        return data_uri(png_bytes(enlarge(picture, max(1, 56 // self.images.shape[-1]))))


def blocks(listed: Sequence[Block]) -> bytes:
    """Blocks side by side, as many as fit on a page, as one PNG file."""
    factor = max(1, 56 // max(block.images.shape[-1] for block in listed))
    parts = [_block(block, factor) for block in listed]
    lines: list[list[Image.Image]] = [[]]
    for part in parts:
        if (
            lines[-1]
            and sum(p.width + BLOCK_GAP_PIXELS for p in lines[-1]) + part.width > PAGE_PIXELS
        ):
            lines.append([])
        lines[-1].append(part)
    width = max(sum(part.width + BLOCK_GAP_PIXELS for part in line) for line in lines)
    heights = [max(part.height for part in line) + BLOCK_GAP_PIXELS for line in lines]
    picture = Image.new("RGB", (width, sum(heights)), "white")
    top = 0
    for line, height in zip(lines, heights, strict=True):
        left = 0
        for part in line:
            picture.paste(part, (left, top))
            left += part.width + BLOCK_GAP_PIXELS
        top += height
    return png_bytes(picture)


BLOCK_GAP_PIXELS = 18  # between two blocks
PAGE_PIXELS = 1500  # width of a page of blocks
NAMES_PIXELS = 92  # for the names of rows


def _block(block: Block, factor: int) -> Image.Image:
    """One block with its title, and the names of its rows to the left."""
    strips = [Image.fromarray(enlarge(_row(row), factor)) for row in block.images]
    left, head = (NAMES_PIXELS if block.rows else 0), 36
    width, height = strips[0].width, strips[0].height + 3
    picture = Image.new("RGB", (left + width, head + height * len(strips)), "white")
    draw = ImageDraw.Draw(picture)
    bold, light = font("DejaVuSans-Bold.ttf", 13), font("DejaVuSans.ttf", 11)
    draw.text((left, 14), block.title, fill="#1d2430", font=bold, anchor="ls")
    draw.text((left, 29), block.detail, fill="#5f6875", font=light, anchor="ls")
    for index, strip in enumerate(strips):
        top = head + index * height
        if block.rows:
            place = (left - 6, top + strip.height // 2)
            draw.text(place, block.rows[index][:14], fill="#5f6875", font=light, anchor="rm")
        picture.paste(strip, (left, top))
    return picture


def _in_a_row(images: Images) -> int:
    return len(images) if are_points(images) else IMAGES_IN_A_ROW


def _scatter(rows: Sequence[Row]) -> bytes:
    with house_style():
        return scatters([(row.title, row.detail, row.images, row.real) for row in rows])


def _row(images: Images) -> Pixels:
    return tile(images, len(images), gap=GAP_PIXELS)


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font of matplotlib's by the name of its file, in pixels."""
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)
