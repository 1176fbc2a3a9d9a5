"""Settings as lines through their hyperparameters to their scores."""

import re

import numpy as np
from matplotlib.collections import LineCollection

from coequal.analysis.summary import summarise
from coequal.reporting import marks
from coequal.reporting.evidence import parallel_coordinates as lines
from coequal.reporting.evidence.parallel_coordinates import LANE, SPREAD, figure
from coequal.reporting.style import as_marked_svg, inline

from fabricated_run import Run, made, written


def runs(tests, **settings):
    """The authors' setting and random ones, with these test values and settings."""
    return [
        Run([(test, test)], settings={name: values[k] for name, values in settings.items()})
        for k, test in enumerate(tests)
    ]


def summary_of(path, found, ranges):
    run = made(found)
    for about in run.study["models"]:
        about |= {
            "settings": dict.fromkeys(ranges[about["name"]], 1),
            "wide": ranges[about["name"]],
        }
    return summarise(written(path, run))[0]


def two_models(tmp_path):
    found = {
        "ns_gan": runs((10, 20, 30, 40), lr=(0.01, 0.0001, 0.001, 0.01)),
        "wgan": runs((10, 15, 20, 70), lr=(0.001,) * 4, clip=(1, 5, 1, 5)),
    }
    rate, clip = {"log_uniform": [1e-4, 1e-2]}, {"choice": [1, 5]}
    return summary_of(tmp_path, found, {"ns_gan": {"lr": rate}, "wgan": {"lr": rate, "clip": clip}})


def paths_of(drawn) -> list[np.ndarray]:
    return [c.get_segments() for c in drawn.axes[0].collections if isinstance(c, LineCollection)]


def test_lines_cross_axes_at_their_values(tmp_path):
    drawn = figure(two_models(tmp_path))
    ns_gan, wgan = paths_of(drawn)
    # lr is logarithmic: 0.01 at the top, 0.0001 at the bottom, 0.001 in the middle.
    assert [round(path[0][1], 6) for path in ns_gan] == [1, 0, 0.5, 1]
    assert [round(path[0][1], 6) for path in wgan] == [0.5] * 4
    # NS GAN has no clip: below the axis. Of two values 1 is at a quarter, 5 at three quarters.
    assert all(abs(path[1][1] - LANE) <= SPREAD / 2 for path in ns_gan)
    assert np.allclose([path[1][1] for path in wgan], [0.25, 0.75, 0.25, 0.75], atol=SPREAD / 2)
    # Scores from 10 to 70, linear (less than a factor of 8), less is better: 10 on top.
    assert np.allclose([path[2][1] for path in ns_gan], [1, 5 / 6, 4 / 6, 3 / 6])
    assert np.allclose([path[2][1] for path in wgan], [1, 55 / 60, 50 / 60, 0])


def test_every_line_is_a_trial_and_the_chosen_ones_are_strong(tmp_path):
    summary = two_models(tmp_path)
    drawn = figure(summary)
    rows = {trial.trial: k for k, trial in enumerate(t for m in summary.models for t in m.tried)}
    page = marks.numbered(inline(as_marked_svg(drawn), "a"), rows)
    found = re.findall(r'data-t="([^"]*)"', page)
    assert sorted(found) == [
        "0",
        "0",
        "0-3",
        "4",
        "4",
        "4-7",
    ]  # a line and a dot of each chosen one
    assert page.count("stroke-opacity: 0.35") == 2  # said once for all lines of a model


def test_a_failure_ends_below_the_axis(tmp_path):
    found = {"ns_gan": [*runs((10, 20, 30, 40, 50), lr=(0.1, 0.2, 0.3, 0.4, 0.5))]}
    found["ns_gan"].append(Run(status="diverged", reason="nan", settings={"lr": 0.9}))
    drawn = figure(summary_of(tmp_path, found, {"ns_gan": {"lr": {"uniform": [0, 1]}}}))
    ((*_, last),) = paths_of(drawn)
    assert last[0][1] == 1
    assert abs(last[1][1] - LANE) <= SPREAD / 2


def test_nothing_is_drawn_where_there_is_nothing_to_compare(tmp_path):
    few = {"ns_gan": runs((10, 20, 30), lr=(0.1, 0.2, 0.3))}
    ranges = {"ns_gan": {"lr": {"uniform": [0, 1]}}}
    assert figure(summary_of(tmp_path / "few", few, ranges)) is None
    same = {"ns_gan": runs((10, 20, 30, 40, 50, 60), lr=(0.1,) * 6)}
    assert figure(summary_of(tmp_path / "same", same, ranges)) is None


def test_of_many_settings_a_part_is_drawn_and_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINES", 4)
    rates = [k / 10 for k in range(8)]
    found = {"ns_gan": runs([10 + k for k in range(8)], lr=rates)}
    summary = summary_of(tmp_path, found, {"ns_gan": {"lr": {"uniform": [0, 1]}}})
    (drawn,) = paths_of(figure(summary))
    assert len(drawn) == 4
    assert "About 4 of the 8 settings are drawn" in lines.how_to_read(summary)
