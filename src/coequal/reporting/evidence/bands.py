"""The expected best of n settings with its intervals, a panel for each model."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coequal.analysis.budget_curves import BudgetPoint
from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import number
from coequal.reporting.axes import (
    expected,
    panel_title,
    panels,
    settings_axis,
    y_axis,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import ends_of_curves
from coequal.reporting.evidence._nothing import no_curve
from coequal.reporting.evidence.best_of_n import line, xy
from coequal.reporting.marks import show_model, show_trials
from coequal.reporting.style import FAINT, colour


def how_to_read(summary: DataSummary) -> str:
    """The curves with intervals."""
    bound = "" if summary.bound is None else f" ({number(summary.bound)})"
    return (
        "The expected best of n and its interval, one panel per model. The shaded band is the 95 % "
        "interval over the draw of settings (spacings method, which covers 95 % or more). Where "
        f"the line is dashed, the better end of the band rests on the metric's own bound{bound}. "
        "Grey lines are the other models; the dotted line is the authors' setting."
    )


def figure(summary: DataSummary) -> Figure | None:
    """A panel for each model with its interval; None if there are none."""
    models = [m for m in summary.ranked if m.name in summary.curves]
    drawn = {m.name: summary.curves[m.name].points for m in models}
    if not any(point.low is not None for points in drawn.values() for point in points):
        return None
    figure, axes = panels(len(models))
    ends = [e for points in drawn.values() for p in points for e in (p.low, p.high) if e]
    y_axis(axes[0], [*ends, *(p.expected for points in drawn.values() for p in points)])
    most = max(summary.curves[m.name].settings for m in models)
    settings_axis(axes[0], most, most / 2)
    for panel, model in zip(axes, models, strict=True):
        for other in models:
            if other is not model:
                few = drawn[other.name][:: 1 + len(drawn[other.name]) // 12]
                (faint,) = panel.plot(*xy(few), color=FAINT, lw=1, zorder=1)
                show_model(faint, other)
        _band(panel, drawn[model.name], model)
        line(panel, summary.curves[model.name], model)
        if model.authors is not None and math.isfinite(model.authors.test):
            tint = colour(model.hue)
            level = panel.axhline(model.authors.test, color=tint, lw=0.9, ls=(0, (1, 2)))
            show_trials(level, [model.authors])
        panel_title(panel, model)
    figure.supxlabel("n: number of settings tried")
    figure.supylabel(f"{expected(summary.metric)} of n")
    return figure


def nothing(summary: DataSummary) -> str:
    """Why no curve has an interval."""
    if few := no_curve(summary):
        return few
    if any(p.low is not None for c in summary.curves.values() for p in c.points):
        return ""
    if not summary.curves:
        return ""
    if summary.cap is None:
        return "No cap was declared, so the worse end is unknown."
    if summary.bound is None:
        return f"{summary.metric.label} has no known best possible value."
    return (
        "Beyond n/B = 0.5 (half of the settings), there are fewer than two independent draws of n "
        "settings."
    )


def _band(axes: Axes, points: Sequence[BudgetPoint], model: ModelSummary) -> None:
    known = [p for p in points if p.low is not None and p.high is not None]
    low = np.array([p.low for p in known], dtype=float)
    high = np.array([p.high for p in known], dtype=float)
    bottom = axes.get_ylim()[0]
    xs = [p.budget for p in known]
    tint = colour(model.hue)
    band = axes.fill_between(
        xs, np.maximum(low, bottom), high, color=tint, alpha=0.18, lw=0, zorder=2
    )
    show_model(band, model)
    if len(known) == 1:
        ends = [max(low[0], bottom), high[0]]
        (bar,) = axes.plot([xs[0]] * 2, ends, color=tint, alpha=0.4, lw=5)
        show_model(bar, model)


EVIDENCE = Evidence[DataSummary](
    name="bands",
    group=Group.SEARCH,
    place=70,
    title="Best of n, with intervals",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=lambda summary: ends_of_curves(summary, summary.curves),
    nothing=nothing,
)
