"""Every re-run of the chosen settings."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import half_width, interval, number
from coequal.reporting.axes import (
    crosses,
    failed_band,
    model_ticks,
    turned,
    y_axis,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import by_model
from coequal.reporting.evidence._nothing import no_reruns
from coequal.reporting.marks import show_model, show_trials
from coequal.reporting.style import INK, MUTED, colour, figure_size


def how_to_read(summary: DataSummary) -> str:
    """Every re-run."""
    return (
        "Each dot is one fresh seed of the chosen setting (open: a severe outlier; × at the top "
        "edge: a failure). The bar on the right is the interquartile mean (the median, if a run is "
        "an outlier or worse than the cap) with its 95 % interval over seeds, which extends to the "
        "top edge if it includes failures. The triangle on the left is the value observed in the "
        "search."
    )


def figure(summary: DataSummary) -> Figure | None:
    """Every re-run of the chosen settings, with their centre and its interval; None without."""
    models = [m for m in summary.ranked if m.rerun and m.rerun.runs]
    if not models:
        return None
    runs = [t for m in models if m.rerun for t in m.rerun.runs]
    ends = [e for m in models for e in _interval(m) if math.isfinite(e)]
    search = [m.rerun.search for m in models if m.rerun and math.isfinite(m.rerun.search)]
    values = [t.test for t in runs if not t.failed] + ends + search
    figure = Figure(figsize=figure_size(4.6 if turned(models) else 4.0), layout="constrained")
    axes = figure.add_subplot()
    y_axis(axes, values or [0.0, 1.0], head=0.14)
    if any(t.failed for t in runs):
        failed_band(axes)
    for column, model in enumerate(models):
        _reruns(axes, model, column)
    model_ticks(axes, models)
    axes.set_ylabel(f"test {summary.metric.label} of one run")
    return figure


def _reruns(axes: Axes, model: ModelSummary, column: int) -> None:
    rerun, tint = model.rerun, colour(model.hue)
    assert rerun is not None
    count = len(rerun.runs)
    xs = [column + (0.4 * (k / (count - 1) - 0.5) if count > 1 else 0) for k in range(count)]
    flagged = rerun.numbers.outliers.flagged if rerun.numbers else (False,) * count
    for out in (False, True):
        kept = [
            (x, t)
            for x, t, flag in zip(xs, rerun.runs, flagged, strict=True)
            if not t.failed and flag is out
        ]
        if kept:
            (dots,) = axes.plot([x for x, _ in kept], [t.test for _, t in kept], "o", ms=5, mew=0.8)
            dots.set(mfc="none" if out else tint, mec=tint if out else "white")
            show_trials(dots, [t for _, t in kept])
    failed = [(x, t) for x, t in zip(xs, rerun.runs, strict=True) if t.failed]
    crosses(axes, failed, tint, 6)
    if rerun.numbers is not None:
        # A failure is at the top edge, whichever direction is better.
        top = axes.get_ylim()[1]
        ends = [end if math.isfinite(end) else top for end in _interval(model)]
        (bar,) = axes.plot([column + 0.31] * len(ends), ends, color=INK, lw=1.4, zorder=4)
        show_model(bar, model)
        centre = rerun.numbers.centre if math.isfinite(rerun.numbers.centre) else top
        (middle,) = axes.plot([column + 0.31], [centre], "_", color=INK, ms=11, mew=1.8, zorder=4)
        show_model(middle, model)
    if math.isfinite(rerun.search):
        (search,) = axes.plot([column - 0.31], [rerun.search], ">", color=MUTED, ms=6, zorder=4)
        if model.chosen is not None:
            show_trials(search, [model.chosen])


def _interval(model: ModelSummary) -> tuple[float, ...]:
    """The ends of the interval of the centre; empty without one."""
    numbers = model.rerun.numbers if model.rerun else None
    return () if numbers is None else numbers.centre_interval or ()


def nothing(summary: DataSummary) -> str:
    """That there are no re-runs, or one of each setting, which the table of the best shows."""
    if none := no_reruns(summary):
        return none
    most = max(len(m.rerun.runs) if m.rerun else 0 for m in summary.models)
    return "Every chosen setting has only one re-run." if most == 1 else ""


def in_numbers(summary: DataSummary) -> str:
    """The centre of each model's re-runs with its interval."""

    def says(model: ModelSummary) -> str:
        numbers = model.rerun.numbers if model.rerun else None
        if numbers is None:
            return ""
        centre = number(numbers.centre, half_width(numbers.centre_interval))
        ends = interval(numbers.centre_interval)
        return f"{centre} ({ends})" if ends else centre

    return by_model(summary, says)


EVIDENCE = Evidence[DataSummary](
    name="reruns",
    group=Group.RERUNS,
    place=40,
    open=True,
    title="Re-runs of the chosen settings",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=in_numbers,
    nothing=nothing,
)
