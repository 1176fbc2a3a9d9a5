"""Fractions as shaded cells, which follow the page from light to dark."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from coequal.reporting.style import ACCENT, INK, PAPER

LEAST_SHADE = 0.005  # fractions below it are drawn as none
PAPER_FROM = 0.6  # fraction from which a cell is so dark that its number has the paper's colour


def shaded_cells(axes: Axes, fractions: NDArray[np.float64], *, numbers: bool = False) -> None:
    """Draw a matrix as cells, row 0 at the top, the darker the nearer to 1.

    Args:
        axes: that are drawn on; column and row k are at k.
        fractions: (rows, columns) from 0 to 1, NaN where there is none.
        numbers: whether each cell has its number in per cent.
    """
    rows, columns = fractions.shape
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.grid(False)
    for (row, column), value in np.ndenumerate(fractions):
        if value >= LEAST_SHADE:
            cell = Rectangle(
                (column - 0.5, row - 0.5), 1, 1, color=ACCENT, alpha=float(value), lw=0
            )
            axes.add_patch(cell)
        if numbers:
            text = "–" if np.isnan(value) else f"{100 * value:.0f}"
            tint = PAPER if value >= PAPER_FROM else INK
            drawn = axes.text(column, row, text, color=tint, fontsize="small")
            drawn.set(ha="center", va="center")
