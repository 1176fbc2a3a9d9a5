"""The expected best of n settings, all models in one figure."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coequal.analysis.budget_curves import BudgetCurve, BudgetPoint
from coequal.analysis.data_summary import DataSummary
from coequal.analysis.metric import NamedMetric
from coequal.analysis.model import ModelSummary
from coequal.formatting import number, percent
from coequal.reporting.axes import (
    end_label,
    ends_with_names,
    expected,
    hollow,
    settings_axis,
    star,
    with_margin,
    y_axis,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import ends_of_curves
from coequal.reporting.evidence._nothing import no_curve
from coequal.reporting.marks import show_model
from coequal.reporting.style import MUTED, colour
from coequal.reporting.table import Record


def how_to_read(summary: DataSummary) -> str:
    """The curves of all models."""
    label = summary.metric.label
    cap, verdict = summary.cap, summary.verdict
    share = 0.0 if verdict is None else verdict.rules.share
    scored = (
        f"the best {percent(share)} of the settings count with the score of a fresh seed"
        if share
        else (
            "with one run per setting, so the values are slightly too good; fresh seeds would show "
            "by how much"
        )
    )
    failure = "excluding its model" if cap is None else f"counting as the cap of {number(cap)}"
    return (
        f"The test {label} to expect from a search of n random settings. Each line is the expected "
        f"value of the best of n random settings, chosen by validation ({scored}), with a failure "
        f"{failure}. The line is solid up to n/B = 0.19, dashed up to 0.5 (at least two "
        "independent draws of n settings), and not drawn beyond. The open marker is the value that "
        "the whole search observed. ★ is the authors' setting, which is not a random draw and is "
        "part of no curve."
    )


def figure(summary: DataSummary) -> Figure | None:
    """Every model's curve in one picture; None if no model has a curve."""
    authors = {m.name: m.authors.test for m in summary.models if m.authors}
    return overview(summary, summary.curves, summary.metric, authors)


def refusal(summary: DataSummary) -> str:
    """Why some models have no curve."""
    few = [m.title for m in summary.models if m.tried and len(m.ended) < 2]
    if few:
        return f"No curve for {', '.join(few)}: a curve needs at least two random settings."
    without = [m.title for m in summary.models if m.ended and m.name not in summary.curves]
    if without:
        return (
            f"No curve for {', '.join(without)}: there are failures, and no cap was declared for "
            "them to count as, so there is no mean."
        )
    return ""


def budget_curves(summary: DataSummary) -> list[Record]:
    """A row for each model and number of settings, and one for what the whole search found."""
    return curve_records(summary, summary.curves, summary.metric.name)


def overview(
    summary: DataSummary,
    curves: Mapping[str, BudgetCurve],
    metric: NamedMetric,
    authors: Mapping[str, float] | None = None,
) -> Figure | None:
    """The curves of all models in one figure; None without any.

    Args:
        summary: of the dataset.
        curves: by model.
        metric: that they are of.
        authors: by model, the value of its authors' setting; NaN is not drawn.
    """
    models = sorted(
        (m for m in summary.models if m.name in curves),
        key=lambda m: (metric.cost(curves[m.name].observed), m.index),
    )
    if not models:
        return None
    labels = [end_label(model, curves[model.name].observed) for model in models]
    figure, axes = with_margin(models, labels)
    most = max(curves[m.name].settings for m in models)
    settings_axis(axes, most, most)
    values = [p.expected for m in models for p in curves[m.name].points]
    given = authors or {}
    own = {m.name: given[m.name] for m in models if math.isfinite(given.get(m.name, math.nan))}
    y_axis(axes, [*values, *(curves[m.name].observed for m in models), *own.values()])
    for model in models:
        curve = curves[model.name]
        if model.name in own:
            star(axes, 1, own[model.name], model)
        line(axes, curve, model)
        hollow(axes, curve.settings, curve.observed, model)
    axes.set_xlabel("n: number of settings tried")
    axes.text(1.04, 1.03, "observed best", transform=axes.transAxes, color=MUTED, fontsize="small")
    axes.set_ylabel(f"{expected(metric)} of n")
    ends = [(curves[m.name].settings, curves[m.name].observed) for m in models]
    ends_with_names(figure, axes, ends, models, labels)
    return figure


def line(axes: Axes, curve: BudgetCurve, model: ModelSummary) -> None:
    """Solid where the data bound the interval on both sides, dashed to half of the settings."""
    tint = colour(model.hue)
    solid = [p for p in curve.points if curve.solid(p)]
    rest = curve.points[max(0, len(solid) - 1) :]
    dot = "o" if len(curve.points) <= 10 else ""
    for (drawn,) in (
        axes.plot(*xy(solid), color=tint, lw=1.9, zorder=3, marker=dot, ms=3.5),
        axes.plot(*xy(rest), color=tint, lw=1.3, dashes=(3, 2), zorder=3, marker=dot, ms=3.5),
    ):
        show_model(drawn, model)


def xy(points: Sequence[BudgetPoint]) -> tuple[list[float], list[float]]:
    """Budgets and expected values, to be plotted."""
    return [p.budget for p in points], [p.expected for p in points]


def curve_records(
    summary: DataSummary, curves: Mapping[str, BudgetCurve], metric: str
) -> list[Record]:
    """A row for each model and number of settings, and one for what the whole search found."""
    rows: list[Record] = []
    for name, curve in curves.items():
        points = [
            (
                *(point.budget, point.expected, point.low, point.high),
                "" if curve.solid(point) else "the interval's better end is the metric's bound",
            )
            for point in curve.points
        ]
        observed = (curve.settings, curve.observed, None, None, "observed, no expectation")
        rows += [
            {
                "data": summary.data,
                "metric": metric,
                "model": name,
                "of": curve.settings,
                "settings": settings,
                "failures": len(summary.model(name).failures),
                "expected_best": value,
                "expected_best_low": low,
                "expected_best_high": high,
                "note": note,
            }
            for settings, value, low, high, note in [*points, observed]
        ]
    return rows


EVIDENCE = Evidence[DataSummary](
    name="best_of_n",
    group=Group.SEARCH,
    place=60,
    title="Best of n",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=lambda summary: ends_of_curves(summary, summary.curves),
    refusal=refusal,
    csv={"budget_curves": budget_curves},
    nothing=no_curve,
)
