"""A model whose code fails at once is stopped: a bug is no result of a model."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from coequal import api
from coequal.datasets._loading import data_folder
from coequal.files import cache_folder
from coequal.objectives.non_saturating import NonSaturating
from coequal.results.folder import RunFolder
from coequal.results.stopped import stopped_models
from coequal.runner.progress import Progress
from coequal.study.plan import plan
from coequal.study.spec import Study
from coequal.trial.context import WorkerContext
from coequal.trial.execute import execute

import toys
from typed import coequal

SETTINGS = {"learning_rate": 1e-3, "beta1": 0.5, "discriminator_per_generator": 5}
BROKEN = {
    "name": "broken",
    "objective": "toys:Broken",
    "settings": SETTINGS,
    "wide": {"learning_rate": {"log_uniform": [1e-4, 1e-2]}},
}
STUDY = {
    "study": "stopped",
    "data": ["digits"],
    "models": ["ns_gan", BROKEN],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 4},
    "training": {"budget": {"discriminator_steps": 6}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "pixels", "samples": 40},
}


class Watching:
    def __init__(self) -> None:
        self.news: list[str] = []
        self.last: Progress | None = None

    def update(self, progress: Progress) -> None:
        self.news += progress.news
        self.last = progress


def run(out: Path, **more):  # type: ignore[no-untyped-def]
    """The results by model and setting, and what was told."""
    changes = {key: more.pop(key) for key in list(more) if key in STUDY}
    watching = Watching()
    study = Study.model_validate({**STUDY, **changes})
    options = {"workers": 0, "observer": watching, "try_parts": False, **more}
    results = api.run(study, out, **options).trials
    by_name = {(r.trial.model, r.trial.setting, r.trial.repeat): r for r in results.values()}
    return by_name, watching


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):  # type: ignore[no-untyped-def]
    out = tmp_path_factory.mktemp("runs") / "stopped"
    return out, *run(out)


def test_two_trials_that_fail_alike_stop_the_model_and_are_no_results(stopped):
    out, results, _ = stopped
    assert {model for model, *_ in results} == {"ns_gan"}
    assert len(results) == 5  # settings 0 to 4
    assert len(list(out.glob("trials/*/*/failed-1.json"))) == 2
    (entry,) = stopped_models(RunFolder(out))
    assert (entry.model, entry.data, entry.trials) == ("broken", "digits", 2)
    assert entry.reason.startswith("RuntimeError: a bug in somebody's loss (toys.py:")
    assert "Traceback" in (out / entry.log).read_text()
    assert "broken" not in (out / "results.csv").read_text()


def test_the_first_failure_is_told_once_with_reason_line_and_log(stopped):
    out, _, watching = stopped
    (told,) = [line for line in watching.news if "failed: " in line]
    assert told.startswith("broken 0 failed: RuntimeError: a bug in somebody's loss (toys.py:")
    log = told.partition("; log: ")[2]
    assert Path(log).is_relative_to(out)
    assert Path(log).name == "log.txt"
    (stop,) = [line for line in watching.news if "is stopped on digits" in line]
    assert "its first 2 trials failed in the same way" in stop
    assert watching.last is not None
    assert watching.last.finished == 5
    assert watching.last.failed == 0


def test_once_it_is_mended_the_same_call_trains_it(stopped, tmp_path, monkeypatch):
    out = tmp_path / "mended"
    run(out)
    monkeypatch.setattr(toys.Broken, "discriminator_loss", NonSaturating.discriminator_loss)
    monkeypatch.setattr(toys.Broken, "generator_loss", NonSaturating.generator_loss)
    monkeypatch.setattr(toys.Broken, "one_sided_smoothing", 0.0, raising=False)
    results, _ = run(out)
    assert [r.status for (model, *_), r in results.items() if model == "broken"] == ["done"] * 5
    assert not (out / "stopped.json").exists()


def test_to_keep_going_trains_on_and_records_failures(tmp_path):
    results, _ = run(tmp_path / "run", keep_going=True)
    failed = [r for (model, *_), r in results.items() if model == "broken"]
    assert [result.status for result in failed] == ["failed"] * 5
    assert all(result.error is not None and not result.error.moved for result in failed)
    assert not (tmp_path / "run" / "stopped.json").exists()


def test_what_an_earlier_run_left_is_set_aside_at_the_next_start(tmp_path):
    """A coordinator that is killed between two results has not stopped the model yet."""
    out = tmp_path / "run"
    run(out, models=["ns_gan"], search={"settings": 4})  # makes the references
    study = Study.model_validate(STUDY)
    context = WorkerContext(str(out), str(data_folder(None)), str(cache_folder()))
    first = [trial for trial in plan(study) if trial.model == "broken"][:2]
    assert [execute(trial, context) for trial in first] == ["failed", "failed"]
    results, _ = run(out)
    assert {model for model, *_ in results} == {"ns_gan"}
    assert len(list(out.glob("trials/*/*/failed-1.json"))) == 2
    assert [entry.model for entry in stopped_models(RunFolder(out))] == ["broken"]


@dataclass(frozen=True)
class Late(NonSaturating):
    """Fails in the generator's first move, which is in the fifth step."""

    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        raise RuntimeError("a bug in the other loss")


