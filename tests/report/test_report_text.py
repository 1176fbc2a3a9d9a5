from pathlib import Path

import pytest

from coequal.analysis.summary import summarise
from coequal.formatting import (
    amount,
    duration,
    interval,
    listed,
    number,
    p_value,
    plain,
    probability,
    size,
)
from coequal.report.style import spread
from coequal.report.terminal import verdict_lines
from coequal.report.verdict_text import (
    facts,
    how_sure,
    power_sentence,
    progress,
    rerun_sentence,
    verdict_sentence,
)
from coequal.results.folder import RunFolder

from fabricated_run import Run, build, same
from fabricated_study import realistic


def test_numbers_have_four_digits():
    values = (0.41321, 34.1234, 812.34, 12345.6, 1.2e-5, 0.0, float("nan"), float("inf"), None)
    written = ["0.4132", "34.12", "812.3", "12,346", "1.20e-05", "0", "–", "failed", "–"]
    assert [number(value) for value in values] == written
    assert [amount(value) for value in (1500.4, 80.04, 1.234)] == ["1,500", "80.0", "1.23"]
    assert [probability(value) for value in (0, 0.001, 0.5, 0.999, 1)] == [
        *("0.00", "<0.01", "0.50", ">0.99", "1.00")
    ]
    assert [p_value(value) for value in (0.02891, 1e-6)] == ["0.029", "<0.0001"]
    assert [interval(ends) for ends in (None, (1, None), (1, 2), (-1, 2))] == [
        *("", "", "1.00–2.00", "-1.00 to 2.00")
    ]
    assert [plain(value) for value in (True, 5, 0.00012345, "x")] == ["true", "5", "0.0001234", "x"]
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_too_few_settings_are_said_to_be_too_few(tmp_path: Path):
    summary = summarise(realistic(tmp_path / "run"))[0]
    # 2 / C(8, 4) = 0.029; 0.05 / 28 pairs = 0.0018.
    assert verdict_sentence(summary) == (
        "No model is shown to be worse than another. No ranking is possible: with 4 settings each, "
        "the smallest attainable p-value is 0.029; comparing 8 models requires 0.0018."
    )


def test_the_beaten_are_named(tmp_path: Path):
    runs = {
        "vae": [Run([(value, value)]) for value in (5, 6, 7, 8)],
        "ns_gan": [Run([(value, value)]) for value in (1, 2, 3, 4)],
    }
    summary = summarise(build(tmp_path / "run", runs))[0]
    sentence = "NS GAN was not shown to be beaten; VAE was, at 95 %."
    assert verdict_sentence(summary) == sentence
    # Chosen: 1 and 5, so 4 apart, which is 400 % of 1.
    assert facts(summary)[0] == (
        "The lowest test FD of a setting chosen on validation is 1.00, by NS GAN with the authors' "
        "setting; the runner-up, VAE, has 5.00, 400.0 % away."
    )


def test_durations_and_sizes_have_the_unit_that_fits():
    assert [duration(s) for s in (40, 119, 180, 9000)] == ["40 s", "119 s", "3 min", "2.5 h"]
    assert [duration(s, decimals=1) for s in (2.34, 200)] == ["2.3 s", "3.3 min"]
    assert [size(n) for n in (5, 4096, 12_345_678, 3e15)] == [
        "5 B",
        "4.1 kB",
        "12.3 MB",
        "3e+03 TB",
    ]


def test_the_tier_is_not_called_equal(tmp_path: Path):
    runs = {
        "vae": [Run([(value, value)]) for value in (1, 3, 5, 7)],
        "ns_gan": [Run([(value, value)]) for value in (2, 4, 6, 8)],
    }
    lines = " ".join(verdict_lines(summarise(build(tmp_path / "run", runs))))
    assert "No model was shown to be beaten, at 95 %." in lines
    assert "which does not mean that they are equal" in lines


def test_an_unfinished_study_says_what_is_missing(unfinished: RunFolder):
    summary = summarise(unfinished)[0]
    assert progress(summary) == (
        "3 of 8 trials of the search have results. Incomplete: NS GAN 2 of 4 and VAE 1 of 4."
    )
    assert verdict_sentence(summary).startswith("So far: no model is shown")
    assert "with 1 to 2 settings each" in verdict_sentence(summary)


def test_nothing_and_only_failures_have_words(tmp_path: Path):
    empty = summarise(build(tmp_path / "empty", {"ns_gan": [None], "vae": [None]}))[0]
    assert verdict_sentence(empty) == "There are no results yet."
    assert facts(empty) == []
    failed = summarise(build(tmp_path / "failed", {"ns_gan": [Run(status="failed")]}))[0]
    assert "nothing to compare" in verdict_sentence(failed)
    assert facts(failed)[0] == "No trial has a score."


