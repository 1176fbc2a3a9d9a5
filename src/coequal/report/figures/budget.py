"""The best of n settings: against n, with bands, against cost, in ranks, and of F1."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from coequal.analysis.budget_curves import CostCurve, Curve, Point
from coequal.analysis.metric import Metric
from coequal.analysis.model import ModelSummary
from coequal.analysis.source import BESIDE
from coequal.analysis.summary import DataSummary
from coequal.report.axes import (
    WIDTH,
    _n_axis,
    _subs,
    end_label,
    ends_with_names,
    expected,
    hollow,
    panel_title,
    panels,
    with_margin,
    y_axis,
)
from coequal.report.style import FAINT, MUTED, colour


def best_of_n(summary: DataSummary) -> Figure | None:
    """Every model's curve in one picture; None if no model has a curve."""
    return _overview(summary, summary.curves, summary.metric)


def f1(summary: DataSummary) -> Figure | None:
    """The same of F1; None where it was not measured."""
    if BESIDE not in summary.metrics:
        return None
    return _overview(summary, summary.f1_curves, summary.metrics[BESIDE])


def bands(summary: DataSummary) -> Figure | None:
    """A panel for each model with its interval; None if there are none."""
    models = [m for m in summary.ranked if m.name in summary.curves]
    drawn = {m.name: summary.curves[m.name].points for m in models}
    if not any(point.low is not None for points in drawn.values() for point in points):
        return None
    figure, axes = panels(len(models))
    ends = [e for points in drawn.values() for p in points for e in (p.low, p.high) if e]
    y_axis(axes[0], [*ends, *(p.expected for points in drawn.values() for p in points)])
    most = max(summary.curves[m.name].settings for m in models)
    _n_axis(axes[0], most, most / 2)
    for panel, model in zip(axes, models, strict=True):
        for other in models:
            if other is not model:
                few = drawn[other.name][:: 1 + len(drawn[other.name]) // 12]
                panel.plot(*_xy(few), color=FAINT, lw=1, zorder=1)
        _band(panel, drawn[model.name], model)
        _line(panel, summary.curves[model.name], model)
        panel_title(panel, model)
    figure.supxlabel("n: number of settings tried", fontsize=9)
    figure.supylabel(f"{expected(summary.metric)} of n", fontsize=9)
    return figure


def cost(summary: DataSummary) -> Figure | None:
    """The expected best within a budget of FLOPs and of seconds; None without costs."""
    units = {unit: curves for unit, curves in summary.cost_curves.items() if curves}
    if not units:
        return None
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    grid = figure.subplots(1, len(units), sharey=True, squeeze=False)
    values = [p.expected for found in units.values() for c in found.values() for p in c.points]
    y_axis(grid[0, 0], values)
    for axes, (unit, found) in zip(grid.flat, units.items(), strict=True):
        _cost_panel(axes, unit, found, summary)
    grid[0, 0].set_ylabel(expected(summary.metric))
    shown = [m for m in summary.ranked if any(m.name in found for found in units.values())]
    handles = [grid[0, 0].plot([], [], color=colour(m.index), lw=2)[0] for m in shown]
    labels = [m.label for m in shown]
    figure.legend(handles, labels, loc="outside lower center", ncols=min(6, len(shown)))
    return figure


def ranks(summary: DataSummary) -> Figure | None:
    """Rank by expected best at every budget; None where there is nothing to rank."""
    found = summary.ranks
    if found is None or len(found.budgets) < 2:
        return None
    models = [summary.model(name) for name in found.models]
    labels = [model.label for model in models]
    figure, axes = with_margin(models, labels)
    axes.set_ylim(len(models) + 0.5, 0.5)
    axes.set_yticks(range(1, len(models) + 1))
    _n_axis(axes, max(found.budgets) * 2, max(found.budgets))
    for model, places in zip(models, found.ranks, strict=True):
        axes.plot(found.budgets, places, color=colour(model.index), lw=1.8)
    ends = [(found.budgets[-1], places[-1]) for places in found.ranks]
    ends_with_names(figure, axes, ends, models, labels)
    axes.set_xlabel("n: number of settings tried")
    axes.set_ylabel("rank by expected best (1 is best)")
    return figure


def _overview(summary: DataSummary, curves: Mapping[str, Curve], metric: Metric) -> Figure | None:
    models = sorted(
        (m for m in summary.models if m.name in curves),
        key=lambda m: (metric.cost(curves[m.name].observed), m.index),
    )
    if not models:
        return None
    labels = [end_label(model, curves[model.name].observed) for model in models]
    figure, axes = with_margin(models, labels)
    most = max(curves[m.name].settings for m in models)
    _n_axis(axes, most, most)
    values = [p.expected for m in models for p in curves[m.name].points]
    y_axis(axes, [*values, *(curves[m.name].observed for m in models)])
    for model in models:
        curve = curves[model.name]
        _line(axes, curve, model)
        hollow(axes, curve.settings, curve.observed, model.index)
    axes.set_xlabel("n: number of settings tried")
    axes.text(1.04, 1.03, "observed best", transform=axes.transAxes, color=MUTED, fontsize=8)
    axes.set_ylabel(f"{expected(metric)} of n")
    ends = [(curves[m.name].settings, curves[m.name].observed) for m in models]
    ends_with_names(figure, axes, ends, models, labels)
    return figure


def _line(axes: Axes, curve: Curve, model: ModelSummary) -> None:
    """Solid where the data bound the interval on both sides, dashed to half of the settings."""
    tint = colour(model.index)
    solid = [p for p in curve.points if curve.solid(p)]
    rest = curve.points[max(0, len(solid) - 1) :]
    dot = "o" if len(curve.points) <= 10 else ""
    axes.plot(*_xy(solid), color=tint, lw=1.9, zorder=3, marker=dot, ms=3.5)
    axes.plot(*_xy(rest), color=tint, lw=1.3, dashes=(3, 2), zorder=3, marker=dot, ms=3.5)


def _band(axes: Axes, points: Sequence[Point], model: ModelSummary) -> None:
    known = [p for p in points if p.low is not None and p.high is not None]
    low = np.array([p.low for p in known], dtype=float)
    high = np.array([p.high for p in known], dtype=float)
    bottom = axes.get_ylim()[0]
    xs = [p.budget for p in known]
    tint = colour(model.index)
    axes.fill_between(xs, np.maximum(low, bottom), high, color=tint, alpha=0.18, lw=0, zorder=2)
    if len(known) == 1:
        axes.plot([xs[0]] * 2, [max(low[0], bottom), high[0]], color=tint, alpha=0.4, lw=5)


def _cost_panel(
    axes: Axes, unit: str, found: Mapping[str, CostCurve], summary: DataSummary
) -> None:
    for name, curve in found.items():
        model = summary.model(name)
        tint = colour(model.index)
        axes.plot(*_xy(curve.points), color=tint, lw=1.7, zorder=3)
        known = [p for p in curve.points if p.low is not None and p.high is not None]
        low = np.array([p.low for p in known], dtype=float)
        high = np.array([p.high for p in known], dtype=float)
        xs = [p.budget for p in known]
        if len(found) <= 4:
            low = np.maximum(low, axes.get_ylim()[0])
            axes.fill_between(xs, low, high, color=tint, alpha=0.13, lw=0, zorder=2)
    axes.set_xscale("log")
    budgets = [point.budget for curve in found.values() for point in curve.points]
    axes.xaxis.set_major_locator(LogLocator(subs=_subs(max(budgets) / min(budgets))))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _with_prefix(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    name = "FLOPs" if unit == "flops" else unit
    axes.set_xlabel(f"{name} spent on training, all settings tried together")


def _with_prefix(value: float) -> str:
    """A cost in short: 2 T for 2e12."""
    for size, prefix in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= size:
            return f"{value / size:g} {prefix}"
    return f"{value:,g}"


def _xy(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [p.budget for p in points], [p.expected for p in points]
