"""Two trainings in one figure: the score by which the study chooses, the losses, the health."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from numpy.typing import NDArray

from coequal.checkpoints import Checkpoints
from coequal.health.rules import RULES, HealthRule
from coequal.reporting.style import MUTED, as_svg, colour, house_style, inline
from coequal.reporting.trial_page.figures import PANELS_IN_A_ROW, PLAYERS, limits, panels, smoothed
from coequal.serve.side import Side

PANEL_INCHES = 2.0
DOTTED_POINTS = 20  # up to which every value of a curve is a dot, too
Values = NDArray[np.floating]


class Line(NamedTuple):
    """One curve over the steps.

    Attributes:
        steps: discriminator steps.
        values: NaN where there is none.
    """

    steps: Values
    values: Values


class Panel(NamedTuple):
    """One panel.

    Attributes:
        title: above it.
        curves: one of each trial; None where a trial has none.
        threshold: a line across; None for none.
        log: whether the axis may be logarithmic.
    """

    title: str
    curves: Sequence[Line | None]
    threshold: float | None = None
    log: bool | None = None


def comparison_figure(sides: Sequence[Side], metric: str, label: str) -> Markup | None:
    """Both trainings over their steps, as an element of a page; None if neither left any curve.

    Args:
        sides: the two trials.
        metric: by which the study chooses.
        label: the metric's name for people.
    """
    wanted = [_scores(sides, metric, label), *_losses(sides), *_health(sides)]
    drawn = [panel for panel in wanted if any(panel.curves)]
    if not drawn:
        return None
    with house_style():
        figure, places = panels(len(drawn), PANEL_INCHES, min(len(drawn), PANELS_IN_A_ROW))
        for axes, panel in zip(places, drawn, strict=True):
            _draw(axes, panel)
        handles = [
            places[0].plot([], [], color=colour(place), lw=2, label=f"{side.name}: {side.label}")[0]
            for place, side in enumerate(sides)
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=2)
        return Markup(inline(as_svg(figure), "compared"))


def _draw(axes: Axes, panel: Panel) -> None:
    shown: list[float] = []
    for place, line in enumerate(panel.curves):
        if line is None:
            continue
        marker = "o" if len(line.steps) <= DOTTED_POINTS else ""
        axes.plot(line.steps, line.values, color=colour(place), lw=1.6, marker=marker, ms=3)
        shown += line.values.tolist()
    if panel.threshold is not None:
        axes.axhline(panel.threshold, color=MUTED, lw=1.0, dashes=(4, 2), zorder=0.9)
        shown.append(panel.threshold)
    limits(axes, shown, panel.log)
    axes.set_title(panel.title, loc="left")


def _scores(sides: Sequence[Side], metric: str, label: str) -> Panel:
    def line(side: Side) -> Line | None:
        points = Checkpoints.of(side.points)
        return _line(np.array(points.steps, float), np.array(points.values(metric, "validation")))

    return Panel(f"{label}, validation", [line(side) for side in sides])


def _losses(sides: Sequence[Side]) -> list[Panel]:
    """The losses of both players, smoothed; of a trial that still trains, as of its probes."""

    def line(side: Side, player: str) -> Line | None:
        curves = side.folder.curves(side.trial.id)
        if player in curves:
            there = np.isfinite(curves[player])
            values = curves[player][there].astype(np.float64)
            return _line(curves["step"][there], smoothed(values)) if there.any() else None
        if side.signals is None:
            return None
        return _line(side.signals["step"], side.signals[f"loss_{player}"])

    return [
        Panel(f"loss of the {player}", [line(side, player) for side in sides], log=False)
        for player in PLAYERS
    ]


def _health(sides: Sequence[Side]) -> list[Panel]:
    """What each rule of health looks at, with its threshold."""

    def line(side: Side, rule: HealthRule) -> Line | None:
        if side.signals is None or not len(side.signals):
            return None
        return _line(side.signals["step"], rule.value(side.signals))

    def title(rule: HealthRule) -> str:
        limit = f"{rule.threshold.side} {rule.threshold.at:g}"
        return f"{rule.verdict} {limit}".replace("_", " ")

    return [
        Panel(title(rule), [line(side, rule) for side in sides], rule.threshold.at)
        for rule in RULES
    ]


def _line(steps: Values, values: Values) -> Line | None:
    """A curve; None if nothing of it is finite."""
    finite = np.where(np.isfinite(values), values, np.nan)
    return Line(steps, finite) if np.isfinite(finite).any() else None
