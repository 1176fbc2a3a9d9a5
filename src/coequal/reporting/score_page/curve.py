"""The curve of precision and recall, with single measures of both as points."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coequal.reporting.style import MARKERS, MUTED, PAPER, as_svg, colour, house_style, inline

POINTS = (
    ("recall", "precision", "improved precision and recall"),
    ("p_recall", "p_precision", "probabilistic precision and recall"),
    ("coverage", "density", "density and coverage"),
)
"""Pairs of numbers that stand for recall and precision: names, and what they are."""
SIDE_INCHES = 4.6


def curve_figure(sets: Mapping[str, Mapping[str, Any]], floor: Mapping[str, Any]) -> Markup | None:
    """Curves and points of every set as an element of a page; None where there are none.

    Args:
        sets: the record of each set of generated images, by name.
        floor: what real data score, by name of the number.
    """
    if not any("curve" in one.get("page", {}) for one in sets.values()):
        return None
    with house_style():
        return Markup(inline(as_svg(draw_curves(sets, floor)), "curve"))


def draw_curves(sets: Mapping[str, Mapping[str, Any]], floor: Mapping[str, Any]) -> Figure:
    """Precision against recall; a colour for each set, a marker for each pair of numbers, which is
    hollow for real data."""
    figure = Figure(figsize=(SIDE_INCHES + 2.2, SIDE_INCHES), layout="constrained")
    axes = figure.subplots()
    named = set[str]()
    for place, (name, record) in enumerate(sets.items()):
        tint = colour(place)
        if found := record.get("page", {}).get("curve"):
            label = name or "distributions (PRD)"
            axes.plot(found["recall"], found["precision"], color=tint, lw=1.9, label=label)
        named |= _points(axes, record["metrics"], tint)
    for (_, _, what), marker in zip(POINTS, MARKERS, strict=False):
        if what in named:
            axes.plot([], [], marker, color=MUTED, ms=7, label=what)
    if _points(axes, floor, None):
        axes.plot([], [], "o", color=MUTED, mfc="none", ms=7, label="real data")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, max(1.02, axes.get_ylim()[1]))
    axes.set_xlabel("recall: how much of the real variety there is")
    axes.set_ylabel("precision: how much looks real")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def _points(axes: Axes, numbers: Mapping[str, Any], tint: str | None) -> set[str]:
    """Draw each pair of numbers that is known, hollow without a colour; returns what they are."""
    drawn = set[str]()
    for (x, y, what), marker in zip(POINTS, MARKERS, strict=False):
        values = [numbers.get(key, {}).get("value") for key in (x, y)]
        if None in values:
            continue
        (point,) = axes.plot(*values, marker, color=tint or MUTED, ms=7, clip_on=False, zorder=3)
        point.set(mew=1.2, **({"mfc": "none"} if tint is None else {"mec": PAPER}))
        drawn.add(what)
    return drawn
