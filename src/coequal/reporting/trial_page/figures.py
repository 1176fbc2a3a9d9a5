"""Losses and signals of one training run."""

import math
import textwrap
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coequal.formatting import number
from coequal.health import Health
from coequal.health.rules import RULES, HealthRule
from coequal.health.signals import NAMES, Signals
from coequal.reporting.axes import whole_numbers
from coequal.reporting.style import (
    BAND,
    FAINT,
    MUTED,
    colour,
    figure_inches,
    plain_ticks,
    wants_log,
)
from coequal.reporting.trial_page.quality import Quality

Numbers = NDArray[np.floating]

PANELS_IN_A_ROW = 3
SMOOTHED_POINTS = 40  # smoothed curves are means over a fortieth of what is drawn
PLAYERS = {"discriminator": "discriminator", "generator": "generator"}
MAX_SENTENCE_LINES = 3  # of a rule's sentence above its panel
LETTERS_IN_A_LINE = 52
VALUE_COLOUR, LIMIT_COLOUR = 0, 1  # colours of what was measured and of what it is held against


def losses(curves: Mapping[str, Numbers], health: Health | None) -> Figure | None:
    """Both players' losses over steps, smoothed over the single values; None without any."""
    drawn = [name for name in PLAYERS if name in curves and np.isfinite(curves[name]).any()]
    if not drawn:
        return None
    figure = Figure(figsize=(figure_inches(), 3.3), layout="constrained")
    axes = figure.subplots()
    everything: list[float] = []
    for place, name in enumerate(PLAYERS):
        if name not in drawn:
            continue
        there = np.isfinite(curves[name])
        steps, values = curves["step"][there], curves[name][there].astype(np.float64)
        axes.plot(steps, values, color=colour(place), lw=0.7, alpha=0.35)
        axes.plot(steps, smoothed(values), color=colour(place), lw=1.9, label=name)
        everything += values.tolist()
    limits(axes, everything, log=False)
    since(axes, health)
    axes.set_xlabel("discriminator steps")
    axes.set_ylabel("loss")
    axes.margins(x=0.01)
    axes.legend(loc="upper right", ncols=2)
    whole_numbers(axes)
    return figure


def scores(quality: Quality) -> Figure | None:
    """The score at every checkpoint with its error, between what real data and noise score; None
    with fewer than two."""
    if len(quality.steps) < 2:
        return None
    figure = Figure(figsize=(figure_inches(), 3.3), layout="constrained")
    axes = figure.subplots()
    ends = 2 * np.nan_to_num(np.array(quality.errors))
    tint = colour(VALUE_COLOUR)
    axes.errorbar(quality.steps, quality.values, ends, color=tint, lw=1.9, marker="o", ms=5)
    lines = {"real data": quality.real, quality.noise_is: quality.noise}
    known = {name: value for name, value in lines.items() if value is not None}
    limits(axes, [*quality.values, *known.values()])
    low, high = axes.get_ylim()
    for name, value in known.items():
        if low <= value <= high:
            axes.axhline(value, color=MUTED, lw=0.9, ls=(0, (1, 2)), zorder=0.8)
            edge = axes.get_yaxis_transform()
            label = f" {name}\n {number(value)}"
            axes.text(1.0, value, label, transform=edge, color=MUTED, va="center", fontsize="small")
    axes.set_xlabel("discriminator steps")
    axes.set_ylabel(quality.metric.label)
    whole_numbers(axes)
    return figure


