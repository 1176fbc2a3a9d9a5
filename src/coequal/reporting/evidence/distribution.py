"""Every setting of the search."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import number
from coequal.reporting.axes import (
    RASTER_FROM_SETTINGS,
    SMALL_DOTS_FROM_SETTINGS,
    crosses,
    failed_band,
    model_ticks,
    reference_lines,
    star,
    turned,
    y_axis,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import by_model
from coequal.reporting.evidence._nothing import one_setting
from coequal.reporting.marks import show_model, show_trials
from coequal.reporting.setting_text import score_text
from coequal.reporting.style import MUTED, colour, figure_size


def how_to_read(summary: DataSummary) -> str:
    """Every setting."""
    floor = ""
    if summary.floor is not None:
        cap = ""
        if summary.cap is not None:
            worst = summary.cap == summary.metric.info.worst
            cap = f", {'the worst possible is' if worst else 'noise'} {number(summary.cap)}"
        floor = f" Held-out real images score {number(summary.floor)}{cap}."
    return (
        f"Each dot is one setting's test {summary.metric.label}, from left to right in the order "
        "drawn. ★ is the authors' setting, which is not a random draw. A ring marks the setting "
        "chosen on validation, a grey bar the median of the draws, and × at the top edge a "
        f"failure.{floor}"
    )


def figure(summary: DataSummary) -> Figure | None:
    """Every setting of every model, failures at the top edge; None without results."""
    models = [model for model in summary.ranked if model.tried]
    if not models:
        return None
    values = [s.test for m in models for s in m.tried if not s.failed]
    figure = Figure(figsize=figure_size(5.0 if turned(models) else 4.4), layout="constrained")
    axes = figure.add_subplot()
    y_axis(axes, values or [0.0, 1.0], head=0.14)
    reference_lines(axes, summary)
    if any(s.failed for m in models for s in m.tried):
        failed_band(axes)
    for column, model in enumerate(models):
        _settings(axes, model, column)
    model_ticks(axes, models)
    axes.set_ylabel(f"test {summary.metric.label}")
    return figure


def _settings(axes: Axes, model: ModelSummary, column: int) -> None:
    authors = model.authors
    shown = (*((authors,) if authors else ()), *model.settings)
    tint, count = colour(model.hue), len(shown)
    xs = {
        s.trial: column + 0.52 * (place / max(1, count - 1) - 0.5) if count > 1 else column
        for place, s in enumerate(shown)
    }
    plain = [s for s in model.ended if not s.failed]
    size = 6 if count <= SMALL_DOTS_FROM_SETTINGS else 4
    crowd = count > RASTER_FROM_SETTINGS
    if plain:
        (dots,) = axes.plot([xs[s.trial] for s in plain], [s.test for s in plain], "o", color=tint)
        show_trials(dots, plain)
        dots.set(
            ms=size, mec="white", mew=0.6 if count <= SMALL_DOTS_FROM_SETTINGS else 0.3, zorder=3
        )
        if crowd:
            dots.set(ms=1.5, mew=0, alpha=0.4, rasterized=True)
    crosses(axes, [(xs[s.trial], s) for s in model.tried if s.failed], tint, size, crowd)
    if authors is not None and authors.has_result and not authors.failed:
        star(axes, xs[authors.trial], authors.test, model)
    if model.chosen is not None:
        ring = [xs[model.chosen.trial]], [model.chosen.test]
        (drawn,) = axes.plot(*ring, "o", mfc="none", mec=tint, mew=1.1, ms=14, zorder=2)
        show_trials(drawn, [model.chosen])
    if math.isfinite(model.median):
        ends = [column - 0.34, column + 0.34]
        (bar,) = axes.plot(ends, [model.median] * 2, color=MUTED, lw=1.2, zorder=1)
        show_model(bar, model)


def in_numbers(summary: DataSummary) -> str:
    """Median, chosen setting and failures of each model."""

    def says(model: ModelSummary) -> str:
        if model.chosen is None:
            return f"all {len(model.tried)} failed"
        failed = f", {len(model.failures)} of {len(model.ended)} failed" if model.failures else ""
        return f"median {number(model.median)}, chosen {score_text(model)}{failed}"

    return by_model(summary, lambda model: says(model) if model.tried else "")


EVIDENCE = Evidence[DataSummary](
    name="distribution",
    group=Group.SEARCH,
    place=50,
    open=True,
    title=lambda summary: f"Distribution of {summary.metric.label} over settings",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=in_numbers,
    nothing=one_setting,
)
