"""Results of another run, taken over where the plan names their trials."""

import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from coequal import api
from coequal.records import Result
from coequal.results.archived_trials import unpack_trials
from coequal.results.folder import RunFolder
from coequal.results.reuse import reused_results
from coequal.runner.interrupt import Interrupted
from coequal.runner.progress import Progress
from coequal.study.shard import Shard
from coequal.study.spec import Study

TINY = {
    "study": "tiny",
    "data": ["digits"],
    "models": ["ns_gan", "vae"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 1},
    "training": {"budget": {"discriminator_steps": 4}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "pixels", "samples": 20},
    "reruns": {"best": 1, "seeds": 1},
}


class Watching:
    def __init__(self) -> None:
        self.news: list[str] = []

    def update(self, progress: Progress) -> None:
        self.news += progress.news


def run(out: Path, **more) -> dict[str, Result]:  # type: ignore[no-untyped-def]
    options = {key: more.pop(key) for key in ("shard", "observer", "reuse") if key in more}
    return api.run(Study.model_validate({**TINY, **more}), out, workers=0, **options).trials


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("reuse") / "old"
    run(out)
    return out


@pytest.fixture
def copy(old, tmp_path) -> Path:
    return Path(shutil.copytree(old, tmp_path / "copy"))


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def test_all_results_are_taken_phase_by_phase_and_nothing_is_trained(old, tmp_path, monkeypatch):
    def trained(*_: object) -> None:
        raise AssertionError("a trial was trained")

    monkeypatch.setattr("coequal.runner.run.execute", trained)
    watching = Watching()
    results = run(tmp_path / "new", reuse=old, question="The same again?", observer=watching)
    assert len(results) == len(RunFolder(old).results())
    assert any(result.trial.repeat for result in results.values())  # later phases, too
    assert _files(tmp_path / "new" / "trials") == _files(old / "trials")
    assert _files(tmp_path / "new" / "references") == _files(old / "references")
    assert (tmp_path / "new" / "results.csv").read_bytes() == (old / "results.csv").read_bytes()
    assert watching.news[-1] == f"{len(results)} results taken over from {old}"
    known = reused_results(RunFolder(tmp_path / "new"))
    assert known.keys() == results.keys()
    assert {entry.source for entry in known.values()} == {str(old)}


def test_what_is_missing_is_trained_and_what_does_not_fit_is_listed(old, tmp_path):
    watching = Watching()
    results = run(tmp_path / "new", reuse=[old], models=["ns_gan", "wgan"], observer=watching)
    assert {result.trial.model for result in results.values()} == {"ns_gan", "wgan"}
    known = reused_results(RunFolder(tmp_path / "new"))
    assert {results[key].trial.model for key in known} == {"ns_gan"}
    text = "\n".join(watching.news)
    assert "(model vae is not part of the study)" in text
    again = Watching()
    run(tmp_path / "new", reuse=[old], models=["ns_gan", "wgan"], observer=again)
    assert again.news[0].startswith("0 results taken over from")


def test_another_budget_is_named_as_the_reason(old, tmp_path):
    watching = Watching()
    budget = {"budget": {"discriminator_steps": 5}, "batch_size": 16, "checkpoints": 1}
    run(tmp_path / "new", reuse=old, training=budget, observer=watching)
    assert reused_results(RunFolder(tmp_path / "new")) == {}
    assert any("(another budget)" in line for line in watching.news)


def test_another_instrument_is_refused_with_its_reason(copy, tmp_path):
    references = json.loads((copy / "references.json").read_text())
    references["digits"]["counts"]["test"] += 1
    (copy / "references.json").write_text(json.dumps(references))
    watching = Watching()
    # wgan must be trained here, and so the instrument is this machine's own.
    results = run(tmp_path / "new", reuse=copy, models=["ns_gan", "wgan"], observer=watching)
    assert reused_results(RunFolder(tmp_path / "new")) == {}
    assert all(result.status == "done" for result in results.values())
    assert any(
        "(another instrument on digits: counts.test: 355 and 356)" in line for line in watching.news
    )


