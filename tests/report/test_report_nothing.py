"""Pieces that have nothing to show: one line each with the reason, and no figure or table."""

import re
from pathlib import Path

import pytest

from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder

from fabricated_run import Run, build, same


def omitted(page: Path) -> dict[str, str]:
    """The reason by the titles that it is given for."""
    lines = re.findall(r"<li><b>(.*?)</b>: (.*?)</li>", page.read_text())
    assert len({titles for titles, _ in lines}) == len(lines)
    return {title: why for titles, why in lines for title in re.split(r", (?!with)| and ", titles)}


def figures(folder: RunFolder) -> set[str]:
    found = (folder.path / "report" / "figures").glob("fashion_mnist-*.svg")
    return {path.stem.removeprefix("fashion_mnist-") for path in found}


@pytest.fixture
def one(tmp_path: Path) -> RunFolder:
    """One drawn setting of each model beside the authors', measured once, without re-runs."""
    runs = {name: [Run([(v, v)]), Run([(v + 9, v + 9)])] for name, v in (("vae", 50), ("wgan", 20))}
    return build(tmp_path / "run", runs)


def test_a_search_of_one_setting_has_no_figure_of_one_dot(one: RunFolder):
    lines = omitted(write_report(one))
    assert lines["Distribution of FD over settings"] == "Every model has 1 drawn setting."
    for title in ("Best of n", "Best of n, with intervals", "Rank against budget", "Rank flips"):
        assert lines[title] == (
            "Every model has 1 drawn setting; a curve over the number of settings needs 4."
        )
    assert lines["Over training"] == "Every run was measured at one checkpoint only."
    assert lines["Re-runs of the chosen settings"] == "The study plans no re-runs."
    assert lines["Health"] == lines["Which settings fail"] == "No run was monitored."
    assert lines["Failures"] == "None of the 4 trials of the search failed."
    assert figures(one) <= {"tiers", "tiers_narrow", "samples"}


def test_the_markdown_has_the_same_lines(one: RunFolder):
    text = write_report(one).with_name("report.md").read_text()
    assert "- *Over training*: Every run was measured at one checkpoint only." in text
    assert text.count("Every model has 1 drawn setting") == 3  # for pairs, dots and curves


def test_four_settings_have_curves_and_three_have_none(tmp_path: Path):
    # n ends at half of the settings: 1 of 3 settings is a point, 1 and 2 of 4 are a line.
    for settings, drawn in ((3, False), (4, True)):
        runs = {name: same(10, settings + 1) for name in ("vae", "wgan")}
        folder = build(tmp_path / str(settings), runs)
        lines = omitted(write_report(folder))
        assert ("best_of_n" in figures(folder)) is drawn
        assert ("Best of n" in lines) is not drawn


def test_curves_that_never_cross_are_one_line(tmp_path: Path):
    runs = {"vae": same(50, 9), "wgan": same(20, 9)}
    lines = omitted(write_report(build(tmp_path / "run", runs)))
    assert lines["Rank flips"] == "No model overtakes another as the budget grows."


def test_one_rerun_of_each_setting_is_no_figure(tmp_path: Path):
    runs = {"vae": same(50, 4), "wgan": same(20, 4)}
    again = {(name, "fashion_mnist", 0): [Run([(9, 9)])] for name in runs}
    folder = build(tmp_path / "run", runs, again=again, reruns={"best": 1, "seeds": 1})
    lines = omitted(write_report(folder))
    assert lines["Re-runs of the chosen settings"] == "Every chosen setting has only one re-run."
