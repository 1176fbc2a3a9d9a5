"""The first picture of a dataset: a dot, an interval and a strip of samples for each model."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.tiers import Standing, Tiers
from coequal.reporting.image_grids import Row
from coequal.reporting.marks import show_trials, showing
from coequal.reporting.style import (
    FAINT,
    GRID,
    INK,
    MUTED,
    PAPER,
    colour,
    figure_inches,
    wants_log,
)
from coequal.reporting.tiers_samples import IMAGES, draw_samples, strip_height
from coequal.reporting.tiers_text import axis_label, marks, note, value_text

MANY_MODELS = 12
"""Of more models only the first have a row with samples; the others have low ones."""
ROWS_WITH_SAMPLES = 6  # of more than MANY_MODELS
STACKED_BELOW_INCHES = 6.0  # of a figure in which names stand above their intervals
SMALL: dict[str, Any] = {"fontsize": "small", "color": MUTED}
STRONG: dict[str, Any] = {"weight": "bold", "color": INK, "va": "center"}
NEAR = 0.45  # a reference so far beyond the models, as a fraction of their extent, is drawn


@dataclass(frozen=True)
class _Layout:
    """Where the columns of a row are, in points, and how high rows are.

    Attributes:
        width: of the figure.
        axis: left and right end of the metric's axis.
        values: right end of the numbers.
        strip: left and right end of the samples; equal without samples.
        row: height of a row.
        low: height of a row without samples, where others have some.
        stacked: whether names and samples stand above and below the axis instead of beside it.
    """

    width: float
    axis: tuple[float, float]
    values: float
    strip: tuple[float, float]
    row: float
    low: float
    stacked: bool


def _layout(names: Sequence[str], notes: Sequence[str], images: Mapping[str, Row]) -> _Layout:
    """The columns of the figure that is drawn now, by its width.

    Args:
        names: of the models.
        notes: below the names.
        images: samples by model.
    """
    width = 72 * figure_inches()
    points = any(row.points for row in images.values())
    if figure_inches() < STACKED_BELOW_INCHES:
        strip = (64.0 if points else width) if images else 0.0
        row = 32.0 + (strip / (1 if points else IMAGES) + 9 if images else 0)
        return _Layout(width, (8, width - 8), width, (0, strip), row, 32, True)
    widest = max([*(6.5 * len(name) for name in names), *(4.6 * len(text) for text in notes)])
    start = min(max(widest + 16, 96), 190)
    if not images:
        return _Layout(width, (start, width - 96), width, (width, width), 22, 15, False)
    row = 40.0 if points else 26.0 if len(names) <= 8 else 22.0
    left = width - (row - 2) * (1 if points else IMAGES)
    return _Layout(width, (start, left - 84), left - 14, (left, width), row, 15, False)


@dataclass(frozen=True)
class _Line:
    """A row of the figure, in points from the top, `axis` that of its dot; without `standing` and
    `heading`, the row of real images."""

    top: float = 0.0
    height: float = 0.0
    standing: Standing | None = None
    note: str = ""
    heading: str = ""
    samples: Row | None = None
    axis: float = 0.0


def tiers_figure(tiers: Tiers, summary: DataSummary, rows: Sequence[Row]) -> Figure:
    """Draw the models as rows on the metric's axis, with a strip of samples each.

    In a figure narrower than `STACKED_BELOW_INCHES` names stand above the axis, samples below it.

    Args:
        tiers: the models.
        summary: of the dataset.
        rows: samples of the models, and real images; may lack some.
    """
    images = {row.model: row for row in rows if row.model}
    notes = [note(standing, summary) for standing in tiers.standings]
    layout = _layout([summary.model(s.model).label for s in tiers.standings], notes, images)
    lines = _lines(tiers, summary, rows, layout)
    bottom = lines[-1].top + lines[-1].height
    height = bottom + 30
    drawn = Figure(figsize=(layout.width / 72, height / 72))
    page = drawn.add_axes((0, 0, 1, 1), zorder=1)
    page.set(xlim=(0, layout.width), ylim=(height, 0))
    page.set_axis_off()
    left, right = layout.axis
    axes = drawn.add_axes(
        (left / layout.width, 1 - bottom / height, (right - left) / layout.width, bottom / height),
        zorder=0 if layout.stacked else 2,  # where samples stand in the axes they cover its lines
    )
    axes.set(ylim=(bottom, 0))
    _axis(axes, tiers, summary)
    axes.grid(not layout.stacked)
    _heads(page, tiers, summary, layout)
    _references(axes, summary, lines, layout)
    for line in lines:
        _heading(page, line, layout)
        if line.samples is not None:
            _samples(page, line, layout)
        if line.standing is not None:
            with showing(summary.model(line.standing.model), page, axes):
                _model(page, axes, line, summary, layout)
    page.set(xlim=(0, layout.width), ylim=(height, 0))
    return drawn


def _lines(tiers: Tiers, summary: DataSummary, rows: Sequence[Row], layout: _Layout) -> list[_Line]:
    """The rows of the figure from the top down: real images, then the models by tier."""
    images = {row.model: row for row in rows if row.model}
    many = len(tiers.standings) > MANY_MODELS
    lines: list[_Line] = []

    def add(height: float, line: _Line) -> None:
        top = lines[-1].top + lines[-1].height if lines else 17.0
        y = top + (22.0 + (10 if line.note else 0) if layout.stacked else height / 2)
        lines.append(replace(line, top=top, height=height, axis=y))

    if images and "" in (kinds := {row.model: row for row in rows}):
        add(layout.row - (14 if layout.stacked else 0), _Line(samples=kinds[""]))
    for place, standing in enumerate(tiers.standings):
        if tiers.beaten and place in (0, len(tiers.standings) - len(tiers.beaten)):
            text = "beaten" if standing.beaten_by else "not shown to be beaten"
            add(15, _Line(heading=text))
        high = not many or place < ROWS_WITH_SAMPLES
        samples = images.get(standing.model) if high else None
        line = _Line(standing=standing, note=note(standing, summary), samples=samples)
        height = layout.row if samples or not (many or layout.stacked) else layout.low
        add(height + (10 if layout.stacked and line.note else 0), line)
    return lines


def _axis(axes: Axes, tiers: Tiers, summary: DataSummary) -> None:
    """The metric's axis around all scores and intervals, and the references that are near."""
    found = [
        value
        for s in tiers.standings
        for value in (s.score, *(s.interval or ()), *s.runs)
        if value is not None and math.isfinite(value)
    ] or [0.0, 1.0]
    verdict = summary.verdict
    tuned = tiers.basis == "tuned" and verdict is not None
    log = verdict.rules.scale == "log" if tuned and verdict else wants_log(found)
    scaled = [math.log(value) for value in found] if log else found
    low, high = min(scaled), max(scaled)
    extent = (high - low) or abs(high) or 1.0
    for value in (summary.cap, summary.floor):
        if value is not None and (value > 0 or not log):
            place = math.log(value) if log else value
            if low - NEAR * extent <= place <= high + NEAR * extent:
                low, high = min(low, place), max(high, place)
    low, high = low - 0.05 * (high - low or extent), high + 0.05 * (high - low or extent)
    axes.set_xlim(*((math.exp(low), math.exp(high)) if log else (low, high)))
    axes.set_facecolor("none")
    axes.spines[["left"]].set_visible(False)
    axes.yaxis.set_major_locator(NullLocator())
    _ticks(axes, log)
    axes.tick_params(axis="x", labelsize="small", length=3)
    axes.set_xlabel(axis_label(tiers, summary, log), fontsize="small", color=MUTED, labelpad=3)


