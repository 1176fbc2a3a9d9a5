"""Generated images ranked by the numbers that metrics give each of them; lists, sheet, table."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from coequal import lookup
from coequal.evaluation.measure import PerImageNumber
from coequal.evaluation.requested import RequestedMetrics
from coequal.evaluation.sheet_files import (
    ENLARGED_PIXELS,
    GAP_PIXELS,
    printable,
    refuse_sheet,
    with_caption,
)
from coequal.files import atomic_write, refuse_unwritable
from coequal.images import Pixels, enlarge, png_bytes, tile, to_uint8
from coequal.inputs.input import Input

TABLES = (".csv", ".json")
COLUMNS = 4  # images of a row, of the worst and of the best
LARGEST_PIXELS = 128  # larger images are shown smaller
LINE_PIXELS = 12  # of the text under an image


class PerImageRequest(NamedTuple):
    """What a score is to tell of single generated images.

    Attributes:
        worst: how many of the worst and of the best images of each number are listed.
        sheet: a .png that shows them.
        table: a .csv or .json with every number of every image.
    """

    worst: int | None = None
    sheet: Path | None = None
    table: Path | None = None

    @property
    def wanted(self) -> bool:
        """Whether metrics have to be asked for single images."""
        return self.worst is not None or self.table is not None


def refuse_per_image(request: PerImageRequest, requested: RequestedMetrics, fake: Input) -> None:
    """Before anything is measured.

    Raises:
        ValueError: what is asked for can't be had of these metrics or images.
        OSError: a file can't be written where it is asked for.
    """
    if request.sheet is not None and request.worst is None:
        raise ValueError("a sheet of the worst images needs a number, as in --worst 24")
    if not request.wanted:
        return
    if fake.rows is None:
        raise ValueError("statistics have no numbers for single images; give images or features")
    if request.worst is not None and request.worst < 1:
        raise ValueError(f"the number of worst images must be 1 or more, got {request.worst}")
    given = any(part.per_image_outputs for part in requested.parts.values())
    if not given or (request.worst is not None and not ranking(requested)):
        able = [
            name
            for name in lookup.names("metrics")
            if any(info.better for info in lookup.load("metrics", name).per_image_outputs.values())
        ]
        raise ValueError(
            f"{', '.join(requested.parts)}: no requested metric gives a number for "
            f"each image; add one that does: {', '.join(able)}"
        )
    refuse_sheet(request.sheet, fake)
    if request.table is not None and request.table.suffix.lower() not in TABLES:
        raise ValueError(f"a table is a {' or '.join(TABLES)}, not {request.table.name}")
    if request.table is not None:
        refuse_unwritable(request.table)


def ranking(requested: RequestedMetrics) -> bool:
    """Whether any metric gives numbers by which single images are better or worse."""
    infos = [info for part in requested.parts.values() for info in part.per_image_outputs.values()]
    return any(info.better for info in infos)


def told_of_images(
    request: PerImageRequest,
    numbers: Mapping[str, PerImageNumber],
    fake: Input,
) -> dict[str, Any]:
    """Write the files that are asked for.

    Args:
        request: which.
        numbers: of each image, by name.
        fake: the images.

    Returns:
        For the record: by number the worst and the best images; nothing if no list was asked for.
    """
    if request.table is not None:
        atomic_write(request.table, _table(request.table.suffix.lower(), numbers, fake))
    if request.worst is None:
        return {}
    ranked = {
        name: _ranked(number, request.worst)
        for name, number in numbers.items()
        if number.info.better is not None and number.found.undefined is None
    }
    if request.sheet is not None:
        _write_sheet(request.sheet, ranked, numbers, fake)
    return {
        name: {
            "better": numbers[name].info.better,
            "label": _label(name, numbers[name]),
            "meaning": numbers[name].info.meaning,
            **{
                end: [_as_dict(numbers[name], row, fake) for row in rows]
                for end, rows in sides.items()
            },
        }
        for name, sides in ranked.items()
    }


def _ranked(number: PerImageNumber, count: int) -> dict[Literal["worst", "best"], list[int]]:
    """The rows of the worst and of the best images, the extreme first; of equal ones the lower row
    is first. Images without the number are in neither."""
    values = number.found.values.cpu().numpy()
    cost = values if number.info.better == "lower" else -values
    rows = np.flatnonzero(~np.isnan(cost))
    return {
        "worst": rows[np.argsort(-cost[rows], kind="stable")][:count].tolist(),
        "best": rows[np.argsort(cost[rows], kind="stable")][:count].tolist(),
    }


def _as_dict(number: PerImageNumber, row: int, fake: Input) -> dict[str, Any]:
    """An image of a list; JSON has no infinity, and null is one."""
    value = float(number.found.values[row])
    name = {"name": fake.names[row]} if fake.names else {}
    return {"row": row, **name, "value": value if math.isfinite(value) else None}


def _table(kind: str, numbers: Mapping[str, PerImageNumber], fake: Input) -> bytes:
    """Every number of every image: a line each in a .csv, a list for each number in a .json. Rows
    count from 0; an empty cell, or null, is an image that has no such number."""
    columns: dict[str, list[Any]] = {"row": list(range(len(fake)))}
    if fake.names:
        columns["name"] = list(fake.names)
    for name, number in numbers.items():
        columns[name] = [None if math.isnan(x) else x for x in number.found.values.tolist()]
    if kind == ".json":
        finite = {
            name: [str(x) if isinstance(x, float) and math.isinf(x) else x for x in column]
            for name, column in columns.items()
        }
        return (json.dumps(finite, allow_nan=False) + "\n").encode()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _write_sheet(
    path: Path,
    ranked: Mapping[str, Mapping[Literal["worst", "best"], Sequence[int]]],
    numbers: Mapping[str, PerImageNumber],
    fake: Input,
) -> None:
    """For each number the worst images on the left and the best on the right."""
    missing = [f"No {k}: {v.found.undefined}." for k, v in numbers.items() if v.found.undefined]
    rows = [
        _beside(
            [
                with_caption(
                    _grid(shown, numbers[name], fake), f"{end} by {_label(name, numbers[name])}"
                )
                for end, shown in sides.items()
            ]
        )
        for name, sides in ranked.items()
    ]
    caption = " ".join(
        [f"The worst and the best of {len(fake):,} images of {fake.what}.", *missing]
    )
    atomic_write(path, png_bytes(with_caption(_below(rows), caption)))


def _label(name: str, number: PerImageNumber) -> str:
    return number.info.label or name.replace("_", " ")


def _picture(row: int, fake: Input) -> Pixels:
    """One image in three colours, at a size at which it can be seen."""
    assert fake.images is not None
    image: Tensor = fake.images[row : row + 1]
    pixels = tile(to_uint8(image).expand(-1, 3, -1, -1).numpy(), 1)
    side = max(pixels.shape[:2])
    factor = max(1, ENLARGED_PIXELS // side) if side <= LARGEST_PIXELS else LARGEST_PIXELS / side
    return enlarge(pixels, factor)


def _lines(row: int, number: PerImageNumber, fake: Input) -> tuple[str, str]:
    """What stands under an image: its number, and which it is."""
    return f"{float(number.found.values[row]):.4g}", fake.names[row] if fake.names else f"row {row}"


def _grid(rows: Sequence[int], number: PerImageNumber, fake: Input) -> Pixels:
    """Images in rows, each with its lines below."""
    cells = np.stack([_cell(_picture(row, fake), _lines(row, number, fake)) for row in rows])
    return tile(cells.transpose(0, 3, 1, 2), COLUMNS, gap=2 * GAP_PIXELS)


def _cell(picture: Pixels, lines: Sequence[str]) -> Pixels:
    """A picture with lines of text below it; of a line too long the end is shown."""
    height, width = picture.shape[:2]
    cell = Image.new("RGB", (width, height + len(lines) * LINE_PIXELS), "white")
    cell.paste(Image.fromarray(picture), (0, 0))
    font, draw = ImageFont.load_default(), ImageDraw.Draw(cell)
    for place, line in enumerate(map(printable, lines)):
        shown = line
        while font.getlength(shown) > width and len(shown) > 1:
            line = line[1:]
            shown = f"..{line}"
        draw.text((0, height + place * LINE_PIXELS), shown, fill="black", font=font)
    return np.asarray(cell)


def _beside(blocks: Sequence[Image.Image]) -> Image.Image:
    """Blocks beside each other, with white between them."""
    gap = 8 * GAP_PIXELS
    size = sum(block.width + gap for block in blocks) - gap, max(block.height for block in blocks)
    whole, left = Image.new("RGB", size, "white"), 0
    for block in blocks:
        whole.paste(block, (left, 0))
        left += block.width + gap
    return whole


def _below(blocks: Sequence[Image.Image]) -> Pixels:
    """Blocks below each other."""
    size = max(block.width for block in blocks), sum(block.height for block in blocks)
    whole, top = Image.new("RGB", size, "white"), 0
    for block in blocks:
        whole.paste(block, (0, top))
        top += block.height
    return np.asarray(whole)
