"""No number that people read has more figures than its error allows."""

import re

import pytest

from coequal.analysis.across_datasets import study_summary
from coequal.analysis.summary import summarise
from coequal.reporting.table import Cell
from coequal.results.folder import RunFolder
from figures_of_numbers import problem, too_precise


@pytest.mark.parametrize(
    ("cell", "wrong"),
    [
        (Cell("34.1"), ""),
        (Cell("34.12"), "more than three figures"),
        (Cell("12,345"), ""),  # all of a whole part
        (Cell("34.12", "± 0.10, 3 runs"), ""),
        (Cell("34.123", "± 0.10, 3 runs"), "other decimals"),
        (Cell("34.12 ± 0.10"), ""),
        (Cell("34.123 ± 0.105"), "an error of more than two figures"),
        (Cell("34.1 ± 0.10"), "other decimals"),
        (Cell("265", "220–310"), ""),
        (Cell("265.12", "220–310"), "more than two figures of its interval"),
        (Cell("0.56", "0.42 to 0.70"), ""),
        (Cell("0.561", "0.42 to 0.70"), "more than two figures of its interval"),
        (Cell("-0.5"), "a hyphen"),
        (Cell("rank 1 of 3", "p = <0.0001"), "an equals sign"),
    ],
)
def test_what_is_too_precise_is_found(cell, wrong):
    assert problem(cell).startswith(wrong)
    assert bool(problem(cell)) == bool(wrong)


def test_the_errors_of_scores_allow_their_decimals():
    assert problem(Cell("34.12"), finest=2) == ""
    assert problem(Cell("34.123"), finest=2)


def test_no_table_is_too_precise(reported: RunFolder, everything: RunFolder):
    for folder in (reported, everything):
        assert too_precise(study_summary(summarise(folder), folder.study())) == []


def test_no_sentence_has_an_equals_sign_before_a_bound(everything: RunFolder):
    for name in ("index.html", "report.md"):
        text = (everything.path / "report" / name).read_text()
        assert not re.search(r"= ?(<|&lt;|\\<)\s?0", text)
        assert "% away" not in text
