"""Precision and recall against a known manifold."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.manifold import PRECISION, RECALL
from coequal.analysis.model import ModelSummary
from coequal.formatting import number
from coequal.reporting.axes import (
    panel_title,
    panels,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import by_model
from coequal.reporting.marks import show_trials
from coequal.reporting.style import FAINT, MUTED, colour
from coequal.reporting.table import Record

F1_LEVELS = (0.2, 0.4, 0.6, 0.8)  # of F1, as lines to read by


def how_to_read(summary: DataSummary) -> str:
    """Precision against recall."""
    return (
        "How precise and how complete each setting is. Each dot is one setting's test precision "
        "and recall against the known manifold. A ring marks the setting chosen on validation; "
        "grey lines connect points of equal F1. Failed settings are not drawn."
    )


def figure(summary: DataSummary) -> Figure | None:
    """Precision against recall of every setting, a panel for each model; None without them."""
    known = summary.manifold
    if known is None or PRECISION not in known.values or RECALL not in known.values:
        return None
    models = [m for m in summary.ranked if m.tried]
    if not models:
        return None
    figure, axes = panels(len(models), height=2.5)
    axes[0].set_xlim(-0.04, 1.04)
    axes[0].set_ylim(-0.04, 1.04)
    for panel, model in zip(axes, models, strict=True):
        _levels(panel)
        recall, precision = (known.test(name, model.tried) for name in (RECALL, PRECISION))
        (dots,) = panel.plot(recall, precision, "o", color=colour(model.hue), ms=4.5, mew=0)
        dots.set_zorder(3)
        show_trials(dots, model.tried)
        if model.chosen is not None:
            at = [known.of(name, model.chosen).test for name in (RECALL, PRECISION)]
            tint = colour(model.hue)
            (ring,) = panel.plot(*at, "o", ms=10, mfc="none", mec=tint, mew=1.3, zorder=4)
            show_trials(ring, [model.chosen])
        panel_title(panel, model)
    figure.supxlabel("recall")
    figure.supylabel("precision")
    return figure


def manifold_settings(summary: DataSummary) -> list[Record]:
    """Every setting's numbers, for programs."""
    known = summary.manifold
    if known is None:
        return []
    return [
        {
            "data": summary.data,
            "model": model.name,
            "setting": trial.number,
            "trial": trial.trial,
            **{
                f"{name}_{split}": getattr(known.of(name, trial), split)
                for name in known.values
                for split in ("validation", "test")
            },
        }
        for model in summary.models
        for trial in model.tried
    ]


def _levels(axes: Axes) -> None:
    """Where F1 is .2, .4, ...: precision = F r / (2 r - F)."""
    for level in F1_LEVELS:
        recall = np.linspace(level / 2 + 1e-3, 1, 200)
        precision = level * recall / (2 * recall - level)
        inside = precision <= 1
        axes.plot(recall[inside], precision[inside], color=FAINT, lw=0.9, zorder=1)
        end = level / (2 - level)
        axes.text(1.0, end, f"{level:g}", color=MUTED, fontsize="x-small", ha="right", va="bottom")


def in_numbers(summary: DataSummary) -> str:
    """Precision and recall of each model's chosen setting."""
    known = summary.manifold
    assert known is not None  # or there were no figure

    def says(model: ModelSummary) -> str:
        if model.chosen is None:
            return ""
        precision, recall = (known.of(name, model.chosen).test for name in (PRECISION, RECALL))
        return f"precision {number(precision)}, recall {number(recall)}"

    return by_model(summary, says)


EVIDENCE = Evidence[DataSummary](
    name="manifold_plane",
    group=Group.METRICS,
    place=170,
    title="Precision and recall of every setting",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=in_numbers,
    wide=True,
    csv={"manifold_settings": manifold_settings},
)
