"""Callbacks are told each step once, change no result, and fail alone."""

import json
from pathlib import Path

import pytest

from coequal import api
from coequal.contract import Callback
from coequal.results.folder import RunFolder
from coequal.rng import GlobalStates
from coequal.study.spec import Study
from coequal.trackers._tracker import prepared
from coequal.trial.execute import STOPPED, execute
from coequal.trial.heartbeat import Stopped

import watching

STUDY = {
    "study": "watched",
    "data": ["digits"],
    "models": ["ns_gan", "wgan"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 60}, "batch_size": 16, "checkpoints": 2},
    "evaluation": {"encoder": "pixels", "samples": 40},
}


def study(**changes) -> Study:  # type: ignore[no-untyped-def]
    return Study.model_validate({**STUDY, **changes})


ONE = study(models=["ns_gan"])


def kinds(told):  # type: ignore[no-untyped-def]
    """What was told, without the numbers: kinds and steps."""
    return [tuple(v for v in values[:2] if not isinstance(v, float)) for values in told]


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> bytes:
    """The table of the study without a callback."""
    run = tmp_path_factory.mktemp("bare")
    api.run(study(), run, workers=0)
    return (run / "results.csv").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):  # type: ignore[no-untyped-def]
    """What is told of one trial that nothing interrupts."""
    recorder = watching.Recorder()
    api.run(ONE, tmp_path_factory.mktemp("whole"), workers=0, callbacks=[recorder])
    return recorder.told


def test_an_object_is_told_everything_in_order(whole):
    # Probes every 25 steps of 60; checkpoints at the half and the end of the budget.
    assert kinds(whole) == [
        ("study begins", "watched"),
        ("begins", "ns_gan 0"),
        ("probe", 25),
        ("health", 25),
        ("checkpoint", 30),
        ("probe", 50),
        ("checkpoint", 60),
        ("ends", "done"),
        ("study ends", "watched"),
    ]
    (checkpoint,) = (values for values in whole if values[:2] == ("checkpoint", 30))
    assert checkpoint[2].keys() >= {"fd on validation", "fd on test"}
    assert checkpoint[3] == [64, 1, 8, 8, "uint8"]


def test_no_result_depends_on_callbacks_that_draw_fail_or_change_what_they_are_given(
    bare, tmp_path
):
    callbacks = [watching.Drawing(), watching.Failing(), "watching:Drawing"]
    states = GlobalStates()
    api.run(study(), tmp_path, workers=0, callbacks=callbacks)
    assert states.moved() == []
    assert [result.status for result in RunFolder(tmp_path).results().values()] == ["done", "done"]
    assert (tmp_path / "results.csv").read_bytes() == bare


def test_workers_make_their_own_and_a_failure_is_said_once(bare, tmp_path):
    news: list[str] = []

    class Screen:
        def update(self, progress):  # type: ignore[no-untyped-def]
            news.extend(progress.news)

    lines = tmp_path / "lines"
    api.run(
        study(),
        tmp_path / "run",
        workers=2,
        callbacks=[f"watching:Recorder:{lines}", watching.Failing()],
        observer=Screen(),
    )
    assert (tmp_path / "run" / "results.csv").read_bytes() == bare
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert sorted(values[1] for values in told if values[0] == "begins") == ["ns_gan 0", "wgan 0"]
    assert sum(values[:2] == ["checkpoint", 60] for values in told) == 2
    assert [values[0] for values in told if "study" in values[0]] == ["study begins", "study ends"]
    failed = [line for line in news if "callback" in line]
    assert len(failed) == 1  # of two trials
    assert "the callback Failing failed: RuntimeError: no place for the number" in failed[0]
    assert "trials go on without it" in failed[0]
    for trial in RunFolder(tmp_path / "run").plan():
        log = (RunFolder(tmp_path / "run").trial_folder(trial.id) / "log.txt").read_text()
        assert log.count("the callback Failing failed") == 1
        assert "in on_probe" in log  # the traceback


