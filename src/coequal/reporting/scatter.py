"""Generated points in the plane as scatter plots."""

import io
import math
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from coequal.reporting.style import COLOURS, FAINT, MUTED

PANELS_IN_A_ROW = 4
PANEL_INCHES = 2.3
DOTS_PER_INCH = 150

Points = NDArray[Any]  # (n, 2, 1, 1)


def scatters(panels: Sequence[tuple[str, str, Points, Points | None]]) -> bytes:
    """Points in the plane as one PNG file: a plot each, all on the same axes.

    Args:
        panels: title, a line below it, the points (x and y in [0, 1]), and what is shown beneath
            them: real points, in grey.
    """
    columns = min(PANELS_IN_A_ROW, len(panels))
    rows = math.ceil(len(panels) / columns)
    head = 0.42 if any(title for title, *_ in panels) else 0.06
    figure = Figure(
        figsize=(columns * PANEL_INCHES, rows * (PANEL_INCHES + head)), dpi=DOTS_PER_INCH
    )
    for index, (title, detail, points, real) in enumerate(panels):
        left, top = index % columns / columns, 1 - index // columns / rows
        height = PANEL_INCHES / (PANEL_INCHES + head) / rows
        axes = figure.add_axes(
            (left + 0.02 / columns, top - 0.99 / rows, 0.96 / columns, 0.97 * height)
        )
        if real is not None:
            axes.scatter(real[:, 0], real[:, 1], s=5, color=FAINT, linewidths=0)
        colour = MUTED if real is None else COLOURS[0]
        axes.scatter(points[:, 0], points[:, 1], s=2.5, color=colour, linewidths=0)
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=(), yticks=())
        axes.spines[:].set(visible=True, color=FAINT)
        axes.text(0, 1.1, title, transform=axes.transAxes, weight="bold", va="baseline")
        axes.text(0, 1.025, detail[:44], transform=axes.transAxes, color=MUTED, fontsize=7)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
