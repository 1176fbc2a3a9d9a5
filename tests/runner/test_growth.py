"""A study that grows in its folder: what is there is used again, and nothing is lost."""

import json
import shutil
from pathlib import Path

import pytest

from coequal import api
from coequal.records import Result
from coequal.results.folder import RunFolder
from coequal.runner.progress import Progress
from coequal.study.shard import Shard
from coequal.study.spec import Study

TINY = {
    "study": "tiny",
    "data": ["digits"],
    "models": ["ns_gan", "vae"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 2},
    "training": {"budget": {"discriminator_steps": 4}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "pixels", "samples": 20},
}


class Watching:
    def __init__(self) -> None:
        self.news: list[str] = []

    def update(self, progress: Progress) -> None:
        self.news += progress.news


def run(out: Path, **more) -> dict[str, Result]:  # type: ignore[no-untyped-def]
    options = {key: more.pop(key) for key in ("shard", "observer") if key in more}
    return api.run(Study.model_validate({**TINY, **more}), out, workers=0, **options).trials


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("growth") / "small"
    run(out)
    return out


@pytest.fixture
def copy(small, tmp_path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "run"))


def _stamps(out: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in out.rglob("result.json")}


def test_more_settings_models_and_words_go_on_in_the_same_folder(copy):
    before, watching = _stamps(copy), Watching()
    results = run(
        copy,
        question="Which is better?",
        search={"settings": 3},
        models=["ns_gan", "vae", "wgan"],
        observer=watching,
    )
    assert {(r.trial.model, r.trial.setting) for r in results.values()} >= {
        ("ns_gan", 2),
        ("wgan", 0),
    }
    after = _stamps(copy)
    assert {key: after[key] for key in before} == before  # none was trained again
    assert len(after) > len(before)
    first, second = RunFolder(copy).versions()
    assert (first.number, first.changes) == (1, ())
    assert set(second.changes) >= {
        "model wgan added",
        "question: Which is better? (before: nothing)",
        "search.settings: 3 (before: 2)",
    }
    assert second.results == len(before)
    assert second.left_out == {}
    assert watching.news[0].startswith("version 2 of this study: model wgan added; ")
    assert "Which is better?" in (copy / "versions" / "2.yaml").read_text()
    assert "Which is better?" not in (copy / "versions" / "1.yaml").read_text()


def test_the_same_study_again_is_no_version(copy):
    run(copy)
    assert RunFolder(copy).versions() == []
    assert not (copy / "versions").exists()


def test_a_model_that_is_removed_keeps_its_results_and_comes_back_with_them(copy):
    before, watching = _stamps(copy), Watching()
    results = run(copy, models=["ns_gan"], observer=watching)
    assert {result.trial.model for result in results.values()} == {"ns_gan"}
    of_vae = sum(r.trial.model == "vae" for r in run(copy).values())
    assert of_vae > 0
    assert _stamps(copy) == before
    reason = "model vae is not part of the study"
    assert [v.left_out for v in RunFolder(copy).versions()] == [None, {reason: of_vae}, {}]
    assert any(f"kept in the folder: {of_vae} results ({reason})" in line for line in watching.news)


def test_a_study_that_has_nothing_in_common_is_refused_and_changes_nothing(copy):
    before = {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()}
    budget = {"budget": {"discriminator_steps": 5}, "batch_size": 16, "checkpoints": 1}
    with pytest.raises(FileExistsError) as refused:
        run(copy, training=budget)
    said = str(refused.value)
    assert "training.budget.discriminator_steps: 5 (before: 4)" in said
    assert "none of its " in said
    assert "give another folder with --out" in said
    after = {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()}
    assert {k: v for k, v in after.items() if not k.startswith(".")} == {
        k: v for k, v in before.items() if not k.startswith(".")
    }


def test_growth_that_was_stopped_before_it_was_the_study_is_written_once(copy, monkeypatch):
    from coequal.results import folder as module

    whole = module._write_changed

    def stopped(path: Path, text: str) -> None:
        if path.name == "study.json":
            raise KeyboardInterrupt
        whole(path, text)

    monkeypatch.setattr(module, "_write_changed", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(copy, search={"settings": 3})
    monkeypatch.undo()
    assert RunFolder(copy).study()["search"]["settings"] == 2  # still the first version
    run(copy, search={"settings": 4})
    first, second = RunFolder(copy).versions()
    assert second.changes[0].startswith("search.")
    assert any("settings: 4 (before: 2)" in change for change in second.changes)
    run(copy, search={"settings": 4})
    assert RunFolder(copy).versions() == [first, second]


def test_growth_that_was_stopped_before_its_plan_goes_on(copy, monkeypatch):
    def stopped(folder: RunFolder, trials: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "write_plan", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(copy, search={"settings": 3}, models=["ns_gan"])
    monkeypatch.undo()
    results = run(copy, search={"settings": 3}, models=["ns_gan"])
    assert {r.trial.model for r in results.values()} == {"ns_gan"}
    (_, version) = RunFolder(copy).versions()
    assert version.left_out is not None
    assert list(version.left_out) == ["model vae is not part of the study"]


def test_shards_grow_once_and_a_shard_of_the_earlier_version_stops(copy, monkeypatch):
    for index in (1, 2):
        run(copy, search={"settings": 3}, shard=Shard(index, 2))
    assert len(RunFolder(copy).versions()) == 2
    api.collect(copy)
    folder = RunFolder(copy)
    assert set(folder.planned()) <= _stamps(copy).keys()

    # While a process runs the study as it was, somebody begins the next version.
    study = folder.study()
    other = Study.model_validate({**TINY, "search": {"settings": 4}}).as_dict()
    folder.begin("", other, folder.plan(), folder.metrics())
    with pytest.raises(FileExistsError, match=r"has been changed since this process began: sea"):
        folder.refuse_other_version(study)


def test_results_that_are_broken_are_refused_before_growth_trains(copy):
    path = sorted(copy.rglob("result.json"))[0]
    path.write_text(json.dumps({"version": 3}))
    with pytest.raises(ValueError, match=r"result.json is not a result .*; delete it to run"):
        run(copy, search={"settings": 3})
