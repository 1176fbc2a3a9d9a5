"""Which settings fail: a panel for each hyperparameter that a search varied."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.health import KINDS, health_kind, is_failure
from coequal.analysis.model import ModelSummary
from coequal.analysis.range_position import RangePosition
from coequal.analysis.trials import TrialSummary
from coequal.formatting import plain
from coequal.health import EARLY, HEALTHY
from coequal.ranges import Choice, LogUniform, Range, Value
from coequal.reporting.axes import (
    RASTER_FROM_SETTINGS,
    SMALL_DOTS_FROM_SETTINGS,
    panel_title,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import by_model
from coequal.reporting.evidence._nothing import not_monitored
from coequal.reporting.marks import show_trials
from coequal.reporting.style import INK, colour, figure_inches

MIN_SETTINGS = 5  # settings of a model that are drawn

PANELS_IN_A_ROW = 5

GOLDEN_RATIO = 0.618034  # of its multiples no two neighbours fall together


def how_to_read(summary: DataSummary) -> str:
    """Health against hyperparameters."""
    return (
        "Which hyperparameter values go with failed training. Each mark is one setting of the "
        "search, placed by its value of one hyperparameter and by its health verdict, with a "
        "little jitter. A full dot is healthy, an open dot too early to tell, a diamond a failure "
        "with a score, and a cross a failure without one. Models are left out if all or none of "
        "their settings fail."
    )


def figure(summary: DataSummary) -> Figure | None:
    """Health against each searched hyperparameter, a row of panels for each model of which some
    settings fail and some don't; None without any."""
    models = {m.name: names for m in summary.ranked if (names := _worth_drawing(m))}
    if not models:
        return None
    columns = min(PANELS_IN_A_ROW, max(map(len, models.values())))
    drawn = [
        (summary.model(name), names[first : first + columns])
        for name, names in models.items()
        for first in range(0, len(names), columns)
    ]
    kinds = [k for k in KINDS if any(health_kind(t) == k for m, _ in drawn for t in _watched(m))]
    places = {name: len(kinds) - 1 - place for place, name in enumerate(kinds)}
    height = 0.55 + 0.23 * len(kinds)
    figure = Figure(
        figsize=(figure_inches(), 0.6 + (height + 0.35) * len(drawn)), layout="constrained"
    )
    grid = figure.subplots(len(drawn), columns, sharey=True, squeeze=False)
    for row, (model, names) in zip(grid, drawn, strict=True):
        for axes, name in zip(row, [*names, *[""] * (columns - len(names))], strict=True):
            if not name:
                axes.set_axis_off()
                continue
            _panel(axes, model, name, places)
        if names[0] == models[model.name][0]:
            panel_title(row[0], model)
    grid[0][0].set_yticks(list(places.values()), [k.replace("_", " ") for k in places])
    grid[0][0].set_ylim(-0.6, len(kinds) - 0.4)
    figure.legend(handles=_legend(), loc="outside upper right", ncols=4)
    return figure


def _watched(model: ModelSummary) -> list[TrialSummary]:
    """The settings to draw: those that were watched or failed."""
    return [trial for trial in model.tried if trial.health or trial.failed]


def _worth_drawing(model: ModelSummary) -> list[str]:
    """The hyperparameters whose values can say something: none where all settings fail, or none
    does."""
    trials = _watched(model)
    failures = sum(map(is_failure, trials))
    if len(trials) < MIN_SETTINGS or not any(t.health for t in trials):
        return []
    if failures in (0, len(trials)):
        return []
    return [
        place.name
        for place in trials[0].values
        if place.range is not None and len(_values(trials, place.name)) > 1
    ]


def _values(trials: Sequence[TrialSummary], name: str) -> set[Value]:
    return {place.value for trial in trials if (place := trial.hyperparameter(name)) is not None}


