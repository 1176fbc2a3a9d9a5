"""What several figures share: axes around values, reference lines, names at the ends of lines."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.metric import NamedMetric
from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import TrialSummary
from coequal.formatting import number
from coequal.reporting.marks import show_model, show_trials
from coequal.reporting.style import (
    BAND,
    INK,
    MUTED,
    PAGE_INCHES,
    colour,
    figure_inches,
    figure_size,
    marker,
    plain_ticks,
    spread,
    wants_log,
)

LABEL_HEIGHT_INCHES = 0.165
LETTER_WIDTH_INCHES = 0.074
PANELS_IN_A_ROW = 4
NARROWEST_NAME_INCHES = 0.2  # a model's column, below which names stand upright
LETTERS_IN_A_ROW = 8.8  # of names below an axis, for each inch of a figure
NARROWEST_PANEL_INCHES = 1.6  # of which a row has fewer panels

SMALL_DOTS_FROM_SETTINGS = 40  # settings from which dots are smaller,
RASTER_FROM_SETTINGS = 400  # and from which they are drawn as pixels, for a small file
LOG_AXIS_FROM_SETTINGS = 20  # settings from which the axis of n is logarithmic


def y_axis(axes: Axes, values: Sequence[float], *, head: float = 0.06) -> None:
    """Limits around `values`, with a fraction `head` of the height free above."""
    log = wants_log(values)
    if log:
        low, high = math.log(min(values)), math.log(max(values))
    else:
        low, high = min(values), max(values)
    extent = (high - low) or abs(high) or 1.0
    height = extent / (1 - head - 0.06)
    bottom, top = low - 0.06 * height, high + head * height
    axes.set_ylim((math.exp(bottom), math.exp(top)) if log else (bottom, top))
    plain_ticks(axes, log)


def reference_lines(axes: Axes, summary: DataSummary) -> None:
    """What noise (or the worst images possible) and real images score, where it fits."""
    low, high = axes.get_ylim()
    cap = "noise (cap)" if summary.cap != summary.metric.info.worst else "worst possible (cap)"
    for value, name in ((summary.cap, cap), (summary.floor, "real images (floor)")):
        if value is not None and low <= value <= high:
            axes.axhline(value, color=MUTED, lw=0.9, ls=(0, (1, 2)), zorder=0.8)
            label = f" {name}\n {number(value)}"
            edge = axes.get_yaxis_transform()
            axes.text(1.0, value, label, transform=edge, color=MUTED, va="center", fontsize="small")


def model_ticks(axes: Axes, models: Sequence[ModelSummary]) -> None:
    """A column for each model, names turned where they are long."""
    axes.set_xlim(-0.6, len(models) - 0.4)
    axes.xaxis.grid(False)
    axes.set_xticks(range(len(models)), [model.label for model in models])
    for label, model in zip(axes.get_xticklabels(), models, strict=True):
        show_model(label, model)
    if figure_inches() < NARROWEST_NAME_INCHES * len(models):
        axes.tick_params(axis="x", rotation=90)
    elif turned(models):
        axes.tick_params(axis="x", rotation=30)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
    axes.tick_params(axis="x", length=0)


def turned(models: Sequence[ModelSummary]) -> bool:
    """Whether the names need more than a line's width."""
    return sum(len(model.label) for model in models) > LETTERS_IN_A_ROW * figure_inches()


def panels(count: int, *, height: float = 2.1) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each of `count`, sharing their axes."""
    most = max(1, min(PANELS_IN_A_ROW, int(figure_inches() / NARROWEST_PANEL_INCHES)))
    columns = min(most, count)
    rows = math.ceil(count / columns)
    height *= min(1.0, figure_inches() / most / (PAGE_INCHES / PANELS_IN_A_ROW))
    figure = Figure(figsize=(figure_inches(), 0.5 + height * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    listed = list(grid.flat)
    for place, axes in enumerate(listed):
        if place >= count:
            axes.set_axis_off()
            continue
        axes.tick_params(labelbottom=place + columns >= count, labelleft=place % columns == 0)
    return figure, listed[:count]


def whole_numbers(axes: Axes) -> None:
    """Steps or settings on the x axis."""
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def panel_title(axes: Axes, model: ModelSummary) -> None:
    """The model's name. It has no colour of its own: the light ones can't be read as text."""
    title = axes.set_title(model.label, loc="left", color=INK, fontweight="bold")
    show_model(title, model)


def ends_with_names(
    figure: Figure,
    axes: Axes,
    ends: Sequence[tuple[float, float]],
    models: Sequence[ModelSummary],
    labels: Sequence[str],
) -> None:
    """Write each line's name at its end, moved apart where they would touch; a thin leader has
    the line's colour."""
    height = axes.get_position().height * figure.get_figheight()
    inverse = axes.transAxes.inverted()
    points = [inverse.transform(axes.transData.transform(end)) for end in ends]
    heights = spread([float(y) for _, y in points], LABEL_HEIGHT_INCHES / height, 0.0, 1.0)
    for (x, y), at, label, model in zip(points, heights, labels, models, strict=True):
        leader = [float(x) + 0.012, 1.03], [float(y), at]
        tint = colour(model.hue)
        axes.plot(*leader, transform=axes.transAxes, color=tint, lw=0.8, clip_on=False, zorder=1)
        name = axes.text(1.04, at, label, transform=axes.transAxes, color=INK, va="center")
        show_model(name, model)


