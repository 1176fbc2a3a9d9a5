"""A checkpoint that can't be read costs time, and is no failure of the model."""

from pathlib import Path

import pytest

from coequal import api
from coequal.datasets._loading import data_folder
from coequal.files import cache_folder
from coequal.records import Result, Trial
from coequal.results.folder import RunFolder
from coequal.study.plan import plan
from coequal.study.spec import Study
from coequal.trial.context import WorkerContext
from coequal.trial.execute import STOPPED, execute
from coequal.trial.heartbeat import Stopped

STUDY = Study.model_validate(
    {
        "study": "damage",
        "data": ["digits"],
        "models": ["ns_gan"],
        "architecture": {"name": "infogan", "width": 1 / 32},
        "search": {"settings": 0},
        "training": {"budget": {"discriminator_steps": 12}, "batch_size": 16, "checkpoints": 2},
        "evaluation": {"encoder": "pixels", "samples": 40},
    }
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Result:
    (result,) = api.run(STUDY, tmp_path_factory.mktemp("runs") / "whole", workers=0).trials.values()
    return result


@pytest.fixture
def stopped(tmp_path) -> tuple[Trial, WorkerContext, Path]:
    """A trial that was measured at step 6 and stopped at step 7."""
    (trial,) = plan(STUDY)
    folders = (str(tmp_path), str(data_folder(None)), str(cache_folder()))
    context = WorkerContext(*folders, frames=3)

    def stops_at_7(self, share, text="training", verdict=""):  # type: ignore[no-untyped-def]
        if share >= 7 / 12:
            raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coequal.trial.heartbeat.Heartbeat.report", stops_at_7)
        assert execute(trial, context) == STOPPED
    folder = RunFolder(tmp_path).trial_folder(trial.id)
    assert (folder / "checkpoint" / "state.json").exists()
    assert (folder / "measured.json").exists()
    assert (folder / "frames.npz").exists()
    return trial, context, folder


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _flip(path: Path) -> None:
    """One bit of the last weight, which no format notices."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("checkpoint/state.safetensors", _empty),
        ("checkpoint/state.safetensors", _cut),
        ("checkpoint/state.safetensors", _flip),
        ("checkpoint/state.safetensors", Path.unlink),
        ("checkpoint/state.json", _empty),
        ("checkpoint/state.json", _cut),
        ("measured.json", _cut),
        ("frames.npz", _cut),
    ],
)
def test_a_trial_with_a_damaged_checkpoint_starts_over(whole, stopped, name, damage):
    trial, context, folder = stopped
    damage(folder / name)
    assert execute(trial, context) == "done"
    result = RunFolder(Path(context.run)).result(trial.id)
    assert [p.measurements for p in result.checkpoints] == [
        p.measurements for p in whole.checkpoints
    ]
    assert result.notes == (
        "a checkpoint could not be read and is now in damaged-1, the trial starts over",
    )
    assert (folder / "damaged-1" / "checkpoint").is_dir()
    log = (folder / "log.txt").read_text()
    assert log.count("could not be read") == 1
    assert "Traceback" not in log


def test_an_undamaged_checkpoint_is_gone_on_from(whole, stopped):
    trial, context, folder = stopped
    assert execute(trial, context) == "done"
    result = RunFolder(Path(context.run)).result(trial.id)
    assert [p.measurements for p in result.checkpoints] == [
        p.measurements for p in whole.checkpoints
    ]
    assert result.notes == ()
    assert "goes on from the checkpoint of step 7" in (folder / "log.txt").read_text()


def test_a_damaged_measurement_does_not_end_the_run_of_a_trial_whose_process_died(stopped):
    """The coordinator reads it to say what a dead trial has spent."""
    from coequal.runner.interrupt import GracefulStop
    from coequal.runner.progress import Silent
    from coequal.runner.session import Session

    trial, context, folder = stopped
    _cut(folder / "measured.json")
    run = RunFolder(Path(context.run))
    session = Session(run, context, Silent(), GracefulStop(run.path), 0, None)
    session._record(trial, "failed", "its process died")
    assert run.result(trial.id).reason == "its process died"
