"""Scores over training: current and best so far, a panel for each model."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import TrialSummary
from coequal.formatting import number
from coequal.reporting.axes import (
    panel_title,
    panels,
    whole_numbers,
    y_axis,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import by_model
from coequal.reporting.marks import show_trials
from coequal.reporting.setting_text import score_text, setting_name
from coequal.reporting.style import FAINT, INK, MUTED, colour

QUANTILES_FROM_SETTINGS = 24  # settings from which the others are drawn as quantiles


def how_to_read(summary: DataSummary) -> str:
    """Over training."""
    return (
        "Scores over training, one panel per model. The thick line is the chosen setting's "
        f"{summary.metric.label} on test, the dashed line its {summary.metric.label} on "
        "validation, and the dotted line the test value of its best checkpoint so far by "
        "validation. Thin lines or shading (the middle 50 % and 80 %, failures worst) show the "
        "model's other settings at their best so far. Grey lines are the other models' chosen "
        "settings."
    )


def figure(summary: DataSummary) -> Figure | None:
    """Test value over steps, a panel for each model with a chosen setting; None without any."""
    models = [model for model in summary.ranked if model.chosen is not None]
    drawn = [test for model in models for s in model.tried for test in s.numbers[1].tolist()]
    drawn += [m.validation for x in models if x.chosen for m in x.chosen.checkpoints]
    drawn = [value for value in drawn if math.isfinite(value)]
    if not models or not drawn:
        return None
    if len(drawn) > 1000:
        low, high = np.quantile(drawn, (0.0, 0.99))
        drawn = [value for value in drawn if low <= value <= high]
    figure, axes = panels(len(models))
    axes[0].set_xlim(0, 1.04 * max(s.steps[-1] for x in models for s in x.tried if s.steps))
    y_axis(axes[0], drawn)
    for panel, model in zip(axes, models, strict=True):
        _panel(panel, model, models, summary)
        whole_numbers(panel)
    figure.supxlabel("discriminator steps")
    figure.supylabel(summary.metric.label)
    figure.legend(handles=_legend(), loc="outside upper right", ncols=3)
    return figure


def _panel(
    axes: Axes, model: ModelSummary, others: Sequence[ModelSummary], summary: DataSummary
) -> None:
    tint, chosen = colour(model.hue), model.chosen
    assert chosen is not None
    for other in others:
        if other is not model and other.chosen is not None:
            (line,) = axes.plot(*_line(other.chosen), color=FAINT, lw=1, zorder=1)
            show_trials(line, [other.chosen])
    rest = [s for s in model.tried if s is not chosen]
    if len(rest) > QUANTILES_FROM_SETTINGS:
        _quantiles(axes, rest, summary, tint)
    else:
        for setting in rest:
            steps, values = _best_so_far(setting, summary)
            (line,) = axes.plot(steps, values, color=tint, lw=0.9, alpha=0.5, zorder=2)
            show_trials(line, [setting])
            if setting.failed and len(steps):
                end = steps[-1:], values[-1:]
                (cross,) = axes.plot(*end, "x", color=tint, ms=5, mew=1.3, zorder=2)
                show_trials(cross, [setting])
    measured = [m for m in chosen.checkpoints if math.isfinite(m.validation)]
    validation = [m.step for m in measured], [m.validation for m in measured]
    best = _best_so_far(chosen, summary)
    for (line,) in (
        axes.plot(*validation, color=MUTED, lw=1.1, dashes=(4, 2), zorder=3),
        axes.plot(*best, color=INK, lw=1.2, ls=(0, (1, 1.5)), zorder=5),
        axes.plot(*_line(chosen), color=tint, lw=2.2, marker="o", ms=4, zorder=4, clip_on=False),
    ):
        show_trials(line, [chosen])
    panel_title(axes, model)
    note = f"{setting_name(chosen).removeprefix('the ')}: {score_text(model)}"
    axes.text(0.98, 0.95, note, transform=axes.transAxes, ha="right", va="top", fontsize="small")


def _quantiles(
    axes: Axes, settings: Sequence[TrialSummary], summary: DataSummary, tint: str
) -> None:
    """Best so far of many settings: their middle half and eight tenths, failures worst."""
    steps = sorted({step for s in settings for step in s.steps})
    table = np.full((len(settings), len(steps)), math.inf)
    for row, setting in zip(table, settings, strict=True):
        if not setting.failed:
            known, values = _best_so_far(setting, summary)
            last = np.searchsorted(known, steps, side="right") - 1  # of the steps before each
            row[last >= 0] = summary.metric.sign * values[last[last >= 0]]
    quantiles = np.quantile(table, (0.1, 0.25, 0.75, 0.9), axis=0, method="nearest")
    low, high = axes.get_ylim()
    clear = np.array([[summary.metric.cost(v) for v in row] for row in quantiles])
    clear = np.clip(clear, low, high)
    for lower, upper in ((0, 3), (1, 2)):
        axes.fill_between(steps, clear[lower], clear[upper], color=tint, alpha=0.14, lw=0)


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=INK, lw=2.2, marker="o", ms=4, label="chosen setting, test"),
        Line2D([], [], color=MUTED, lw=1.1, dashes=(4, 2), label="its validation"),
        Line2D([], [], color=INK, lw=1.2, ls=(0, (1, 1.5)), label="its best so far, test"),
    ]


def _line(setting: TrialSummary) -> tuple[list[int], list[float]]:
    measured = [m for m in setting.checkpoints if math.isfinite(m.test)]
    return [m.step for m in measured], [m.test for m in measured]


def _best_so_far(
    setting: TrialSummary, summary: DataSummary
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Test value of the checkpoint with the best validation value up to each step, from the first
    step with a finite one."""
    validation, test, *_ = setting.numbers
    measured = np.isfinite(validation) & np.isfinite(test)
    cost = np.where(measured, summary.metric.sign * validation, math.inf)
    least = np.minimum.accumulate(cost)
    better = cost < np.append(math.inf, least)[:-1]  # of equally good ones the first stands
    place = np.maximum.accumulate(np.where(better, np.arange(len(cost)), -1))
    known = place >= 0
    return np.array(setting.steps, dtype=np.int64)[known], test[place[known]]


def nothing(summary: DataSummary) -> str:
    """That scores were measured at one checkpoint alone."""
    most = max((len(s.steps) for m in summary.models for s in m.tried), default=0)
    return "Every run was measured at one checkpoint only." if most == 1 else ""


def in_numbers(summary: DataSummary) -> str:
    """The chosen setting of each model at its first and its last checkpoint, on test."""

    def says(model: ModelSummary) -> str:
        steps, values = _line(model.chosen) if model.chosen else ([], [])
        if not steps:
            return ""
        ends = ((steps[0], values[0]), (steps[-1], values[-1]))
        return ", ".join(f"{number(value)} at step {step:,}" for step, value in ends)

    return by_model(summary, says)


EVIDENCE = Evidence[DataSummary](
    name="learning",
    group=Group.TRAINING,
    place=150,
    title="Over training",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=in_numbers,
    wide=True,
    nothing=nothing,
)
