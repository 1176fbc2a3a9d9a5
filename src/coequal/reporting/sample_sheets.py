"""What a reader looks at rather than reads: samples, samples by class, nearest training images."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.files import atomic_write, file_name
from coequal.reporting.image_grids import Block, Row, blocks, sample_rows, sheet
from coequal.reporting.setting_text import score_text
from coequal.reporting.style import as_pdf, as_svg, house_style
from coequal.results.folder import RunFolder

IMAGES_PER_CLASS = 6
NEIGHBOUR_ROWS = 6  # generated images that are shown beside their neighbours
MAX_CLASSES = 20  # of more classes only the first are shown


@dataclass(frozen=True)
class Sheet:
    """One picture with its title and how to read it.

    Attributes:
        name: of its file and of links to it, after that of the dataset.
        title: its heading.
        read: the sentence below the heading.
        blocks: the images of each model.
    """

    name: str
    title: str
    read: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class SampleSheets:
    """The images of one dataset.

    Attributes:
        rows: images of each model's chosen setting.
        sheets: pictures with more images.
    """

    rows: Sequence[Row] = ()
    sheets: Sequence[Sheet] = ()


def sample_sheets(folder: RunFolder, summary: DataSummary, target: Path) -> SampleSheets:
    """The pictures, which also become files in `target`."""
    anchor = file_name(summary.data)
    rows = sample_rows(folder, summary)
    if rows:
        picture = sheet(rows)
        atomic_write(target / f"{anchor}-samples.png", picture)
        with house_style():
            figure = _picture_figure(picture)
            atomic_write(target / f"{anchor}-samples.svg", as_svg(figure))
            atomic_write(target / f"{anchor}-samples.pdf", as_pdf(figure))
    sheets = []
    for found in (_classes(folder, summary), _neighbours(folder, summary)):
        if found is not None:
            atomic_write(target / f"{anchor}-{found.name}.png", blocks(found.blocks))
            sheets.append(found)
    return SampleSheets(rows, sheets)


def _chosen(summary: DataSummary) -> Iterator[tuple[ModelSummary, str, int, str]]:
    """Each model with its chosen trial, the step where that is judged, and a line about it."""
    for model in summary.ranked:
        if model.chosen is not None and model.chosen.checkpoint is not None:
            line = f"{summary.metric.label} {score_text(model)}"
            yield model, model.chosen.trial, model.chosen.checkpoint.step, line


def _classes(folder: RunFolder, summary: DataSummary) -> Sheet | None:
    """A row for each class, of the models that take classes; None where there are none."""
    names = list(summary.reference.get("classes") or ())[:MAX_CLASSES]
    listed: list[Block] = []
    for model, trial, step, line in _chosen(summary):
        images = folder.samples(trial, step)
        if images is None or not folder.details(trial).get("conditional"):
            continue
        total = len(summary.reference["classes"])
        grid = _by_class(images, total)[: len(names)]
        if grid.size:
            rows = names if not listed else ()
            listed.append(Block(model.label, line, grid, rows[: len(grid)]))
    if not listed:
        return None
    read = (
        "Images of each requested class, one row per class, from each model's chosen setting at "
        "the checkpoint where it is judged, without selection. Does every row show its class, and "
        "do its images differ?"
    )
    return Sheet("classes", "Samples by class", read, listed)


def _by_class(images: NDArray[np.uint8], classes: int) -> NDArray[np.uint8]:
    """Images whose classes go round, as (class, image, ...): as many of each as there are of the
    rarest, IMAGES_PER_CLASS at most."""
    each = min(IMAGES_PER_CLASS, len(images) // classes)
    whole = images[: each * classes].reshape(each, classes, *images.shape[1:])
    return whole.swapaxes(0, 1)


def _neighbours(folder: RunFolder, summary: DataSummary) -> Sheet | None:
    """Generated images beside their nearest training images; None where none were kept."""
    listed: list[Block] = []
    for model, trial, _, line in _chosen(summary):
        images = folder.neighbours(trial)
        if images is not None:
            listed.append(Block(model.label, line, images[:NEIGHBOUR_ROWS]))
    if not listed:
        return None
    near = listed[0].images.shape[1] - 1
    read = (
        f"Left: a generated image from the last checkpoint. Right: the {near} training images "
        "nearest to it in the encoder's feature space. A copy looks like its nearest neighbour; an "
        "image that belongs to no class has neighbours that resemble each other but not the image."
    )
    return Sheet("neighbours", "Nearest training images", read, listed)


def _picture_figure(png: bytes) -> Figure:
    """A picture as a figure, for the formats that papers take."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    height, width = pixels.shape[:2]
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(pixels, interpolation="none", aspect="auto")
    return figure
