"""Every setting of the search as a line through its hyperparameters to its score."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import TrialSummary
from coequal.formatting import plain
from coequal.ranges import Choice, LogUniform, Value
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.marks import show_model, show_trials
from coequal.reporting.style import FAINT, INK, MUTED, PAPER, colour, figure_size, spread, wants_log

MIN_SETTINGS = 5  # of all models together that are drawn
MAX_LINES = 240  # of more settings, the chosen ones and others evenly by score
LANE = -0.14  # height of what has no value: below the axes, which reach from 0 to 1
SPREAD = 0.05  # of lines through one of a few values, to both sides
GOLDEN_RATIO = 0.618034  # of its multiples no two neighbours fall together


@dataclass(frozen=True)
class Axis:
    """One vertical axis.

    Attributes:
        name: of the hyperparameter.
        choices: its values, from bottom to top; empty: a range.
        low: value at the lower end.
        high: value at the upper end; less than `low` where less is better.
        log: whether the range is logarithmic.
    """

    name: str
    choices: tuple[Value, ...]
    low: float
    high: float
    log: bool

    def height(self, value: Value) -> float:
        """Where a value lies, from 0 to 1."""
        if self.choices:
            return (self.choices.index(value) + 0.5) / len(self.choices)
        low, high, at = float(self.low), float(self.high), float(value)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)

    def ticks(self) -> list[tuple[float, str]]:
        """Heights and texts."""
        if self.choices:
            return [(self.height(value), plain(value)) for value in self.choices]
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        return [(self.height(x), f"{float(f'{x:.2g}'):g}") for x in (self.low, middle, self.high)]


def how_to_read(summary: DataSummary) -> str:
    """How the lines are read."""
    settings = sum(len(model.tried) for model in summary.models)
    part = ""
    if settings > MAX_LINES:
        part = (
            f" About {MAX_LINES} of the {settings:,} settings are drawn, spread evenly over the "
            "scores."
        )
    return (
        "Each line is one setting of the search. It crosses each axis at its value of that "
        f"hyperparameter and ends at its test {summary.metric.label}, with better scores at the "
        "top. Bold lines are the chosen settings. A line runs below an axis if the model has no "
        f"such hyperparameter or the setting failed.{part}"
    )


def figure(summary: DataSummary) -> Figure | None:
    """Lines from hyperparameters to score; None with too few settings, or nothing searched."""
    models = [model for model in summary.ranked if len(model.ended) > 1]
    axes_of = _hyperparameter_axes(models)
    scores = _score_axis(summary, models)
    if not axes_of or scores is None or sum(len(m.ended) for m in models) < MIN_SETTINGS:
        return None
    figure = Figure(figsize=figure_size(4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(-0.1, len(axes_of) + 1.0)
    axes.set_ylim(LANE - 0.06, 1.2)
    share = min(1.0, MAX_LINES / sum(len(model.tried) for model in models))
    for model in models:
        _lines(axes, model, _drawn(model, share), axes_of, scores)
    for x, axis in enumerate(axes_of):
        lacking = any(t.hyperparameter(axis.name) is None for m in models for t in m.tried)
        _axis(axes, x, axis, axis.name.replace("_", " "), "not set" if lacking else "")
    failed = any(trial.failed for model in models for trial in model.tried)
    label = f"test {summary.metric.label}"
    _axis(axes, len(axes_of), scores, label, "failed" if failed else "")
    _names(axes, len(axes_of), [m for m in models if m.chosen and m.hue is not None], scores)
    return figure


def _hyperparameter_axes(models: Sequence[ModelSummary]) -> list[Axis]:
    """The hyperparameters that were searched, those that most settings have first."""
    found: dict[str, list[TrialSummary]] = {}
    for model in models:
        for trial in model.tried:
            for place in trial.values:
                if place.range is not None:
                    found.setdefault(place.name, []).append(trial)
    names = sorted(found, key=lambda name: -len(found[name]))
    listed = (_hyperparameter_axis(name, found[name]) for name in names)
    return [axis for axis in listed if len(axis.choices) > 1 or axis.high > axis.low]


def _hyperparameter_axis(name: str, trials: Sequence[TrialSummary]) -> Axis:
    places = [place for trial in trials if (place := trial.hyperparameter(name)) is not None]
    values = list(dict.fromkeys(place.value for place in places))
    ranges = [place.range for place in places]
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values) or all(isinstance(space, Choice) for space in ranges):
        known = sorted(values, key=lambda v: (isinstance(v, str), v))
        return Axis(name, tuple(known), 0.0, 0.0, False)
    log = any(isinstance(space, LogUniform) for space in ranges) and min(numbers) > 0
    return Axis(name, (), min(numbers), max(numbers), log)


def _score_axis(summary: DataSummary, models: Sequence[ModelSummary]) -> Axis | None:
    """The axis of test scores, better ones at the top; None where they don't differ."""
    values = [t.test for m in models for t in m.tried if not t.failed]
    if len(set(values)) < 2:
        return None
    worst, best = sorted((min(values), max(values)), reverse=not summary.metric.higher)
    return Axis(summary.metric.name, (), worst, best, wants_log(values))