def with_margin(models: Sequence[ModelSummary], labels: Sequence[str]) -> tuple[Figure, Axes]:
    """A figure with room on the right for a label per model."""
    whole = figure_inches()
    height = max(figure_size(4.2)[1], 1.1 + LABEL_HEIGHT_INCHES * 1.25 * len(models))
    figure = Figure(figsize=(whole, height))
    margin = 0.45 + LETTER_WIDTH_INCHES * max(len(label) for label in labels)
    width = max(0.35 * whole, whole - 0.75 - margin)
    axes = figure.add_axes((0.75 / whole, 0.5 / height, width / whole, 1 - 0.75 / height))
    return figure, axes


def hollow(axes: Axes, x: float, y: float, model: ModelSummary, size: float = 6.5) -> None:
    """A model's own marker, open: a named point that is not part of a line."""
    (last,) = axes.plot([x], [y], ls="", marker=marker(model.index), ms=size)
    last.set(mfc="white", mec=colour(model.hue), mew=1.5, clip_on=False, zorder=4)
    show_model(last, model)


def star(axes: Axes, x: float, y: float, model: ModelSummary) -> None:
    """A model's authors' setting."""
    (drawn,) = axes.plot([x], [y], "*", color=colour(model.hue), ms=12)
    drawn.set(mec=INK, mew=0.7, clip_on=False, zorder=4)
    if model.authors is not None:
        show_trials(drawn, [model.authors])


def end_label(model: ModelSummary, value: float) -> str:
    """A model, its value, and how many of its settings failed."""
    if model.chosen is None:
        return f"{model.label}  all {len(model.tried)} failed"
    failed = f"  ({len(model.failures)} of {len(model.ended)} failed)" if model.failures else ""
    return f"{model.label}  {number(value, model.score_error())}{failed}"


def expected(metric: NamedMetric) -> str:
    """The y axis of every best-of-n figure."""
    return f"expected test {metric.label} of the best"


def crosses(
    axes: Axes,
    failed: Sequence[tuple[float, TrialSummary]],
    tint: str,
    size: float,
    pixels: bool = False,
) -> None:
    """Failed runs, as crosses at the top edge, each at its x."""
    if not failed:
        return
    edge = axes.get_xaxis_transform()
    xs, trials = zip(*failed, strict=True)
    ys = [0.96] * len(xs)
    (drawn,) = axes.plot(xs, ys, "x", transform=edge, color=tint, ms=size, mew=1.4, clip_on=False)
    show_trials(drawn, trials)
    drawn.set_rasterized(pixels)


def failed_band(axes: Axes) -> None:
    """A band at the top edge for failed runs."""
    band = Rectangle((0, 0.92), 1, 0.08, transform=axes.transAxes, color=BAND, lw=0)
    axes.add_patch(band).set_zorder(0.5)
    axes.text(1.004, 0.96, "failed", transform=axes.transAxes, color=MUTED, va="center")


def ticks_within_decade(extent: float) -> tuple[float, ...]:
    """Ticks within a power of ten: fewer where labels would touch each other."""
    return (1.0,) if extent >= 1000 else (1.0, 2.0, 5.0)


def settings_axis(axes: Axes, settings: int, right: float) -> None:
    """The x axis of n settings, from 1 to `right`, logarithmic if there are many `settings`."""
    if settings >= LOG_AXIS_FROM_SETTINGS:
        axes.set_xscale("log")
        axes.set_xlim(0.93, right * 1.08)
        axes.xaxis.set_major_locator(LogLocator(subs=ticks_within_decade(right)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        return
    margin = 0.03 * max(1, right - 1)
    axes.set_xlim(1 - margin, right + margin)
    axes.set_xticks(range(1, int(right) + 1))
