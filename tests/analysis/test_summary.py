import math
from pathlib import Path

import pytest

from coequal.analysis.metric import NamedMetric
from coequal.analysis.range_position import declared_ranges, range_position
from coequal.analysis.summary import summarise
from coequal.files import write_json
from coequal.ranges import Choice, LogUniform, Uniform
from coequal.results.folder import RunFolder
from coequal.statistics.rates import wilson

from fabricated_run import METRICS, Run, build


def test_a_setting_is_chosen_by_validation_and_reported_by_test(small: RunFolder):
    ns_gan = summarise(small)[0].models[0]
    # Validation at the last checkpoint: 40, 31, failed, 32; the lowest test is that of setting 3.
    assert ns_gan.chosen is not None
    assert (ns_gan.chosen.number, ns_gan.chosen.test) == (1, 35)
    # Its validation: 36, 30, 31, so the second checkpoint is its best (step 200, test 33).
    assert ns_gan.chosen.best is not None
    assert (ns_gan.chosen.best.step, ns_gan.chosen.best.test) == (200, 33)
    # The oracle looks at the test values of all finished runs: setting 3 ends at 30.
    assert ns_gan.oracle == 30
    assert ns_gan.authors is not None
    assert ns_gan.authors.test == 41


def test_failures_are_worst_in_medians_and_the_cap_in_means(small: RunFolder):
    summary = summarise(small)[0]
    ns_gan, vae = summary.models
    assert ns_gan.median == 35  # of 30, 35, failed; the authors' 41 is no draw
    # By validation: setting 1 (35), 3 (30), the failure (cap 800).
    # n = 1: (35 + 30 + 800) / 3; beyond n/B = 0.5 nothing.
    curve = summary.curves["ns_gan"]
    assert [point.expected for point in curve.points] == pytest.approx([865 / 3])
    assert curve.observed == 35
    assert [setting.number for setting in ns_gan.failures] == [2]
    assert ns_gan.failure_interval == pytest.approx(wilson(1, 3))
    assert vae.chosen is None
    assert vae.median == math.inf
    assert [p.expected for p in summary.curves["vae"].points] == pytest.approx([800])


def test_means_of_what_was_spent_include_failures(small: RunFolder):
    ns_gan = summarise(small)[0].models[0]
    assert ns_gan.gflops == pytest.approx(1.75)  # (3 * 2 + 1) / 4
    assert ns_gan.seconds == pytest.approx(3.5)  # (3 * 4 + 2) / 4
    assert ns_gan.generator_steps == (300, 300)


def test_a_failed_trial_has_no_score_even_if_it_was_measured(small: RunFolder):
    failed = summarise(small)[0].models[0].settings[1]
    assert failed.failed
    assert math.isnan(failed.test)
    assert failed.checkpoints[0].test == 61


def test_a_done_trial_without_the_metric_counts_as_failed(tmp_path: Path):
    folder = build(tmp_path / "run", {"ns_gan": [Run(), Run([(2, 3)])]})
    first, second = summarise(folder)[0].models[0].tried
    assert first.failed
    assert "fd is missing" in first.reason
    assert not second.failed


def test_without_a_cap_only_models_without_failures_have_a_curve(small: RunFolder):
    write_json(small.path / "references.json", {})
    summary = summarise(small)[0]
    assert (summary.cap, summary.floor) == (None, None)
    assert summary.curves == {}
    assert summary.ranks is None
    assert summary.cost_curves == {"flops": {}, "seconds": {}}


def test_an_unfinished_study_counts_only_what_has_a_result(unfinished: RunFolder):
    summary = summarise(unfinished)[0]
    assert (summary.ended, summary.planned) == (3, 8)
    # The authors' setting of ns_gan and one draw: n = 1 of 1 is beyond half, and only observed.
    curve = summary.curves["ns_gan"]
    assert curve.points == ()
    assert curve.observed == 35
    assert not summary.finished