def _ticks(axes: Axes, log: bool) -> None:
    if not log:
        axes.xaxis.set_major_locator(MaxNLocator(6))
        return
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    few = (1.0,) if high / low >= 300 else (1.0, 3.0) if high / low >= 30 else (1.0, 2.0, 5.0)
    near = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    if high / low >= 1.6:
        axes.xaxis.set_major_locator(LogLocator(subs=few if high / low >= 8 else near))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _heads(page: Axes, tiers: Tiers, summary: DataSummary, layout: _Layout) -> None:
    """What the columns hold."""
    if layout.stacked:
        return
    interval = any(s.interval for s in tiers.standings)
    text = f"{summary.metric.label} (95 %)" if interval else summary.metric.label
    page.text(layout.values, 10, text, ha="right", **SMALL)
    if layout.strip[0] < layout.strip[1]:
        page.text(layout.strip[0], 10, "samples", **SMALL)


def _references(axes: Axes, summary: DataSummary, lines: Sequence[_Line], layout: _Layout) -> None:
    """Lines at the scores of noise and of real images; an arrow where one is out of sight."""
    low, high = axes.get_xlim()
    bottom = lines[-1].top + lines[-1].height if lines else 17.0
    edge = axes.get_yaxis_transform()
    for value, name in marks(summary):
        at = float(axes.transLimits.transform(axes.transScale.transform((value, 0)))[0])
        if low <= value <= high:
            parts = [(14.0, bottom)]
            if layout.stacked:
                parts = [(y - 7, y + 7) for line in lines if line.standing for y in [line.axis]]
            for ends in parts:
                axes.plot([value] * 2, ends, color=MUTED, lw=0.9, ls=(0, (1, 2)), zorder=1)
            side = "left" if at < 0.12 else "right" if at > 0.88 else "center"
            axes.text(at, 10, name, ha=side, transform=edge, **SMALL)
        elif value < low:
            axes.text(0, 10, f"◂ {name}", transform=edge, **SMALL)
        else:
            axes.text(1, 10, f"{name} ▸", ha="right", transform=edge, **SMALL)


