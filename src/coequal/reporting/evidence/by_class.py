"""How well classifiers know the images of each class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.heat import shaded_cells
from coequal.reporting.style import figure_inches

TRAIN, TEST = "gan_train", "gan_test"

TITLES = {
    TRAIN: "GAN-train: real images classified correctly",
    TEST: "GAN-test: generated images classified correctly",
}

MAX_CLASSES = 20  # with more, the cells would be too small


def how_to_read(summary: DataSummary) -> str:
    """The accuracies within classes."""
    return (
        "Percentage of each class's images that are classified correctly. GAN-train: by "
        "classifiers trained only on the model's images and tested on real ones. GAN-test: by "
        "classifiers trained on real images and tested on the model's. The first row shows "
        "classifiers trained on real images and tested on held-out real ones. Generated images "
        "come from the chosen setting's own run, at its last checkpoint."
    )


def figure(summary: DataSummary) -> Figure | None:
    """Accuracy within each class, a row a model, beside classifiers of real images; None where no
    such thing was measured."""
    models = measured(summary, TRAIN) or measured(summary, TEST)
    names = summary.reference.get("classes") or ()
    metrics = [name for name in (TRAIN, TEST) if measured(summary, name)]
    if not models or not 0 < len(names) <= MAX_CLASSES:
        return None
    rows = len(models) + 1
    size = figure_inches(), 0.5 + len(metrics) * (0.75 + 0.3 * rows)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(metrics), 1, squeeze=False)[:, 0]
    for panel, name in zip(axes, metrics, strict=True):
        _heat(panel, summary, measured(summary, name), name, names)
    return figure


def measured(summary: DataSummary, metric: str) -> list[ModelSummary]:
    """The models of whose images `metric` measured the accuracy within each class."""
    return [m for m in summary.ranked if "accuracy_by_class" in details(m, metric)]


def details(model: ModelSummary, metric: str) -> Mapping[str, Any]:
    """What `metric` noted about the images of the chosen setting; empty if nothing."""
    noted: Mapping[str, Any] = model.details.get(metric) or {}
    return noted


def _heat(
    axes: Axes,
    summary: DataSummary,
    models: Sequence[ModelSummary],
    metric: str,
    names: Sequence[str],
) -> None:
    """Numbers in cells, the real baseline above the models."""
    baseline = details(models[0], metric).get("baseline", {}).get("accuracy_by_class")
    rows = [("real images", baseline)] if baseline else []
    rows += [(m.label, details(m, metric)["accuracy_by_class"]) for m in models]
    values = np.array([[np.nan if v is None else v for v in row] for _, row in rows], float)
    shaded_cells(axes, values, numbers=True)
    axes.set_xticks(range(len(names)), names, fontsize="small")
    axes.set_yticks(range(len(rows)), [label for label, _ in rows], fontsize="small")
    axes.tick_params(length=0)
    axes.set_title(TITLES[metric], loc="left", fontweight="bold")


EVIDENCE = Evidence[DataSummary](
    name="by_class",
    group=Group.METRICS,
    place=200,
    open=True,
    title="GAN-train and GAN-test by class",
    how_to_read=how_to_read,
    figure=figure,
    wide=True,
)