def test_the_verdict_is_over_the_random_settings_test_values(tmp_path: Path):
    # The authors' settings, first, are the other way round, and count for nothing.
    good = [Run([(value, value)]) for value in (90, 1, 2, 3, 4, 5, 6)]
    bad = [Run([(value, value)]) for value in (0.1, 11, 12, 13, 14, 15, 16)]
    found = summarise(build(tmp_path / "run", {"vae": bad, "ns_gan": good}))[0].verdict
    assert found is not None
    (pair,) = found.pairs
    assert (pair.winner, pair.settings, found.settings) == ("ns_gan", 6, {"vae": 6, "ns_gan": 6})
    # Completely apart: 2 of 2^6 swaps are as clear, 0.03125, and two models need 0.05.
    assert pair.p_value == 2 / 2**6


def test_more_is_better_for_some_metrics(tmp_path: Path):
    runs = {"ns_gan": [Run([(1, 10)]), Run([(2, 20)]), Run(status="failed")]}
    folder = build(tmp_path / "run", runs)
    lower = summarise(folder)[0].models[0]
    summary = _as_metric(folder, "coverage")
    higher = summary.models[0]
    assert lower.chosen is not None
    assert higher.chosen is not None
    assert (lower.chosen.number, higher.chosen.number) == (0, 1)
    assert summary.curves["ns_gan"].observed == 20
    assert summary.curves["ns_gan"].points[0].expected == 10  # of 10, 20 and a failure at 0
    assert NamedMetric("recall", METRICS["recall"]).better == "higher is better"
    assert NamedMetric("fd", METRICS["fd"]).better == "lower is better"


def _as_metric(folder: RunFolder, name: str):
    """The same results with another metric's name."""
    write_json(folder.path / "references.json", {"fashion_mnist": {"cap": {name: 0.0}}})
    study = folder.path / "study.json"
    study.write_text(study.read_text().replace('"fd"', f'"{name}"'))
    for path in folder.path.glob("trials/*/*/result.json"):
        path.write_text(path.read_text().replace('"metric":"fd"', f'"metric":"{name}"'))
    return summarise(folder)[0]


def test_protocols_never_share_a_column(tmp_path: Path):
    folder = build(tmp_path / "run", {"ns_gan": [Run([(1, 1)]), Run([(2, 2)])]})
    path = sorted(folder.path.glob("trials/*/*/result.json"))[0]
    path.write_text(path.read_text().replace("n=5000", "n=10000"))
    with pytest.raises(ValueError, match="never share a column"):
        summarise(folder)


def test_another_rule_of_selection_is_refused(tmp_path: Path):
    rule = {"metric": "fd", "split": "test", "checkpoint": "last"}
    folder = build(tmp_path / "run", {"ns_gan": [Run([(1, 1)])]}, select=rule)
    with pytest.raises(ValueError, match="split test"):
        summarise(folder)


@pytest.mark.parametrize(
    ("value", "space", "position", "flag"),
    [
        (0.5, Uniform(0, 2), 0.25, ""),
        (1e-4, LogUniform(1e-5, 1e-1), 0.25, ""),  # one of four decades up
        (0.05, Uniform(0, 1), 0.05, "near the low end"),
        (0.96, Uniform(0, 1), 0.96, "near the high end"),
        (3, Uniform(0, 2), 1.5, "outside the range"),
        (5, Choice((1, 5)), None, ""),
        (2, Choice((1, 5)), None, "outside the range"),
        (2, None, None, ""),
    ],
)
def test_the_place_of_a_value_in_its_range(value, space, position, flag):
    found = range_position("x", value, space)
    assert found.position == (None if position is None else pytest.approx(position))
    assert found.flag == flag


def test_ranges_are_read_as_the_study_writes_them():
    study = {
        "models": [
            {
                "name": "a",
                "wide": {"x": {"log_uniform": [1e-5, 1e-2]}, "y": {"uniform": [0, 1]}},
                "narrow": {"x": {"choice": [1, 5]}},
            }
        ],
        "search": {"space": "wide", "ranges": {"y": {"uniform": [0, 2]}, "z": {"choice": [1]}}},
    }
    # The study's own range wins, and only where the model has such a hyperparameter.
    assert declared_ranges(study, "a") == {"x": LogUniform(1e-5, 1e-2), "y": Uniform(0, 2)}
    tricks = study | {"tricks": {"z": 1}}
    assert declared_ranges(tricks, "a")["z"] == Choice((1,))  # a trick is a setting of all models
    narrow = {"models": study["models"], "search": {"space": "narrow"}}
    assert declared_ranges(narrow, "a") == {"x": Choice((1, 5))}
    assert declared_ranges(study, "unknown") == {}
