"""What classifiers say of generated images, class by class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coequal.analysis.model import ModelSummary
from coequal.analysis.summary import DataSummary
from coequal.report.axes import WIDTH, panel_title, panels
from coequal.report.style import MUTED

TRAIN, TEST = "gan_train", "gan_test"
TITLES = {TRAIN: "GAN-train: real images known", TEST: "GAN-test: generated images known"}
MOST = 20  # classes for which there is room


def by_class(summary: DataSummary) -> Figure | None:
    """Accuracy within each class, a row a model, beside classifiers of real images; None where no
    such thing was measured."""
    models = _measured(summary, TRAIN) or _measured(summary, TEST)
    names = summary.reference.get("classes") or ()
    found = [name for name in (TRAIN, TEST) if _measured(summary, name)]
    if not models or not 0 < len(names) <= MOST:
        return None
    rows = len(models) + 1
    size = (WIDTH, 0.5 + len(found) * (0.75 + 0.3 * rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    for panel, name in zip(axes, found, strict=True):
        _heat(panel, summary, _measured(summary, name), name, names)
    return figure


def confusion(summary: DataSummary) -> Figure | None:
    """What classifiers of real images take the images of each class for, a panel a model; None
    where no such thing was measured."""
    models = [m for m in _measured(summary, TEST) if "confusion" in _details(m, TEST)]
    names = summary.reference.get("classes") or ()
    if not models or not 0 < len(names) <= MOST:
        return None
    figure, axes = panels(len(models), height=2.9)
    for panel, model in zip(axes, models, strict=True):
        shares = _shares(_details(model, TEST)["confusion"])
        panel.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        panel.grid(False)
        places = range(len(names))
        panel.set_xticks(places, names, rotation=90, fontsize=6.5)
        panel.set_yticks(places, names, fontsize=6.5)
        panel_title(panel, model)
    figure.supxlabel("taken for", fontsize=9)
    figure.supylabel("class asked for", fontsize=9)
    return figure


def _measured(summary: DataSummary, metric: str) -> list[ModelSummary]:
    return [m for m in summary.ranked if "accuracy_by_class" in _details(m, metric)]


def _details(model: ModelSummary, metric: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = model.details.get(metric) or {}
    return found


def _heat(
    axes: Axes,
    summary: DataSummary,
    models: Sequence[ModelSummary],
    metric: str,
    names: Sequence[str],
) -> None:
    """Numbers in cells, the real baseline above the models."""
    baseline = _details(models[0], metric).get("baseline", {}).get("accuracy_by_class")
    rows = [("real images", baseline)] if baseline else []
    rows += [(m.label, _details(m, metric)["accuracy_by_class"]) for m in models]
    values = np.array([[np.nan if v is None else v for v in row] for _, row in rows], float)
    axes.imshow(values, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    axes.grid(False)
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows], fontsize=8)
    axes.tick_params(length=0)
    axes.set_title(TITLES[metric], loc="left", fontsize=9.5, fontweight="bold")
    for (row, column), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{100 * value:.0f}"
        tint = "white" if value > 0.6 else MUTED
        axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=tint)


def _shares(counts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Rows of counts as shares."""
    matrix = np.array(counts, float)
    shares: NDArray[np.float64] = matrix / np.maximum(1, matrix.sum(1, keepdims=True))
    return shares