def _panel(axes: Axes, model: ModelSummary, name: str, places: Mapping[str, int]) -> None:
    trials = [(t, place) for t in _watched(model) if (place := t.hyperparameter(name)) is not None]
    space = trials[0][1].range
    spots = _positions(axes, [place for _, place in trials], space)
    marks: dict[tuple[str, bool], list[tuple[float, float, TrialSummary]]] = {}
    for (trial, _), x in zip(trials, spots, strict=True):
        apart = 0.5 * (math.modf(GOLDEN_RATIO * trial.number)[0] - 0.5)
        marks.setdefault((health_kind(trial), trial.failed), []).append(
            (x, places[health_kind(trial)] + apart, trial)
        )
    for (what, failed), points in sorted(marks.items()):
        xs, ys, shown = zip(*points, strict=True)
        (dots,) = axes.plot(xs, ys, ls="", **_mark_style(what, failed, model.hue))
        show_trials(dots, shown)
        dots.set_markersize(5 if len(trials) <= SMALL_DOTS_FROM_SETTINGS else 3.5)
        if len(trials) > RASTER_FROM_SETTINGS:
            dots.set(ms=2, rasterized=True)
    axes.set_xlabel(name.replace("_", " "), fontsize="small")
    axes.tick_params(labelsize="small")
    axes.tick_params(axis="y", length=0)


def _positions(axes: Axes, values: Sequence[RangePosition], space: Range | None) -> list[float]:
    """Where values lie on the x axis, which is made ready for them."""
    if isinstance(space, Choice):
        known = list(dict.fromkeys([*space.values, *(p.value for p in values)]))
        axes.set_xticks(range(len(known)), [plain(value) for value in known])
        axes.set_xlim(-0.6, len(known) - 0.4)
        axes.xaxis.grid(False)
        # Side by side, or equal values would hide each other.
        width = 0.5 / max(1, len(values) - 1)
        return [known.index(p.value) - 0.25 + width * k for k, p in enumerate(values)]
    assert space is not None
    numbers = [float(place.value) for place in values]
    low, high = min(space.low, *numbers), max(space.high, *numbers)
    if isinstance(space, LogUniform) and low > 0:
        axes.set_xscale("log")
        margin = (high / low) ** 0.06
        axes.set_xlim(low / margin, high * margin)
        wide = high / low >= 100
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 3.0), numticks=4))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        margin = 0.06 * (high - low)
        axes.set_xlim(low - margin, high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return numbers


def _mark_style(what: str, failed: bool, hue: int | None) -> dict[str, Any]:
    """A full dot for healthy, an open one for too early, crosses for failures: told apart without
    colours."""
    tint = colour(hue)
    if what == HEALTHY and not failed:
        return {"marker": "o", "color": tint, "mec": "white", "mew": 0.5}
    if what == EARLY and not failed:
        return {"marker": "o", "mfc": "none", "mec": tint, "mew": 1.1}
    if failed:
        return {"marker": "x", "color": INK, "mew": 1.4}
    return {"marker": "D", "color": INK, "mec": "white", "mew": 0.5}


def _legend() -> list[Line2D]:
    wanted = (
        ("healthy", HEALTHY, False),
        ("too early to tell", EARLY, False),
        ("failure with a score", "", False),
        ("failure without a score", "", True),
    )
    return [
        Line2D([], [], ls="", ms=5, label=label, **_mark_style(what, failed, None))
        for label, what, failed in wanted
    ]


def nothing(summary: DataSummary) -> str:
    """That no model has both good and bad settings to tell apart."""
    if none := not_monitored(summary):
        return none
    if any(_worth_drawing(model) for model in summary.models):
        return ""
    return (
        f"No model has at least {MIN_SETTINGS} drawn settings with different values, some of which "
        "fail and some of which don't."
    )


def in_numbers(summary: DataSummary) -> str:
    """How many settings of each model that is drawn fail."""

    def says(model: ModelSummary) -> str:
        trials = _watched(model)
        return f"{sum(map(is_failure, trials))} of {len(trials)} settings fail"

    return by_model(summary, lambda model: says(model) if _worth_drawing(model) else "")


EVIDENCE = Evidence[DataSummary](
    name="health_settings",
    group=Group.HEALTH,
    place=270,
    title="Which settings fail",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=in_numbers,
    wide=True,
    nothing=nothing,
)
