"""Which classes classifiers predict for the images of each class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.reporting.axes import (
    panel_title,
    panels,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence.by_class import MAX_CLASSES, TEST, details, measured
from coequal.reporting.heat import shaded_cells

MOST_PANELS = 12


def how_to_read(summary: DataSummary) -> str:
    """The confusion matrices."""
    more = len(_models(summary)) - MOST_PANELS
    rest = f" Only the best {MOST_PANELS} models are shown." if more > 0 else ""
    return (
        "Rows are the requested classes; columns are the classes predicted by classifiers trained "
        "on real images, as fractions of the row. Off the diagonal, either the label or the image "
        f"is wrong.{rest}"
    )


def figure(summary: DataSummary) -> Figure | None:
    """What classifiers of real images take the images of each class for, a panel a model; None
    where no such thing was measured."""
    models = _models(summary)[:MOST_PANELS]
    names = summary.reference.get("classes") or ()
    if not models or not 0 < len(names) <= MAX_CLASSES:
        return None
    figure, axes = panels(len(models), height=2.9)
    for panel, model in zip(axes, models, strict=True):
        fractions = _fractions(details(model, TEST)["confusion"])
        shaded_cells(panel, fractions)
        panel.set_aspect("equal")
        places = range(len(names))
        panel.set_xticks(places, names, rotation=90, fontsize="x-small")
        panel.set_yticks(places, names, fontsize="x-small")
        panel_title(panel, model)
    figure.supxlabel("predicted as")
    figure.supylabel("requested class")
    return figure


def _models(summary: DataSummary) -> list[ModelSummary]:
    """The models of which it was measured, by the test value of the chosen setting."""
    return [m for m in measured(summary, TEST) if "confusion" in details(m, TEST)]


def _fractions(counts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Rows of counts as fractions."""
    matrix = np.array(counts, float)
    fractions: NDArray[np.float64] = matrix / np.maximum(1, matrix.sum(1, keepdims=True))
    return fractions


EVIDENCE = Evidence[DataSummary](
    name="confusion",
    group=Group.METRICS,
    place=210,
    title="Predicted classes of generated images",
    how_to_read=how_to_read,
    figure=figure,
    wide=True,
)
