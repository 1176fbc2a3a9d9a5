"""Single runs: the distribution over settings, and the re-runs of the chosen ones."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from coequal.analysis.model import ModelSummary
from coequal.analysis.summary import DataSummary
from coequal.report.axes import WIDTH, model_ticks, reference_lines, turned, y_axis
from coequal.report.style import BAND, INK, MUTED, colour

MANY = 40  # settings from which dots are smaller,
CROWD = 400  # and from which they are drawn as pixels: all of them, in a file that stays small


def distribution(summary: DataSummary) -> Figure | None:
    """Every setting of every model, failures at the top edge; None without results."""
    models = [model for model in summary.ranked if model.ended]
    if not models:
        return None
    values = [s.test for m in models for s in m.ended if not s.failed]
    figure = Figure(figsize=(WIDTH, 5.0 if turned(models) else 4.4), layout="constrained")
    axes = figure.add_subplot()
    y_axis(axes, values or [0.0, 1.0], head=0.14)
    reference_lines(axes, summary)
    if any(model.failures for model in models):
        _failed_band(axes)
    for column, model in enumerate(models):
        _settings(axes, model, column)
    model_ticks(axes, models)
    axes.set_ylabel(f"test {summary.metric.label}")
    return figure


def reruns(summary: DataSummary) -> Figure | None:
    """Every re-run of the chosen settings, with interquartile mean and interval; None without."""
    models = [m for m in summary.ranked if m.rerun and m.rerun.runs]
    if not models:
        return None
    runs = [t for m in models if m.rerun for t in m.rerun.runs]
    ends = [e for m in models for e in _interval(m) if e is not None]
    search = [m.rerun.search for m in models if m.rerun and math.isfinite(m.rerun.search)]
    values = [t.test for t in runs if not t.failed] + ends + search
    figure = Figure(figsize=(WIDTH, 4.6 if turned(models) else 4.0), layout="constrained")
    axes = figure.add_subplot()
    y_axis(axes, values or [0.0, 1.0], head=0.14)
    if any(t.failed for t in runs):
        _failed_band(axes)
    for column, model in enumerate(models):
        _reruns(axes, model, column)
    model_ticks(axes, models)
    axes.set_ylabel(f"test {summary.metric.label} of one run")
    return figure


def _settings(axes: Axes, model: ModelSummary, column: int) -> None:
    tint, count = colour(model.index), len(model.settings)
    xs = {
        s.trial: column + 0.52 * (place / max(1, count - 1) - 0.5) if count > 1 else column
        for place, s in enumerate(model.settings)
    }
    plain = [s for s in model.ended if not s.failed and s.number != 0]
    size = 6 if count <= MANY else 4
    crowd = count > CROWD
    if plain:
        (dots,) = axes.plot([xs[s.trial] for s in plain], [s.test for s in plain], "o", color=tint)
        dots.set(ms=size, mec="white", mew=0.6 if count <= MANY else 0.3, zorder=3)
        if crowd:
            dots.set(ms=1.5, mew=0, alpha=0.4, rasterized=True)
    _crosses(axes, [xs[s.trial] for s in model.failures], tint, size, crowd)
    authors = model.authors
    if authors is not None and authors.has_result and not authors.failed:
        (star,) = axes.plot([xs[authors.trial]], [authors.test], "*", color=tint, ms=12, zorder=4)
        star.set(mec=INK, mew=0.7)
    if model.chosen is not None:
        ring = [xs[model.chosen.trial]], [model.chosen.test]
        axes.plot(*ring, "o", mfc="none", mec=tint, mew=1.1, ms=14, zorder=2)
    if math.isfinite(model.median):
        axes.plot([column - 0.34, column + 0.34], [model.median] * 2, color=MUTED, lw=1.2, zorder=1)


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
    _crosses(axes, failed, tint, 6)
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


def _crosses(axes: Axes, xs: list[float], tint: str, size: float, pixels: bool = False) -> None:
    if not xs:
        return
    edge = axes.get_xaxis_transform()
    ys = [0.96] * len(xs)
    (crosses,) = axes.plot(xs, ys, "x", transform=edge, color=tint, ms=size, mew=1.4, clip_on=False)
    crosses.set_rasterized(pixels)


def _failed_band(axes: Axes) -> None:
    band = Rectangle((0, 0.92), 1, 0.08, transform=axes.transAxes, color=BAND, lw=0)
    axes.add_patch(band).set_zorder(0.5)
    axes.text(1.004, 0.96, "failed", transform=axes.transAxes, color=MUTED, va="center")