def test_a_broken_file_is_listed_and_its_trial_trained(copy, tmp_path):
    broken = sorted(copy.rglob("result.json"))[0]
    broken.write_text("{")
    watching = Watching()
    results = run(tmp_path / "new", reuse=copy, observer=watching)
    assert len(results) == len(RunFolder(tmp_path / "new").planned())
    known = reused_results(RunFolder(tmp_path / "new"))
    assert broken.parent.name not in known
    assert len(known) == len(results) - 1
    assert any("(a broken file: " in line and str(broken) in line for line in watching.news)


def test_an_interrupted_run_goes_on_taking_over(old, tmp_path, monkeypatch):
    from coequal.results.reuse import Reuse

    whole, calls = Reuse._copy, []

    def one_then_stop(self, source, trial, stored):  # type: ignore[no-untyped-def]
        if calls:
            raise Interrupted(2)
        calls.append(trial.id)
        return whole(self, source, trial, stored)

    monkeypatch.setattr(Reuse, "_copy", one_then_stop)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "new", reuse=old)
    assert len(list((tmp_path / "new").rglob("result.json"))) == 1
    monkeypatch.undo()
    results = run(tmp_path / "new", reuse=old)
    assert reused_results(RunFolder(tmp_path / "new")).keys() == results.keys()


def test_a_copy_that_was_stopped_half_way_leaves_no_result(old, tmp_path, monkeypatch):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("coequal.results.reuse.shutil.copy2", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "new", reuse=old)
    assert list((tmp_path / "new").rglob("result.json")) == []
    monkeypatch.undo()
    run(tmp_path / "new", reuse=old)
    assert _files(tmp_path / "new" / "trials") == _files(old / "trials")


def test_shards_take_their_own_trials(old, tmp_path):
    for _ in range(2):  # the second round has the re-runs
        for index in (1, 2):
            run(tmp_path / "new", reuse=old, shard=Shard(index, 2))
    api.collect(tmp_path / "new")
    assert len(reused_results(RunFolder(tmp_path / "new"))) == len(RunFolder(old).results())


def test_a_result_that_was_trained_again_is_no_longer_reused(old, tmp_path):
    results = run(tmp_path / "new", reuse=old)
    folder = RunFolder(tmp_path / "new")
    path = folder.trial_folder(next(iter(results))) / "result.json"
    os.utime(path, ns=(1, 1))
    assert reused_results(folder).keys() == results.keys() - {path.parent.name}


def test_results_are_taken_from_a_pack_and_told_by_its_name(old, tmp_path):
    api.pack(old, tmp_path / "theirs.zip")
    taken = run(tmp_path / "new", reuse=tmp_path / "theirs.zip")
    assert taken.keys() == RunFolder(old).results().keys()
    sources = {entry.source for entry in reused_results(RunFolder(tmp_path / "new")).values()}
    assert sources == {str(tmp_path / "theirs.zip")}


def test_folders_that_can_not_be_used_are_refused_before_anything_is_written(old, tmp_path):
    packed = Path(shutil.copytree(old, tmp_path / "packed"))
    with tarfile.open(packed / "trials.tar.xz", "w:xz") as archive:
        archive.add(packed / "trials", "trials")
    shutil.rmtree(packed / "trials")
    empty = tmp_path / "empty"
    empty.mkdir()
    for source, message in (
        (tmp_path / "nowhere", "there is no folder"),
        (empty, "holds no study"),
        (packed, f"unpack them first: tar -xJf {packed}/trials.tar.xz -C {packed}"),
        (tmp_path / "new", "is the run's own folder"),
    ):
        with pytest.raises((FileNotFoundError, ValueError), match=message):
            run(tmp_path / "new", reuse=source)
        assert not (tmp_path / "new" / "study.json").exists()
    unpack_trials(packed, tmp_path / "unpacked")
    assert len(run(tmp_path / "new", reuse=tmp_path / "unpacked")) == len(RunFolder(old).results())
