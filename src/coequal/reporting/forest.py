"""The forest plot of a study of changes: every change with its interval, and the line of none.

As in Lewis and Clarke 2001, "Forest plots: trying to see the wood and the trees", BMJ 322, 1479.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from coequal.analysis.data_summary import DataSummary
from coequal.reporting.changes import Change, changes
from coequal.reporting.marks import showing
from coequal.reporting.style import BAD, FAINT, GOOD, INK, MUTED, figure_inches

TINTS = {"better": GOOD, "worse": BAD}
NARROW_INCHES = 3.9  # of a figure for 400 pixels
STACKED_BELOW_INCHES = 6.0  # of a figure in which names stand above their intervals
SMALL = 0.833  # of small type, as matplotlib's
LETTER = 0.0073  # inches of a letter, for each point of the type
TWO_COLUMNS_FROM_INCHES = 9.0  # narrower ones have no room for two axes beside the names
ROWS_IN_ONE_COLUMN = 16  # with more, and several bases, there are two columns,
LETTERS_OF_TWO_COLUMNS = 30  # in which names are not longer
GUTTER_INCHES = 0.25
TICK_INCHES = 0.42  # between the labels of two ticks
WIDEST = 8.0  # an interval's end further away from every change than this factor is an arrow
RATIOS = (0.1, 0.2, 0.5, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True)
class _Layout:
    """How a column of a forest plot is laid out.

    Attributes:
        width: of the column in inches.
        row: height of a row in inches.
        heading: height of a base's heading in inches.
        left: inches at the left of the axes.
        right: inches at the right of the axes.
        size: of the type in points.
        stacked: whether names and numbers stand above their intervals.
    """

    width: float
    row: float
    heading: float
    left: float
    right: float
    size: float
    stacked: bool

    @property
    def axis(self) -> float:
        """The width of the axes in inches."""
        return self.width - self.left - self.right

    def cut(self, name: str, numbers: str) -> str:
        """A name, shortened where it would reach into the axes or the numbers."""
        room = self.width - 0.2 - self.size * LETTER * len(numbers) if self.stacked else self.left
        most = int(room / (self.size * LETTER))
        return name if len(name) <= most else name[: most - 1].rstrip(" .,") + "…"


def forest(summary: DataSummary) -> Figure | None:
    """Every change of a study with its simultaneous interval, best first.

    Changes of one base stand together. Those that are shown to be better or worse are bold and
    have a colour, others are grey. A bar of its own marks the smallest gain that could have been
    shown. An end of an interval beyond the axis is an arrow; a change without an interval is a
    mark alone, and one whose runs all failed is words alone. In a figure narrower than
    `STACKED_BELOW_INCHES` names and numbers stand above the intervals.

    Args:
        summary: of a dataset.

    Returns:
        The figure; None where the study compares no changes, or nothing is known yet.
    """
    rows = changes(summary)
    if not rows:
        return None
    groups = [list(found) for _, found in groupby(rows, key=lambda row: row.effect.against)]
    whole = figure_inches()
    columns = [groups] if whole < TWO_COLUMNS_FROM_INCHES else _columns(groups)
    layout = _layout(rows, whole, len(columns))
    height = max(_height(column, layout) for column in columns) + 0.75
    figure = Figure(figsize=(whole, height))
    limits = _limits(rows)
    for place, column in enumerate(columns):
        start = place * (layout.width + GUTTER_INCHES)
        _draw_column(figure, column, layout, start, limits, summary)
    return figure


def _columns(groups: Sequence[list[Change]]) -> list[Sequence[list[Change]]]:
    """The groups in one column, or in two that are as equal as they can be."""
    total = sum(map(len, groups))
    if len(groups) < 2 or total <= ROWS_IN_ONE_COLUMN:
        return [groups]

    def longer(cut: int) -> int:
        first = sum(map(len, groups[:cut]))
        return max(first, total - first)

    cut = min(range(1, len(groups)), key=longer)
    return [groups[:cut], groups[cut:]]


def _layout(rows: Sequence[Change], whole: float, columns: int) -> _Layout:
    size = float(mpl.rcParams["font.size"])
    if whole < STACKED_BELOW_INCHES:
        return _Layout(whole, 0.041 * size, 0.038 * size, 0.05, 0.05, size, True)
    most = 48
    if columns > 1:
        size, most = SMALL * size, LETTERS_OF_TWO_COLUMNS
    letter, bold = LETTER * size, 1.15
    left = 0.1 + letter * min(most, max(len(row.name) for row in rows))
    right = 0.1 + letter * max(
        len(_numbers(row)) * (bold if row.outcome in TINTS else 1.0) for row in rows
    )
    width = (whole - GUTTER_INCHES * (columns - 1)) / columns
    return _Layout(width, 0.205, 0.32, left, right, size, False)


def _numbers(row: Change) -> str:
    """The column at the right, as forest plots of medicine have it."""
    if math.isnan(row.value):
        return row.text
    return f"{row.text}  ({row.between})"


def _height(groups: Sequence[Sequence[Change]], layout: _Layout) -> float:
    return sum(layout.heading + layout.row * len(rows) for rows in groups)


def _limits(rows: Sequence[Change]) -> tuple[float, float]:
    """The ends of the axis: all finite changes and the ends of their intervals, but no end that is
    further than `WIDEST` from every change, or than twice their extent on the linear scale."""
    relative = rows[0].relative
    values = [row.unchanged for row in rows]
    values += [row.value for row in rows if _drawable(row.value, relative)]
    ends = [end for row in rows for end in row.ends or () if _drawable(end, relative)]
    low, high = min(values), max(values)
    if relative:
        low, high = (
            min([low, *(e for e in ends if e >= low / WIDEST)]),
            max([high, *(e for e in ends if e <= high * WIDEST)]),
        )
        pad = (high / low) ** 0.04 if high > low else 1.2
        return low / pad, high * pad
    reach = 2 * (high - low) or max(map(abs, ends), default=1.0)
    low = min([low, *(end for end in ends if end >= low - reach)])
    high = max([high, *(end for end in ends if end <= high + reach)])
    pad = 0.04 * (high - low) or 1.0
    return low - pad, high + pad


def _drawable(value: float, relative: bool) -> bool:
    return math.isfinite(value) and (not relative or value > 0)


def _draw_column(
    figure: Figure,
    groups: Sequence[Sequence[Change]],
    layout: _Layout,
    start: float,
    limits: tuple[float, float],
    summary: DataSummary,
) -> None:
    """One column of groups from the top down, on axes whose y axis is in inches."""
    total = figure.get_figwidth()
    tall, height = figure.get_figheight(), _height(groups, layout)
    box = (
        (start + layout.left) / total,
        1 - (height + 0.3) / tall,
        layout.axis / total,
        height / tall,
    )
    axes = figure.add_axes(box)
    axes.set_ylim(height, 0)
    _x_axis(axes, limits, layout, groups[0][0].relative, summary)
    at = 0.0
    for rows in groups:
        base = summary.model(rows[0].effect.against)
        middle = at + 0.6 * layout.heading
        _write(axes, f"against {base.title}", (0, middle), layout, weight="bold")
        at += layout.heading
        for row in rows:
            with showing(row.model, axes):
                _draw_row(axes, row, at, layout, limits)
            at += layout.row


def _x_axis(
    axes: Axes,
    limits: tuple[float, float],
    layout: _Layout,
    relative: bool,
    summary: DataSummary,
) -> None:
    axes.set_xlim(limits)
    axes.grid(False, axis="y")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    label = summary.metric.label
    if relative:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(_ticks(limits, layout.axis)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: _tick(tick)))
        axes.set_xlabel(f"change in test {label}", fontsize="small")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(max(2, int(layout.axis / TICK_INCHES))))
        axes.set_xlabel(f"difference in test {label}", fontsize="small")
    axes.tick_params(labelsize="small", length=3)
    sides = ("worse", "better") if summary.metric.higher else ("better", "worse")
    if not layout.stacked:
        axes.axvline(1.0 if relative else 0.0, color=INK, lw=1.0, zorder=1.5)
    axes.text(0, 1, f"← {sides[0]}", transform=axes.transAxes, va="bottom", fontsize="small")
    axes.text(
        1, 1, f"{sides[1]} →", transform=axes.transAxes, va="bottom", ha="right", fontsize="small"
    )


def _ticks(limits: tuple[float, float], inches: float) -> list[float]:
    """Ratios within the limits, from that of no change outwards, whose labels don't touch."""
    per_inch = math.log(limits[1] / limits[0]) / inches
    chosen = [1.0]
    for side in ([r for r in RATIOS if r > 1], [r for r in reversed(RATIOS) if r < 1]):
        last = 1.0
        for ratio in side:
            far = abs(math.log(ratio / last)) >= TICK_INCHES * per_inch
            if far and limits[0] <= ratio <= limits[1]:
                chosen.append(ratio)
                last = ratio
    return sorted(chosen)