def _heading(page: Axes, line: _Line, layout: _Layout) -> None:
    if line.heading:
        bottom = line.top + line.height - 3
        page.text(0, bottom - 4, line.heading, **SMALL)
        page.plot([0, layout.width], [bottom] * 2, color=FAINT, lw=0.7)
    elif line.standing is None:
        middle = line.top + (8 if layout.stacked else line.height / 2)
        page.text(0, middle, "Real images", **(STRONG | {"color": MUTED}))


def _model(page: Axes, axes: Axes, line: _Line, summary: DataSummary, layout: _Layout) -> None:
    """A model's name, number, dot and interval."""
    standing = line.standing
    assert standing is not None
    model = summary.model(standing.model)
    score, ends = value_text(standing)
    middle = {"va": "center"}
    y = line.axis
    if layout.stacked:
        axes.axhline(y, color=GRID, lw=0.8, zorder=0.5)
        page.text(0, line.top + 8, model.label, **STRONG)
        text = f"{score} ({ends})" if ends else score
        page.text(layout.values, line.top + 8, text, ha="right", **(SMALL | middle))
        page.text(0, line.top + 19, line.note, **(SMALL | middle))
    else:
        shift = 5.5 if line.height > 20 else 0.0
        page.text(0, y - (shift if line.note else 0), model.label, **STRONG)
        page.text(layout.values, y - (shift if ends else 0), score, ha="right", **STRONG)
        if shift:
            page.text(0, y + shift, line.note, **(SMALL | middle))
            page.text(layout.values, y + shift, ends, ha="right", **(SMALL | middle))
    _dot(axes, standing, y, model)


def _dot(axes: Axes, standing: Standing, y: float, model: ModelSummary) -> None:
    low, high = axes.get_xlim()
    tint = colour(model.hue)
    if standing.interval is not None:
        ends = [min(max(end, low), high) for end in standing.interval]
        axes.plot(ends, [y, y], color=tint, lw=2.4, solid_capstyle="round", zorder=3)
    if standing.runs:
        others = [t for t in model.tried if not t.failed and t is not model.chosen]
        tests = [trial.test for trial in others]
        (dots,) = axes.plot(tests, [y] * len(tests), "o", ms=4.5, mew=1.1, zorder=3)
        dots.set(mfc=PAPER, mec=tint)
        show_trials(dots, others)
    if standing.score is not None and math.isfinite(standing.score):
        (dot,) = axes.plot([standing.score], [y], "o", color=tint, ms=7.5, mec=PAPER, mew=1.2)
        dot.set_zorder(4)
        if standing.runs and model.chosen is not None:
            show_trials(dot, [model.chosen])


def _samples(page: Axes, line: _Line, layout: _Layout) -> None:
    """A row's samples: below its axis, or beside it."""
    row = line.samples
    assert row is not None
    left, right = layout.strip
    height = right - left if row.points else strip_height(row, right - left)
    top = line.top + (line.height - height) / 2
    if layout.stacked:
        top = line.top + line.height - height - 6
    draw_samples(page, row, left, top, right - left)
