"""The page of `coequal manifold`: curves over delta, and images beside what is nearest to them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from coequal.files import atomic_write, write_json
from coequal.formatting import half_width, interval, number
from coequal.images import data_uri, png_bytes, tile
from coequal.reporting.score_page.gallery import Neighbours, Picture
from coequal.reporting.style import (
    COLOURS,
    MUTED,
    ON_DARK,
    as_pdf,
    as_svg,
    colour,
    figure_inches,
    house_style,
    inline,
    variables,
)
from coequal.reporting.templating import template
from coequal.results.results_csv import csv_text

FRACTIONS = {
    "precision": "precision",
    "recall": "recall, held-out images",
    "train_recall": "recall, training images",
    "f1": "F1",
}


class ImagePair(Protocol):
    """An image and what is nearest to it, uint8 (1 or 3, height, width)."""

    @property
    def image(self) -> NDArray[np.uint8]:
        """The image."""
        ...

    @property
    def nearest(self) -> NDArray[np.uint8]:
        """What is nearest to it."""
        ...

    @property
    def squared(self) -> float:
        """Their squared distance."""
        ...

    @property
    def certain(self) -> bool:
        """Whether more effort would not find a nearer one."""
        ...


def write_manifold_page(
    out: Path,
    record: Mapping[str, Any],
    curves: Sequence[Mapping[str, float]],
    samples: Sequence[ImagePair],
    reached: Sequence[ImagePair],
) -> Path:
    """`index.html`, `manifold.json`, `curves.csv`, `curves.svg` and `curves.pdf`; returns the page.

    Args:
        out: a folder; files of these names are replaced.
        record: what was measured, at one delta.
        curves: a row per delta.
        samples: generated images and the closest members of the manifold.
        reached: real images and the closest images of the generator.
    """
    write_json(out / "manifold.json", record)
    atomic_write(out / "curves.csv", csv_text(curves).encode())
    with house_style():
        figure = draw_curves(curves, record["at_delta"]["delta"])
        svg = as_svg(figure)
        figure.set_layout_engine("none")
        atomic_write(out / "curves.svg", svg)
        atomic_write(out / "curves.pdf", as_pdf(figure))
    page = template("manifold.html.jinja").render(
        record=record,
        numbers=numbers(record["at_delta"]),
        number=number,
        curves=Markup(inline(svg, "curves")),
        samples=[
            neighbours(pair, place, "generated image", "closest polygon")
            for place, pair in enumerate(samples, 1)
        ],
        reached=[
            neighbours(pair, place, "real image", "closest image of the generator")
            for place, pair in enumerate(reached, 1)
        ],
        on_light=Markup(variables(COLOURS)),
        on_dark=Markup(variables(ON_DARK)),
    )
    atomic_write(out / "index.html", page.encode())
    return out / "index.html"


def numbers(row: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """Name, value and 95 % interval of every fraction of a row, rounded by the interval."""
    ends = {side: (row[f"{side}_low"], row[f"{side}_high"]) for side in FRACTIONS if side in row}
    return [
        (FRACTIONS[side], number(row[side], half_width(found)), interval(found, between=" to "))
        for side, found in ends.items()
    ]


def draw_curves(curves: Sequence[Mapping[str, float]], delta: float) -> Figure:
    """Every fraction against delta, with its interval, and a line at the requested delta."""
    figure = Figure(figsize=(figure_inches(), 4.2), layout="constrained")
    axes = figure.subplots()
    deltas = [row["delta"] for row in curves]
    for place, (side, title) in enumerate(FRACTIONS.items()):
        if side not in curves[0]:
            continue
        low, high = ([row[f"{side}_{end}"] for row in curves] for end in ("low", "high"))
        tint = colour(place)
        axes.fill_between(deltas, low, high, color=tint, alpha=0.15, lw=0)
        axes.plot(deltas, [row[side] for row in curves], color=tint, lw=1.9, label=title)
    axes.axvline(delta, color=MUTED, lw=0.9, ls=(0, (1, 2)))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("delta: squared distance at which an image counts")
    axes.set_ylabel("fraction of images, with 95 % intervals")
    axes.legend(loc="upper left")
    return figure


def neighbours(pair: ImagePair, place: int, what: str, nearest: str) -> Neighbours:
    """A pair for the page.

    Args:
        pair: the images.
        place: its number, from 1.
        what: what the image is, for those who can't see it.
        nearest: what is nearest to it, in words.
    """
    distance = number(pair.squared) + ("" if pair.certain else " ?")
    return Neighbours(
        Picture(_uri(pair.image), f"{what} {place}"),
        [Picture(_uri(pair.nearest), f"{nearest}, squared distance {distance}", (distance,))],
    )


def _uri(image: NDArray[np.uint8]) -> str:
    return data_uri(png_bytes(tile(image[None], columns=1)))