def test_the_table_shows_every_model_and_its_failures(small: RunFolder):
    lines = verdict_lines(summarise(small))
    assert [line.split() for line in lines[-2:]] == [
        ["NS", "GAN", "4/4", "35.00", "41.00", "1/4"],
        ["VAE", "4/4", "–", "diverged", "4/4"],
    ]


def test_no_line_is_wider_than_a_hundred_columns(tmp_path: Path):
    runs = {"a" * 150: [Run([(1, 1)])], "b " * 80: [Run([(2, 2)]), None]}
    folder = build(tmp_path / "run", runs, data=("one", "two"))
    lines = verdict_lines(summarise(folder))
    assert max(len(line) for line in lines) <= 100
    assert "== two ==" in lines


def test_the_terminal_says_the_reruns_too(tmp_path: Path):
    fresh = {("ns_gan", "fashion_mnist", 0): [*same(12, 9), Run(status="failed")]}
    runs = {"ns_gan": same(10, 4)}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 10})
    lines = verdict_lines(summarise(folder))
    assert lines[-2].endswith("re-runs")
    # Ten runs, nine at 12 and one failure: the median leads.
    assert lines[-1].endswith("median 12.00, 1/10 failed")


def test_how_sure_names_method_budget_and_the_last_defeat(tmp_path: Path):
    runs = {
        "vae": [Run([(value, value)]) for value in (5, 6, 7, 8)],
        "ns_gan": [Run([(value, value)]) for value in (1, 2, 3, 4)],
    }
    summary = summarise(build(tmp_path / "run", runs))[0]
    first, second = how_sure(summary)
    assert first.startswith("We compare one random setting of one model with one of the other")
    assert "exact permutation distribution, Bonferroni" in first
    # Completely apart: p = 2 / C(8, 4) = 2/70 = 0.029, two models need 0.05.
    assert second == (
        "VAE was eliminated last: NS GAN beats it with probability 1.00 (p = 0.029; threshold "
        "0.05)."
    )


def test_what_it_would_take_is_a_range_in_words(tmp_path: Path):
    # Twins in everything: D = 0, so nothing that can be named is enough.
    runs = {name: [Run([(10 + k, 10 + k)]) for k in range(20)] for name in ("ns_gan", "vae")}
    summary = summarise(build(tmp_path / "run", runs))[0]
    sentence = power_sentence(summary)
    assert sentence.startswith(
        "As a single comparison, separating NS GAN from VAE at 95 % would take at least "
    )
    assert "more settings of each, at the same budget n = 2, and may be impossible." in sentence
    assert sentence.endswith("The verdict, which accounts for all pairs, takes more.")
    few = summarise(realistic(tmp_path / "few"))[0]
    assert power_sentence(few) == ""  # nothing could have been separated: said by the verdict


def test_the_rerun_verdict_compares_settings(tmp_path: Path):
    runs = {"ns_gan": same(10, 4), "vae": same(30, 4)}
    fresh = {
        (name, "fashion_mnist", 0): [Run([(v + 0.1 * k, v + 0.1 * k)]) for k in range(6)]
        for name, v in (("ns_gan", 10), ("vae", 30))
    }
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 6})
    assert rerun_sentence(summarise(folder)[0]) == (
        "Chosen settings, 6 fresh seeds of each: VAE with its authors' setting was shown to be "
        "worse than another setting, at 95 %; NS GAN with its authors' setting was not (a "
        "screening only: a claim takes 10 seeds). This says nothing about the models: the choice "
        "of a setting is one draw, and of two identical models, each searched with 20 settings, 10 "
        "seeds told the chosen settings apart in 63 to 69 % of simulated studies."
    )


def test_too_few_reruns_are_said_to_be_too_few(tmp_path: Path):
    runs = {"ns_gan": same(10, 4), "vae": same(30, 4)}
    fresh = {(name, "fashion_mnist", 0): same(20, 3) for name in runs}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 3})
    assert "takes 5 seeds or more" in rerun_sentence(summarise(folder)[0])


def test_missing_reruns_are_missing(tmp_path: Path):
    runs = {"ns_gan": same(10, 4), "vae": [*same(30, 3), None]}
    fresh = {("ns_gan", "fashion_mnist", 0): [*same(20, 2), None]}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 3})
    # Three re-runs of each of two models are planned; those of VAE can't be named yet.
    assert progress(summarise(folder)[0]) == (
        "7 of 8 trials of the search have results. Incomplete: VAE 3 of 4. 2 of 6 re-runs have "
        "results (they are chosen once the search has ended)."
    )


def test_labels_are_moved_apart_as_little_as_needed():
    assert spread([0.5, 0.1, 0.52], 0.1, 0, 1) == pytest.approx([0.46, 0.1, 0.56])
    assert spread([0.99, 0.99, 0.0], 0.1, 0, 1) == pytest.approx([0.9, 1.0, 0.0])
    assert spread([0.3, 0.3, 0.3], 0.6, 0, 1) == pytest.approx([0.0, 0.6, 1.2])  # no room
    assert spread([], 0.1, 0, 1) == []
