"""Performance profiles over all datasets."""

import numpy as np
from matplotlib.figure import Figure

from coequal.analysis.across_datasets import StudySummary
from coequal.reporting.axes import (
    ends_with_names,
    with_margin,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.marks import show_model
from coequal.reporting.style import colour

PROFILE = (
    "Each line is the fraction of a model's runs, over all datasets, that reach a normalised score "
    "or better. A line that is above another everywhere is better at every score."
)


def figure(study: StudySummary) -> Figure | None:
    """Share of the runs at or above each normalised score; None without any."""
    normalised = study.normalised
    if normalised is None:
        return None
    shown = [model for model in study.datasets[0].models if model.name in normalised.profiles]
    if not shown:
        return None
    labels = [model.label for model in shown]
    figure, axes = with_margin(shown, labels)
    axes.set_xlim(1.0, 0.0)
    axes.set_ylim(0, 1.02)
    ends = []
    for model in shown:
        curve = normalised.profiles[model.name]
        tint = colour(model.hue)
        steps = "steps-post"
        (line,) = axes.plot(curve.levels, curve.fractions, color=tint, lw=1.8, drawstyle=steps)
        show_model(line, model)
        if curve.low is not None and curve.high is not None and len(shown) <= 4:
            low, high = np.array(curve.low), np.array(curve.high)
            axes.fill_between(curve.levels, low, high, color=tint, alpha=0.13, lw=0, step="post")
        ends.append((0.0, curve.fractions[0]))
    ends_with_names(figure, axes, ends, shown, labels)
    axes.set_xlabel("normalised score: 1 is the best possible, 0 the cap")
    axes.set_ylabel("fraction of runs at or above it")
    return figure


EVIDENCE = Evidence[StudySummary](
    name="profile",
    group=Group.TOGETHER,
    place=30,
    title="Performance profile",
    how_to_read=PROFILE,
    figure=figure,
)