@pytest.mark.parametrize("stop", [10, 31, 55])
def test_after_a_stop_and_a_lost_checkpoint_each_step_is_told_once(
    whole, tmp_path, monkeypatch, stop
):
    def stops(self, share, text="training", verdict=""):  # type: ignore[no-untyped-def]
        if share >= stop / 60:
            raise Stopped

    lines = tmp_path / "lines"
    name = f"watching:Recorder:{lines}"
    with monkeypatch.context() as patch:
        patch.setattr("coequal.trial.heartbeat.Heartbeat.report", stops)
        patch.setattr("coequal.trial.execute.CHUNK_SECONDS", 0.0)
        # A kill leaves the last checkpoint that was due, not one of the step at which it came.
        patch.setattr("coequal.trial.execute._TrialRun.pause", lambda self: None)
        _stopped(tmp_path / "run", name)
    api.run(ONE, tmp_path / "run", workers=0, callbacks=[name])
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    steps = [values for values in told if values[0] in ("probe", "checkpoint", "health")]
    expected = [list(v) for v in whole if v[0] in ("probe", "checkpoint", "health")]
    assert steps == json.loads(json.dumps(expected))  # each once, with the same numbers
    begins = [values[2:] for values in told if values[0] == "begins"]
    assert begins == [[0, False], [30 if stop > 30 else 0, True]]


def _stopped(run: Path, callback: str) -> None:
    """Run until the trial stops, and no further."""

    def once(trial, context):  # type: ignore[no-untyped-def]
        assert execute(trial, context) == STOPPED
        raise InterruptedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coequal.runner.run.execute", once)
        with pytest.raises(InterruptedError):
            api.run(ONE, run, workers=0, callbacks=[callback])


def test_a_callback_that_comes_later_is_told_what_it_missed(whole, tmp_path, monkeypatch):
    def stops(self, share, text="training", verdict=""):  # type: ignore[no-untyped-def]
        if share >= 40 / 60:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("coequal.trial.heartbeat.Heartbeat.report", stops)
        patch.setattr("coequal.trial.execute.CHUNK_SECONDS", 0.0)
        _stopped(tmp_path / "run", "watching:Drawing")
    recorder = watching.Recorder()
    api.run(ONE, tmp_path / "run", workers=0, callbacks=[recorder])
    assert (
        kinds(recorder.told)[1:]
        == [
            ("begins", "ns_gan 0"),
            ("probe", 25),
            ("checkpoint", 30),
            ("health", 25),  # the verdict of now, once what led to it has been told
            *kinds(whole)[5:],
        ]
    )


def test_a_study_does_not_begin_without_a_callback_that_can_not(tmp_path):
    with pytest.raises(ValueError, match=r"the callback Unready can't begin: .*nobody is there"):
        api.run(ONE, tmp_path, workers=0, callbacks=[watching.Unready()])
    assert not (tmp_path / "trials").exists()


class Local(Callback):
    """Is of this module alone."""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("tensorbord:x", "'tensorbord' is not one of .*; did you mean 'tensorboard'"),
        ("nothing", "'nothing' is not one of .*a callback of your own is module:Name"),
        ("watching:Recorde", "module watching has no Recorde; did you mean 'Recorder'"),
        ("watching:json", "'watching:json' must be a class that extends Callback"),
        (3, "a callback is a text, or an object of a class that extends Callback; got 3"),
        (watching.Unsendable(), "can't be sent to a worker .*give 'watching:Unsendable'"),
        ("tensorboard", "needs a folder: tensorboard:FOLDER"),
    ],
)
def test_what_can_not_work_is_refused_in_one_sentence(given, message):
    with pytest.raises((LookupError, ValueError), match=message) as caught:
        prepared(given, in_this_process=False)
    assert "\n" not in str(caught.value)


def test_an_object_of_the_script_is_refused_for_workers_alone(monkeypatch):
    monkeypatch.setattr(Local, "__module__", "__main__")
    mine = Local()
    assert prepared(mine, in_this_process=True) is mine
    with pytest.raises(ValueError, match="Local is defined in the script or notebook itself"):
        prepared(mine, in_this_process=False)
