"""Every re-run of the chosen settings."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.report.axes import (
    FIGURE_INCHES,
    crosses,
    failed_band,
    model_ticks,
    turned,
    y_axis,
)
from coequal.report.evidence._evidence import Evidence
from coequal.report.style import INK, MUTED, colour


def how_to_read(summary: DataSummary) -> str:
    """Every re-run."""
    return (
        "Each dot is one fresh seed of the chosen setting (open: a severe outlier; × at the top "
        "edge: a failure). The bar on the right is the interquartile mean with its 95 % interval "
        "over seeds; the triangle on the left is the value observed in the search."
    )


def figure(summary: DataSummary) -> Figure | None:
    """Every re-run of the chosen settings, with interquartile mean and interval; None without."""
    models = [m for m in summary.ranked if m.rerun and m.rerun.runs]
    if not models:
        return None
    runs = [t for m in models if m.rerun for t in m.rerun.runs]
    ends = [e for m in models for e in _interval(m) if e is not None]
    search = [m.rerun.search for m in models if m.rerun and math.isfinite(m.rerun.search)]
    values = [t.test for t in runs if not t.failed] + ends + search
    figure = Figure(figsize=(FIGURE_INCHES, 4.6 if turned(models) else 4.0), layout="constrained")
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
    rerun, tint = model.rerun, colour(model.index)
    assert rerun is not None
    count = len(rerun.runs)
    xs = [column + (0.4 * (k / (count - 1) - 0.5) if count > 1 else 0) for k in range(count)]
    flagged = rerun.numbers.outliers.flagged if rerun.numbers else (False,) * count
    for out in (False, True):
        kept = [
            (x, t.test)
            for x, t, flag in zip(xs, rerun.runs, flagged, strict=True)
            if not t.failed and flag is out
        ]
        if kept:
            (dots,) = axes.plot([x for x, _ in kept], [y for _, y in kept], "o", ms=5, mew=0.8)
            dots.set(mfc="none" if out else tint, mec=tint if out else "white")
    failed = [x for x, t in zip(xs, rerun.runs, strict=True) if t.failed]
    crosses(axes, failed, tint, 6)
    low, high = _interval(model)
    if rerun.numbers is not None:
        if low is not None and high is not None:
            axes.plot([column + 0.31] * 2, [low, high], color=INK, lw=1.4, zorder=4)
        axes.plot([column + 0.31], [rerun.numbers.iqm], "_", color=INK, ms=11, mew=1.8, zorder=4)
    if math.isfinite(rerun.search):
        axes.plot([column - 0.31], [rerun.search], ">", color=MUTED, ms=6, zorder=4)


def _interval(model: ModelSummary) -> tuple[float | None, float | None]:
    numbers = model.rerun.numbers if model.rerun else None
    if numbers is None or numbers.iqm_interval is None:
        return None, None
    return numbers.iqm_interval.low, numbers.iqm_interval.high


EVIDENCE = Evidence[DataSummary](
    name="reruns",
    place=40,
    title="Re-runs of the chosen settings",
    how_to_read=how_to_read,
    figure=figure,
)
