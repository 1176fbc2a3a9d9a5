"""The expected best within a budget of cost."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

from coequal.analysis.budget_curves import CostCurve
from coequal.analysis.data_summary import DataSummary
from coequal.reporting.axes import (
    expected,
    ticks_within_decade,
    y_axis,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import ends_of_curves
from coequal.reporting.evidence._nothing import no_curve
from coequal.reporting.evidence.best_of_n import xy
from coequal.reporting.marks import show_model
from coequal.reporting.style import colour, figure_size
from coequal.reporting.table import Record


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the curves against cost."""
    return (
        f"The test {summary.metric.label} to expect from a search at a given training cost. Each "
        "line is the expected value of the best setting among those that a search finishes within "
        "that cost, with settings tried in random order and failed ones charged for what they "
        "spent. The line ends at half of what the model's whole search spent. Its intervals are "
        "approximate (they are in cost_curves.csv, and shaded for up to four models)."
    )


def figure(summary: DataSummary) -> Figure | None:
    """The expected best within a budget of FLOPs and of seconds; None without costs."""
    units = {unit: curves for unit, curves in summary.cost_curves.items() if curves}
    if not units:
        return None
    figure = Figure(figsize=figure_size(4.4), layout="constrained")
    grid = figure.subplots(1, len(units), sharey=True, squeeze=False)
    values = [p.expected for found in units.values() for c in found.values() for p in c.points]
    y_axis(grid[0, 0], values)
    for axes, (unit, found) in zip(grid.flat, units.items(), strict=True):
        _cost_panel(axes, unit, found, summary)
    grid[0, 0].set_ylabel(expected(summary.metric))
    shown = [m for m in summary.ranked if any(m.name in found for found in units.values())]
    labels: dict[str, int | None] = {m.label: m.hue for m in shown if m.hue is not None}
    if len(labels) < len(shown):
        labels["other models"] = None
    handles = [grid[0, 0].plot([], [], color=colour(hue), lw=2)[0] for hue in labels.values()]
    figure.legend(handles, list(labels), loc="outside lower center", ncols=min(6, len(labels)))
    return figure


def refusal(summary: DataSummary) -> str:
    """Why no curve against cost is drawn."""
    if any(summary.cost_curves.values()):
        return ""
    return (
        "Not drawn: this needs a declared cap and, for each model, at least two settings with a "
        "known cost."
    )


def cost_curves(summary: DataSummary) -> list[Record]:
    """A row for each model, unit and budget."""
    return [
        {
            "data": summary.data,
            "metric": summary.metric.name,
            "model": name,
            "unit": unit,
            "budget": point.budget,
            "search_total": curve.total,
            "expected_best": point.expected,
            "expected_best_low": point.low,
            "expected_best_high": point.high,
        }
        for unit, by_model in summary.cost_curves.items()
        for name, curve in by_model.items()
        for point in curve.points
    ]


def _cost_panel(
    axes: Axes, unit: str, found: Mapping[str, CostCurve], summary: DataSummary
) -> None:
    for name, curve in found.items():
        model = summary.model(name)
        tint = colour(model.hue)
        above = 3 if model.hue is None else 3.5  # grey lines hide none with a colour
        (line,) = axes.plot(*xy(curve.points), color=tint, lw=1.7, zorder=above)
        show_model(line, model)
        known = [p for p in curve.points if p.low is not None and p.high is not None]
        low = np.array([p.low for p in known], dtype=float)
        high = np.array([p.high for p in known], dtype=float)
        xs = [p.budget for p in known]
        if len(found) <= 4:
            low = np.maximum(low, axes.get_ylim()[0])
            band = axes.fill_between(xs, low, high, color=tint, alpha=0.13, lw=0, zorder=2)
            show_model(band, model)
    axes.set_xscale("log")
    budgets = [point.budget for curve in found.values() for point in curve.points]
    axes.xaxis.set_major_locator(LogLocator(subs=ticks_within_decade(max(budgets) / min(budgets))))
    plain_numbers = FuncFormatter(lambda value, _: f"{value:,g}")
    axes.xaxis.set_major_formatter(EngFormatter() if unit == "flops" else plain_numbers)
    axes.xaxis.set_minor_formatter(NullFormatter())
    name = "FLOPs" if unit == "flops" else unit
    axes.set_xlabel(f"{name} spent on training, all settings tried together")


def in_numbers(summary: DataSummary) -> str:
    """Where each curve ends."""
    return ". ".join(
        f"{unit}: {ends_of_curves(summary, curves)}"
        for unit, curves in summary.cost_curves.items()
        if curves
    )


EVIDENCE = Evidence[DataSummary](
    name="cost",
    group=Group.SEARCH,
    place=80,
    title="Best within a budget of FLOPs or seconds",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=in_numbers,
    wide=True,
    refusal=refusal,
    csv={"cost_curves": cost_curves},
    nothing=no_curve,
)