@dataclass(frozen=True)
class LaterStill(NonSaturating):
    """Fails once both players have moved."""

    def initial_state(self):  # type: ignore[no-untyped-def]
        return {"moved": toys.torch.zeros(())}

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        if float(batch.state["moved"]):
            raise RuntimeError("later")
        return super().discriminator_loss(discriminate, batch)

    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        loss = super().generator_loss(generator, discriminate, batch)
        return loss._replace(state={"moved": toys.torch.ones(())})


@pytest.mark.parametrize(("name", "recorded"), [("Late", 0), ("LaterStill", 5)])
def test_what_counts_is_that_no_player_has_come_to_its_first_step(tmp_path, name, recorded):
    model = {**BROKEN, "objective": f"test_stopped_models:{name}"}
    results, _ = run(tmp_path / "run", models=["ns_gan", model])
    failed = [r for (model, *_), r in results.items() if model == "broken"]
    assert [result.status for result in failed] == ["failed"] * recorded


@pytest.fixture(scope="module")
def command(tmp_path_factory):  # type: ignore[no-untyped-def]
    home = tmp_path_factory.mktemp("typed")
    (home / "study.yaml").write_text(json.dumps(STUDY))
    command = ("run", "study.yaml", "--out", "run", "--no-try", "--workers", "1")
    return home, coequal(*command, cwd=home)


def test_a_model_that_never_ran_is_said_before_anything_else_and_has_its_exit_code(command):
    home, done = command
    assert done.returncode == 3, done.stderr
    said = "1 of 2 models never ran: broken: RuntimeError: a bug in somebody's loss (toys.py:"
    assert said in " ".join(done.stdout.split())
    assert "all trials have a result" not in done.stdout
    status = coequal("status", "run", cwd=home)
    assert " ".join(status.stdout.split()).startswith(said)
    values = json.loads(coequal("status", "run", "--json", cwd=home).stdout)
    assert values["unfinished"][0].startswith(said)
    blocks = (home / "run" / "report" / "report.md").read_text().split("\n\n")
    assert blocks[2].startswith(f"**{said}")
    page = (home / "run" / "report" / "index.html").read_text()
    first = page.index("1 of 2 models never ran: broken")
    assert first < page.index("Not finished.")


def test_a_study_whose_parts_fail_their_trial_ends_with_the_code_of_a_mistake(command):
    home, _ = command
    for name in ("check", "run"):
        options = ("--out", "other", "--workers", "1") if name == "run" else ()
        done = coequal(name, "study.yaml", *options, cwd=home)
        assert done.returncode == 2, done.stderr
        assert "RuntimeError: a bug in somebody's loss (toys.py:" in done.stderr
    assert not list((home / "other").glob("trials/*/*"))


def test_a_pack_says_which_models_never_ran(command, tmp_path):
    home, _ = command
    packed = coequal("pack", "run", "--out", tmp_path / "study.zip", cwd=home)
    assert packed.returncode == 0, packed.stderr
    status = coequal("status", tmp_path / "study.zip")
    assert " ".join(status.stdout.split()).startswith("1 of 2 models never ran: broken: ")