def smoothed(values: Numbers) -> Numbers:
    """Means over neighbours, fewer of them at the ends."""
    width = max(1, len(values) // SMOOTHED_POINTS)
    weights = np.ones(2 * width + 1)
    total = np.convolve(values, weights, mode="full")[width : width + len(values)]
    count = np.convolve(np.ones(len(values)), weights, mode="full")[width : width + len(values)]
    means: Numbers = total / count
    return means


def rules(signals: Signals, health: Health | None) -> Figure | None:
    """What each rule looks at, with its threshold and the range of healthy runs; None before the
    first probe."""
    if not len(signals):
        return None
    figure, grid = panels(len(RULES), 2.3)
    for axes, rule in zip(grid, RULES, strict=True):
        _rule(axes, rule, signals)
        since(axes, health)
    return figure


def everything(signals: Signals) -> Figure | None:
    """Every signal that was seen; None before the first probe."""
    seen = [name for name in NAMES[1:] if np.isfinite(signals[name]).any()]
    if not seen:
        return None
    figure, grid = panels(len(seen), 1.85)
    for axes, name in zip(grid, seen, strict=True):
        values = np.where(np.isfinite(signals[name]), signals[name], np.nan)
        there = np.isfinite(values)
        axes.plot(signals["step"][there], values[there], color=colour(VALUE_COLOUR), lw=1.4)
        limits(axes, values[there].tolist())
        axes.set_title(name.replace("_", " "), loc="left")
    return figure


def since(axes: Axes, health: Health | None) -> None:
    """A line at the step since when the verdict holds."""
    if health is not None and health.failed and health.step is not None:
        axes.axvline(health.step, color=MUTED, lw=1.0, ls=(0, (1, 2)), zorder=0.9)


def _rule(axes: Axes, rule: HealthRule, signals: Signals) -> None:
    steps, threshold = signals["step"], rule.threshold
    values = rule.value(signals)
    values = np.where(np.isfinite(values), values, np.nan)
    applies, holds = rule.applies(signals), rule.holds(signals)
    low, high = threshold.healthy
    axes.axhspan(low, high, color=BAND, lw=0, zorder=0.5)
    axes.axhline(threshold.at, color=colour(LIMIT_COLOUR), lw=1.1, dashes=(4, 2), zorder=2)
    axes.plot(steps, values, color=FAINT, lw=1.4, zorder=2.5)
    axes.plot(
        steps, np.where(applies, values, np.nan), color=colour(VALUE_COLOUR), lw=1.6, zorder=3
    )
    fires = np.where(holds, values, np.nan)
    axes.plot(steps, fires, color=colour(LIMIT_COLOUR), lw=2.4, marker="o", ms=2.5, zorder=4)
    finite = values[np.isfinite(values)].tolist()
    limits(axes, [*finite, threshold.at])
    title = f"{rule.verdict} {threshold.side} {threshold.at:g}".replace("_", " ")
    axes.set_title(title, loc="left", fontweight="bold", pad=MAX_SENTENCE_LINES * 11)
    text = "\n".join(
        textwrap.wrap(
            rule.sentence, LETTERS_IN_A_LINE, max_lines=MAX_SENTENCE_LINES, placeholder=" ..."
        )
    )
    sentence = axes.text(
        0, 1.02, text, transform=axes.transAxes, fontsize=6.8, color=MUTED, va="bottom"
    )
    sentence.set_in_layout(False)  # the title's distance has made room for it
    if not finite:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, color=MUTED, ha="center")


def panels(count: int, height: float, columns: int = PANELS_IN_A_ROW) -> tuple[Figure, list[Axes]]:
    """Panels that share their steps and nothing else.

    Args:
        count: number of panels.
        height: of each, in inches.
        columns: panels in a row.

    Returns:
        The figure and its panels, row after row.
    """
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(figure_inches(), 0.3 + height * rows), layout="constrained")
    listed = list(figure.subplots(rows, columns, squeeze=False, sharex=True).flat)
    for place, axes in enumerate(listed):
        if place >= count:
            axes.set_axis_off()
            continue
        axes.tick_params(labelbottom=place + columns >= count, labelsize="small")
        axes.margins(x=0.01)
        whole_numbers(axes)
    figure.supxlabel("discriminator steps")
    return figure, listed[:count]


def limits(axes: Axes, values: list[float], log: bool | None = None) -> None:
    """Limit the y axis to almost all values: a few far ones must not flatten the rest.

    Args:
        axes: whose axis it is.
        values: that are drawn; those that are not finite are left out.
        log: whether the axis is logarithmic; None: if that serves the values.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return
    low, high = np.quantile(finite, (0.002, 0.998)).tolist() if len(finite) > 500 else (0, 0)
    if len(finite) <= 500:
        low, high = min(finite), max(finite)
    logarithmic = wants_log([low, high]) if log is None else log
    if logarithmic:
        axes.set_ylim(low / 1.3, high * 1.3)
    else:
        margin = 0.08 * ((high - low) or abs(high) or 1.0)
        axes.set_ylim(low - margin, high + margin)
    plain_ticks(axes, logarithmic)