def _drawn(model: ModelSummary, share: float) -> list[TrialSummary]:
    """A share of a model's settings, evenly by score, in their order; always the chosen one."""
    ranked = sorted(model.tried, key=lambda t: (t.score, t.number))
    count = max(1, round(share * len(ranked)))
    places = {round(k) for k in np.linspace(0, len(ranked) - 1, count)}
    kept = {ranked[place].trial for place in places}
    return [trial for trial in model.tried if trial.trial in kept or trial is model.chosen]


def _lines(
    axes: Axes,
    model: ModelSummary,
    trials: Sequence[TrialSummary],
    axes_of: Sequence[Axis],
    scores: Axis,
) -> None:
    tint = colour(model.hue)
    paths = [_path(trial, axes_of, scores) for trial in trials]
    faint = LineCollection(paths, colors=tint, linewidths=0.8, alpha=0.35, clip_on=False, zorder=2)
    show_trials(faint, trials)
    axes.add_collection(faint, autolim=False)
    for trial, path in zip(trials, paths, strict=True):
        if trial is model.chosen:
            xs, ys = zip(*path, strict=True)
            (strong,) = axes.plot(xs, ys, color=tint, lw=2.0, zorder=4, clip_on=False)
            (end,) = axes.plot(xs[-1:], ys[-1:], "o", color=tint, ms=6, zorder=5, clip_on=False)
            show_trials(strong, [trial])
            show_trials(end, [trial])


def _names(axes: Axes, x: int, models: Sequence[ModelSummary], scores: Axis) -> None:
    """The models' names beside their chosen settings, moved apart where they would touch."""
    ends = [scores.height(model.chosen.test) for model in models if model.chosen]
    for model, end, at in zip(models, ends, spread(ends, 0.055, 0.0, 1.0), strict=True):
        axes.plot([x + 0.06, x + 0.42], [end, at], color=FAINT, lw=0.8, zorder=1)
        look: dict[str, Any] = {"color": colour(model.hue), "va": "center", "fontsize": "small"}
        show_model(axes.text(x + 0.45, at, model.label, **look), model)


def _path(trial: TrialSummary, axes_of: Sequence[Axis], scores: Axis) -> list[tuple[float, float]]:
    """The points of a setting's line; those that share one of a few values are spread a little."""
    apart = SPREAD * (math.modf(GOLDEN_RATIO * trial.number)[0] - 0.5)
    points = []
    for x, axis in enumerate(axes_of):
        place = trial.hyperparameter(axis.name)
        height = LANE if place is None else axis.height(place.value)
        shared = place is None or bool(axis.choices)
        points.append((float(x), height + (apart if shared else 0.0)))
    end = LANE + apart if trial.failed else scores.height(trial.test)
    return [*points, (float(len(axes_of)), end)]


def _axis(axes: Axes, x: int, axis: Axis, title: str, below: str) -> None:
    """A vertical line with its title above, its values beside it, and what stands below it."""
    axes.plot([x, x], [0, 1], color=MUTED, lw=0.9, zorder=3)
    axes.text(x, 1.06, textwrap.fill(title, 15), ha="center", va="bottom", fontsize="small")
    box = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
    look: dict[str, Any] = {"fontsize": "small", "va": "center", "zorder": 6, "bbox": box}
    for height, text in axis.ticks():
        axes.text(x + 0.05, height, text, color=INK, **look)
    if below:
        axes.text(x + 0.05, LANE, below, color=MUTED, **look)


EVIDENCE = Evidence[DataSummary](
    name="parallel_coordinates",
    group=Group.SEARCH,
    place=245,
    title="Settings against score",
    how_to_read=how_to_read,
    figure=figure,
)