def _tick(ratio: float) -> str:
    change = round(100 * (ratio - 1))
    return f"{change:+d} %".replace("-", "−") if change else "0"


def _draw_row(
    axes: Axes, row: Change, top: float, layout: _Layout, limits: tuple[float, float]
) -> None:
    tint = TINTS.get(row.outcome, MUTED)
    shown = row.outcome in TINTS
    line = top + (0.72 if layout.stacked else 0.5) * layout.row
    words = top + (0.28 if layout.stacked else 0.5) * layout.row
    if layout.stacked:  # no line through words
        half = 0.25 * layout.row
        axes.plot([row.unchanged] * 2, [line - half, line + half], color=INK, lw=1.0, zorder=1.5)
    name = layout.cut(row.name, _numbers(row))
    look = {"color": tint if shown else INK, "weight": "bold" if shown else "normal"}
    _write(axes, name, (0, words), layout, **look)
    _write(axes, _numbers(row), (1, words), layout, **look)
    _mark(axes, row, line, tint, shown, limits)


def _mark(
    axes: Axes, row: Change, y: float, tint: str, shown: bool, limits: tuple[float, float]
) -> None:
    """The interval, the change and the smallest gain of a row; an arrow for what is beyond the
    axis."""
    low, high = limits
    if row.gain is not None and low <= row.gain <= high:
        axes.plot([row.gain], [y], "|", color=FAINT, ms=9, mew=2.2, zorder=2)
    if math.isnan(row.value):
        return
    width = 2.2 if shown else 1.1
    if row.ends is not None:
        ends = [min(max(end, low), high) for end in row.ends]
        axes.plot(ends, [y, y], color=tint, lw=width, solid_capstyle="butt", zorder=3)
        for end, edge, marker in ((row.ends[0], low, "<"), (row.ends[1], high, ">")):
            if (end < edge) if marker == "<" else (end > edge):
                axes.plot([edge], [y], marker, color=tint, ms=5, mew=0, clip_on=False, zorder=4)
    if low <= row.value <= high:
        axes.plot([row.value], [y], "s", color=tint, ms=6.5 if shown else 4.5, mew=0, zorder=4)


def _write(axes: Axes, text: str, at: tuple[float, float], layout: _Layout, **look: Any) -> None:
    """Write text at the outer edge of a column: the left one at x = 0, the right one at x = 1, at a
    height in inches from the top."""
    left = at[0] == 0
    offset = 72 * (-layout.left if left else layout.right)
    axes.annotate(
        text,
        at,
        (offset + (2 if left else -2), 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        annotation_clip=False,
        ha="left" if left else "right",
        va="center",
        fontsize=layout.size,
        **look,
    )
