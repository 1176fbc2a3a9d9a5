"""F1 against a known manifold beside the distance of features."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.manifold import F1, ManifoldResults
from coequal.analysis.model import ModelSummary
from coequal.formatting import number
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import by_model
from coequal.reporting.marks import show_model, show_trials
from coequal.reporting.style import colour, figure_size, wants_log


def how_to_read(summary: DataSummary) -> str:
    """F1 beside the distance."""
    return (
        "Left: each dot is one setting; if F1 and the distance agreed, the dots would fall from "
        "top left to bottom right. Right: what a search by the distance costs, as the test F1 of "
        "the setting that it chooses (open) and of the setting that a search by F1 chooses (full)."
    )


def figure(summary: DataSummary) -> Figure | None:
    """F1 against the distance of features of every setting, and what choosing by the distance
    costs; None where both were not measured."""
    known = summary.manifold
    if known is None or known.distance is None:
        return None
    models = [m for m in summary.ranked if m.tried]
    if not any(math.isfinite(v) for m in models for v in known.test(F1, m.tried)):
        return None
    figure = Figure(figsize=figure_size(4.4), layout="constrained")
    left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1.15, 1]})
    _scatter(left, known, models, known.distance)
    _chosen(right, known, models, known.distance)
    return figure


def _scatter(
    axes: Axes, known: ManifoldResults, models: Sequence[ModelSummary], distance: str
) -> None:
    everything = []
    for model in models:
        distances = known.test(distance, model.tried)
        everything += [value for value in distances if math.isfinite(value)]
        values = known.test(F1, model.tried)
        (dots,) = axes.plot(distances, values, "o", color=colour(model.hue), ms=5, mew=0)
        dots.set(label=model.label, zorder=3)
        show_trials(dots, model.tried)
    if wants_log(everything):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set_ylim(*_room(known, models))
    axes.set_xlabel(f"test {known.metrics[distance].label} (0 is best)")
    axes.set_ylabel("test F1 against the manifold (1 is best)")
    axes.legend(loc="upper right", fontsize="small", ncols=2)


def _room(known: ManifoldResults, models: Sequence[ModelSummary]) -> tuple[float, float]:
    """Limits of an axis of F1: from 0 to above the best, 1 at the most."""
    scores = [value for m in models for value in known.test(F1, m.tried) if math.isfinite(value)]
    top = min(1.03, 1.3 * max(0.1, *scores))
    return -0.03 * top, top


def _chosen(
    axes: Axes, known: ManifoldResults, models: Sequence[ModelSummary], distance: str
) -> None:
    """For each model two points: the setting chosen by the distance, and the one chosen by F1."""
    for place, model in enumerate(models):
        both = [known.chosen_by(by, model.tried) for by in (distance, F1)]
        chosen = [trial for trial in both if trial is not None]
        if len(chosen) < 2:
            continue
        tint, ends = colour(model.hue), [known.of(F1, trial).test for trial in chosen]
        (line,) = axes.plot(ends, [place, place], color=tint, lw=1.6, zorder=2)
        (opened,) = axes.plot(ends[:1], [place], "o", mfc="white", mec=tint, ms=7.5, zorder=3)
        opened.set_markeredgewidth(1.5)
        (full,) = axes.plot(ends[1:], [place], "o", color=tint, ms=7.5, mew=0, zorder=3)
        show_model(line, model)
        show_trials(opened, chosen[:1])
        show_trials(full, chosen[1:])
    axes.set_yticks(range(len(models)), [m.label for m in models])
    for label, model in zip(axes.get_yticklabels(), models, strict=True):
        show_model(label, model)
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.set_xlim(*_room(known, models))
    axes.yaxis.grid(False)
    axes.set_xlabel(f"test F1, chosen by {known.metrics[distance].label} (open) and by F1 (full)")


def in_numbers(summary: DataSummary) -> str:
    """F1 of the setting that each search chooses, by the distance and by F1."""
    known = summary.manifold
    assert known is not None  # or there were no figure
    assert known.distance is not None

    def says(model: ModelSummary) -> str:
        chosen = [known.chosen_by(by, model.tried) for by in (str(known.distance), F1)]
        found = [number(known.of(F1, one).test) for one in chosen if one is not None]
        return f"F1 {' and '.join(found)}" if found else ""

    return by_model(summary, says)


EVIDENCE = Evidence[DataSummary](
    name="manifold_distance",
    group=Group.METRICS,
    place=180,
    title="F1 against feature distance",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=in_numbers,
    wide=True,
)
