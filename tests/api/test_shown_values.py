"""Scores, comparisons and health as a prompt and a notebook show them."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import coequal as cq
from coequal.reporting.shown_values import Diagnosis, ManifoldScores, Scores, aligned

RNG = np.random.default_rng(3)
REAL, NEAR, FAR = (RNG.normal(shift, 1.0, (200, 4)) for shift in (0.0, 0.2, 1.5))


@pytest.fixture(scope="module")
def scored() -> Scores:
    return cq.score(real=REAL, fake=NEAR, metrics=["fd", "recall"])


def test_scores_are_a_dict_that_shows_itself_as_a_table(scored):
    assert isinstance(scored, dict)
    assert {"metrics", "encoder", "real", "fake", "warnings"} <= scored.keys()
    lines = repr(scored).splitlines()
    assert lines[0].split()[:2] == ["metric", "value"]
    names = [line.split()[0] for line in lines[1 : 1 + len(scored["metrics"])]]
    assert names == [*scored["metrics"]]
    value = scored["metrics"]["fd"]["value"]
    shown = float(lines[1].split()[1].replace(",", ""))
    assert shown == pytest.approx(value, rel=0.05)
    html = scored._repr_html_()
    assert len(re.findall(r"<tr", html)) == 1 + len(scored["metrics"])
    assert not re.findall(r"(?:src|href)=", html)


def test_scores_are_written_for_compare(scored, tmp_path):
    text = scored.to_json(tmp_path / "near.json")
    assert (tmp_path / "near.json").read_text() == text
    assert json.loads(text) == json.loads(json.dumps(scored))
    cq.score(real=REAL, fake=FAR, metrics=["fd", "recall"]).to_json(str(tmp_path / "far.json"))
    compared = cq.compare([tmp_path / "near.json", tmp_path / "far.json"])
    assert compared["pairs"][0]["metrics"]["fd"]["shown"] == "first"
    (line,) = [line for line in repr(compared).splitlines() if line.startswith("fd ")]
    assert line.split()[-1] == "first"
    assert "<table" in compared._repr_html_()


def test_several_sets_stand_side_by_side():
    found = cq.score(real=REAL, fake={"near": NEAR, "far": FAR}, metrics=["fd"])
    head, row, *rest = repr(found).splitlines()
    assert head.split() == ["metric", "1", "2", "better"]
    assert "> 2" in row  # the near ones are shown to be better
    assert "1: near (200 images)" in rest


def test_json_has_no_number_that_is_not_finite():
    values = Scores(metrics={"fd": {"value": math.nan}}, more=(math.inf, 1.5))
    assert json.loads(values.to_json()) == {"metrics": {"fd": {"value": None}}, "more": [None, 1.5]}


def test_a_diagnosis_says_verdict_evidence_and_remedies():
    trial = {"verdict": "collapsed", "step": 1200, "evidence": "all images alike."}
    one = Diagnosis(trial, remedies=[{"what": "lower the rate", "source": "paper"}])
    assert repr(one).splitlines()[0].startswith("collapsed since step 1,200: the generator")
    assert "try: lower the rate (paper)" in repr(one)
    row = {"trial": "abcdefgh12", "model": "vae", "data": "digits", "setting": 0}
    several = Diagnosis(trials=[row | trial, row | {"verdict": None, "step": None}])
    first = ["abcdefgh", "vae", "digits", "0", "collapsed", "1,200"]
    assert repr(several).splitlines()[1].split() == first
    assert repr(several).splitlines()[2].split()[-2:] == ["not", "judged"]


def test_scores_on_a_manifold_have_a_row_each():
    at = {"delta": 0.75, "precision": 0.5, "precision_low": 0.4, "precision_high": 0.6}
    shown = repr(ManifoldScores(at_delta=at, mean_squared_distance=1.25))
    assert [line.split()[0] for line in shown.splitlines() if line][:2] == ["metric", "precision"]
    assert "at delta 0.75; mean squared distance 1.25" in shown


def test_columns_of_a_table_stand_below_each_other():
    # Widths 3 and 4, two columns between them: "a" fills up to 3, "12" starts at 3 + 2 + 4 - 2 = 7.
    assert aligned([["key", "long"], ["a", "12"]]) == "key  long\na      12"


def test_text_is_escaped():
    assert (
        "&lt;b&gt;"
        in Diagnosis(verdict="healthy", step=None, evidence="<b>", remedies=[])._repr_html_()
    )


def test_paths_may_be_text(tmp_path):
    sheet = tmp_path / "sheet.png"
    images = RNG.random((40, 1, 8, 8), dtype=np.float32)
    cq.score(real=images, fake=images, metrics=["fd"], encoder="pixels", sheet=str(sheet))
    assert Path(sheet).exists()
