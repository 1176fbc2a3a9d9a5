"""Figures of classes: cells that follow the page from light to dark."""

import re
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from coequal.analysis.summary import summaries
from coequal.reporting.evidence import by_class, confusion
from coequal.reporting.heat import shaded_cells
from coequal.reporting.style import ACCENT, INK, PAPER, as_svg, house_style, inline

from fabricated_run import METRICS, made, same


def cells(axes):
    found = [p for p in axes.patches if isinstance(p, Rectangle)]
    return {(int(p.get_x() + 0.5), int(p.get_y() + 0.5)): p.get_alpha() for p in found}


def test_a_cell_is_as_dark_as_its_fraction_and_its_number_is_read_on_it():
    with house_style():
        figure = Figure()
        axes = figure.add_subplot()
        shaded_cells(axes, np.array([[0.25, 0.875], [0.0, np.nan]]), numbers=True)
        text = inline(as_svg(figure), "heat")
    # Column and row: nothing is drawn for 0 and for none.
    assert cells(axes) == {(0, 0): 0.25, (1, 0): 0.875}
    tints = {text.get_text(): text.get_color() for text in axes.texts}
    assert tints == {"25": INK, "88": PAPER, "0": INK, "–": INK}
    assert axes.get_ylim() == (1.5, -0.5)  # row 0 at the top
    # White on a page's dark cell would be dark: all colours are the page's own.
    assert not re.search(r"#[0-9a-f]{6}", text)
    assert text.count("var(--accent)") == 2
    assert ACCENT not in text


def study(models):
    """Models of whose images classifiers of real images know one half of the first class."""
    details = {
        "gan_test": {
            "accuracy_by_class": [0.5, None],
            "confusion": [[3, 1], [0, 0]],
            "baseline": {"accuracy_by_class": [0.75, 1.0]},
        }
    }
    run = made({f"m{k}": same(10.0 + k, 1) for k in range(models)})
    (summary,) = summaries(run.study, run.plan, run.results, run.references, METRICS)
    listed = tuple(replace(model, details=details) for model in summary.models)
    return replace(summary, models=listed, reference={"classes": ["bag", "boot"]})


def test_real_images_stand_above_the_models():
    figure = by_class.figure(study(2))
    assert figure is not None
    (axes,) = figure.axes  # GAN-train was not measured
    assert [label.get_text() for label in axes.get_yticklabels()] == ["real images", "m0", "m1"]
    # A class of which there are no images has no cell.
    assert cells(axes) == {(0, 0): 0.75, (1, 0): 1.0, (0, 1): 0.5, (0, 2): 0.5}


def test_predicted_classes_are_fractions_of_the_requested_class_of_at_most_twelve_models():
    figure = confusion.figure(study(2))
    assert figure is not None
    assert [cells(axes) for axes in figure.axes] == [{(0, 0): 0.75, (1, 0): 0.25}] * 2
    assert "Of the models" not in confusion.how_to_read(study(12))
    many = confusion.figure(study(13))
    assert many is not None
    assert [axes.get_title(loc="left") for axes in many.axes] == [f"m{k}" for k in range(12)]
    assert "Only the best 12 models are shown." in confusion.how_to_read(study(13))
