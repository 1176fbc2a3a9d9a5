"""`coequal.load` and `Run`: what a run says, from its folder or its pack."""

import csv
import json
import math
import re
import sys
from pathlib import Path

import pytest

import coequal as cq
from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder
from coequal.results.results_csv import write_tables
from coequal.study.parts import metric_infos
from coequal.study.plan import plan

from fabricated_run import NS_GAN, VAE, build, written
from fabricated_study import whole_study


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return build(tmp_path / "run", {"ns_gan": NS_GAN, "vae": VAE})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Two datasets, every phase."""
    made = whole_study(models=("ns_gan", "wgan", "vae"), settings=12, seeds=3, moved=2)
    return written(tmp_path_factory.mktemp("whole") / "run", made)


def test_the_records_are_the_rows_of_results_csv_typed(folder):
    run = cq.load(str(folder.path))
    write_tables(folder)
    with (folder.path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(run.records) == len(rows)
    assert [*run.records[0]] == [*rows[0]]
    for record, row in zip(run.records, rows, strict=True):
        assert record["trial"] == row["trial"]
        assert record["setting"] == int(row["setting"])
        assert record["chosen"] is (row["chosen"] == "1")
        expected = float(row["fd_test"]) if row["fd_test"] else None
        assert record["fd_test"] == expected


def test_results_are_a_data_frame_of_what_is_installed(folder, monkeypatch):
    frame = cq.load(folder.path).results
    pandas = pytest.importorskip("pandas")
    assert isinstance(frame, pandas.DataFrame)
    assert frame.fd_test.dtype == float
    assert list(frame.model.unique()) == ["ns_gan", "vae"]
    monkeypatch.setitem(sys.modules, "pandas", None)  # as if it were not installed
    other = cq.load(folder.path).results
    polars = pytest.importorskip("polars")
    assert isinstance(other, polars.DataFrame)
    assert other.height == len(frame)
    monkeypatch.setitem(sys.modules, "polars", None)
    run = cq.load(folder.path)
    assert run.results is run.records


def test_the_verdict_is_that_of_the_report(whole):
    run = cq.load(whole.path)
    page = run.report()
    stored = json.loads((page.parent / "verdict.json").read_text())
    assert run.verdict.sentence == stored["over_data_sets"]["sentence"]
    assert str(run.verdict) in repr(run.verdict)
    assert [*run.verdict.datasets] == ["fashion_mnist", "digits"]
    assert run.verdict.datasets["digits"] == stored["data_sets"][1]
    assert len(run.verdict.pairs) == 2 * 3  # datasets, and pairs of three models
    assert run.verdict.pairs[0]["data"] == "fashion_mnist"
    assert len(run.verdict.models) == 2 * 3


def test_the_report_is_that_of_the_command_line(folder, tmp_path):
    mine = cq.load(folder.path).report(tmp_path / "mine")
    theirs = write_report(folder)
    assert mine.read_bytes() == theirs.read_bytes()


def test_figures_are_drawn_when_asked_for(whole, tmp_path):
    figures = cq.load(whole.path).figures
    assert "digits/distribution" in figures
    assert "<svg" in figures["fashion_mnist/tiers"].svg
    figure = figures["digits/distribution"]
    assert figure is figures["digits/distribution"]
    assert figure._repr_svg_().startswith("<?xml")
    assert "<svg" in figure.svg
    assert figure.save(tmp_path / "d.svg").read_text() == figure.svg
    assert figure.save(tmp_path / "d.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match=r"as \.svg or \.pdf, not as d\.jpg"):
        figure.save(tmp_path / "d.jpg")
    with pytest.raises(KeyError, match="did you mean 'digits/distribution'"):
        figures["digits/distributions"]


def test_a_run_says_its_verdict_as_text_and_as_html(folder):
    run = cq.load(folder.path)
    text = repr(run)
    assert text.startswith(f"Run of 'made_up': 8 of 8 trials have a result\n{folder.path}\n")
    assert "NS GAN" in text
    html = run._repr_html_()
    assert run.verdict.sentence.split(".")[0].replace("'", "&#39;") in html
    rows = re.findall(r"<tr.*?</tr>", html, flags=re.DOTALL)
    assert len(rows) == 3  # a heading and two models
    assert not re.findall(r"(?:src|href)=\"(?!data:)", html)  # nothing to load
    assert "<style" not in html  # which notebooks on the web leave out
    assert "<script" not in html


def test_names_are_escaped(tmp_path):
    folder = build(tmp_path / "run", {"ns_gan": NS_GAN, "vae": VAE}, study="a <b> & c")
    assert "a &lt;b&gt; &amp; c" in cq.load(folder.path)._repr_html_()


def test_the_study_of_a_run_is_that_of_its_folder(tmp_path, folder):
    study = cq.Study("smoke")
    begun = RunFolder(tmp_path / "begun")
    begun.begin(study.yaml(), study.as_dict(), plan(study), metric_infos(study))
    found = cq.load(begun.path).study
    assert isinstance(found, cq.Study)
    assert found == study
    assert found.yaml() == study.yaml()  # with the comments of the file
    with pytest.raises(cq.StudyError, match="'ns_gan' is not one of"):  # no such objective
        _ = cq.load(folder.path).study


def test_a_pack_is_loaded_like_a_folder(whole, tmp_path):
    run = cq.load(whole.path)
    run.report()
    packed = cq.load(cq.pack(whole.path, tmp_path / "whole.zip").path)
    assert packed.path == tmp_path / "whole.zip"
    assert packed.records == run.records
    assert packed.report() == tmp_path / "whole_report" / "index.html"
    unpacked = packed._folder.path
    assert unpacked.exists()
    del packed
    assert not unpacked.exists()


def test_the_folder_of_a_run_may_be_text(folder):
    assert RunFolder(str(folder.path)).study() == folder.study()


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        cq.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="holds no study"):
        cq.load(tmp_path)


def test_numbers_of_a_failed_trial_are_missing_not_zero(folder):
    failed = [row for row in cq.load(folder.path).records if row["status"] != "done"]
    assert failed
    assert all(row["fd_test"] is None or math.isfinite(row["fd_test"]) for row in failed)
