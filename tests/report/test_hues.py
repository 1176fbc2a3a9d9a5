"""Models are told apart by their colours, with any kind of colour vision; many models have none."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from coequal.analysis.hues import MOST_HUES, with_hues
from coequal.analysis.summary import summaries
from coequal.reporting.evidence import cost
from coequal.reporting.style import COLOURS, MUTED, ON_DARK, colour, variable
from coequal.reporting.table import name_cell

from fabricated_run import METRICS, Run, made, same

# Linear RGB as seen without the cones for red, green or blue: Machado, Oliveira and Fernandes 2009,
# severity 1.
VISION = {
    "all cones": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
DARK_MUTED = "#9aa4b2"


def linear(colour):
    values = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x = TO_XYZ @ np.clip(rgb, 0, 1) / (0.95047, 1, 1.08883)
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def ciede2000(one, other):
    """Sharma, Wu and Dalal 2005."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 1.5 - 0.5 * np.sqrt(c**7 / (c**7 + 25.0**7))
    c1, c2 = np.hypot(g * a1, b1), np.hypot(g * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, g * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    cosines = (0.17, 1, 30), (-0.24, 2, 0), (-0.32, 3, -6), (0.2, 4, 63)
    t = 1 - sum(w * np.cos(np.radians(k * hue - at)) for w, k, at in cosines)
    lightness = (l2 - l1) / (1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2))
    chroma, turned = (c2 - c1) / (1 + 0.045 * cm), dh / (1 + 0.015 * cm * t)
    bend = 2 * np.sqrt(cm**7 / (cm**7 + 25.0**7))
    bend *= -np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return np.sqrt(lightness**2 + chroma**2 + turned**2 + bend * chroma * turned)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # of the table of test data of Sharma et al. 2005: rows 1, 7, 17 and 25
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_the_difference_of_colours_is_that_of_the_paper(one, other, expected):
    assert ciede2000(one, other) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("colours", "grey"), [(COLOURS, MUTED), (ON_DARK, DARK_MUTED)])
def test_any_two_colours_are_told_apart(colours, grey, vision):
    assert len(colours) == MOST_HUES
    seen = [lab(np.array(VISION[vision]) @ linear(c)) for c in (*colours, grey)]
    # Before the search, of the ten colours after Okabe and Ito and Tol: 5 on white, 2 on dark.
    assert min(ciede2000(one, other) for one, other in combinations(seen, 2)) >= 10.8


def study(count, *, against=(), best="m3", data=("fashion_mnist",)):
    """That many models, of which `best` has the best scores."""
    names = [f"m{k}" for k in range(count)]
    runs = {name: same(1.0 if name == best else 5.0 + k, 2) for k, name in enumerate(names)}
    run = made(runs, data=data)
    for model in run.study["models"]:
        if model["name"] in against:
            model["against"] = against[model["name"]]
    return summaries(run.study, run.plan, run.results, run.references, METRICS)


def test_up_to_twelve_models_have_a_colour_each_and_from_thirteen_on_the_best_alone():
    (twelve,) = study(12)
    assert [m.hue for m in twelve.models] == list(range(12))
    (thirteen,) = study(13)
    assert {m.name: m.hue for m in thirteen.models if m.hue is not None} == {"m3": 0}
    assert [name_cell(m).hue for m in thirteen.models[2:5]] == [None, 0, None]
    assert (colour(None), variable(None)) == (MUTED, "var(--muted)")
    assert (colour(0), variable(0)) == (COLOURS[0], "var(--m0)")


def test_the_models_that_others_are_compared_with_keep_a_colour():
    (summary,) = study(15, against={"m1": "m7", "m2": "m5", "m4": "m7"})
    found = {m.name: m.hue for m in summary.models if m.hue is not None}
    assert found == {"m5": 0, "m7": 1, "m3": 2}  # in the study's order, then the best


def test_a_model_has_the_same_colour_on_all_data_sets():
    worse = {f"m{k}": same(9.0 if k == 3 else 2.0 if k == 8 else 5.0, 2) for k in range(14)}
    better = {f"m{k}": same(1.0 if k == 3 else 5.0, 2) for k in range(14)}
    run = made(better, data=("a", "b"), per_data={"b": worse})
    found = summaries(run.study, run.plan, run.results, run.references, METRICS)
    hues = [{m.name: m.hue for m in one.models if m.hue is not None} for one in found]
    assert hues == [{"m3": 0, "m8": 1}] * 2


def test_the_best_is_told_by_re_runs_where_there_are_any():
    # By the search m3 with 1, by its re-runs at 20 m4 with 10.
    names = [f"m{k}" for k in range(13)]
    runs = {name: same(1.0 if name == "m3" else 5.0, 1) for name in names}
    again = {("m3", "fashion_mnist", 0): same(20.0, 6), ("m4", "fashion_mnist", 0): same(10.0, 6)}
    run = made(runs, again=again, reruns={"best": 1, "seeds": 6})
    (found,) = summaries(run.study, run.plan, run.results, run.references, METRICS)
    assert {m.name for m in found.models if m.hue is not None} == {"m4"}
    unfinished = [replace(found, models=tuple(replace(m, hue=5) for m in found.models))]
    assert with_hues(unfinished)[0].models == found.models


def test_models_without_a_colour_share_an_entry_of_the_legend():
    def labels(count):
        names = [f"m{k}" for k in range(count)]
        runs = {n: [Run([(5.0 + k, 5.0 + k)]) for k in range(6)] for n in names}
        run = made(runs)
        (summary,) = summaries(run.study, run.plan, run.results, run.references, METRICS)
        figure = cost.figure(summary)
        assert figure is not None
        return [text.get_text() for text in figure.legends[0].get_texts()]

    assert labels(3) == ["m0", "m1", "m2"]
    assert labels(13) == ["m0", "other models"]  # all are equal: the first counts as the best
