"""What is a run in a served folder, and what is not, with its reason."""

import os
import sys

import pytest

from coequal.serve.places import MAX_DEPTH, find_runs


def make_run(path):
    path.mkdir(parents=True)
    (path / "study.json").write_text("{}")
    return path


def test_a_run_or_a_pack_is_served_alone(tmp_path):
    run = make_run(tmp_path / "mine")
    assert find_runs(run).runs == {"mine": run}


def test_runs_are_found_down_to_a_depth_and_not_inside_one_another(tmp_path):
    deep = tmp_path.joinpath(*["x"] * MAX_DEPTH)
    make_run(deep)
    make_run(tmp_path / "group" / "one")
    make_run(tmp_path / "group" / "one" / "inside")
    make_run(tmp_path / ".hidden" / "two")
    make_run(tmp_path.joinpath(*["y"] * (MAX_DEPTH + 1)))
    found = find_runs(tmp_path)
    assert set(found.runs) == {"group/one", "/".join(["x"] * MAX_DEPTH)}
    assert set(found.refused) == {"y"}
    assert found.complete


def test_what_is_no_run_is_named_with_its_reason_and_plain_files_are_not(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "a.txt").write_text("hello")
    (tmp_path / "bad.zip").write_text("no zip")
    (tmp_path / "notes.txt").write_text("hello")
    refused = find_runs(tmp_path).refused
    assert refused.keys() == {"empty", "foreign", "bad.zip"}
    assert refused["empty"] == "this folder is empty"
    assert "none has a study.json" in refused["foreign"]
    assert refused["bad.zip"] == "this file is not a pack of a run"


def test_too_many_folders_are_not_all_looked_into_and_that_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr("coequal.serve.places.MAX_FOLDERS", 2)
    for name in "abc":
        make_run(tmp_path / name)
    found = find_runs(tmp_path)
    assert not found.complete
    assert len(found.runs) == 2


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="reads everything")
def test_a_folder_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    assert "ermission" in find_runs(tmp_path).refused["closed"]


def test_neither_a_run_nor_a_folder_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "study.yaml").write_text("study: x")
    with pytest.raises(ValueError, match="is not a pack of a run; name a folder or a pack"):
        find_runs(tmp_path / "study.yaml")
    with pytest.raises(FileNotFoundError, match="there is no folder or pack"):
        find_runs(tmp_path / "nothing")
