"""Pictures of a training: evenly spaced, the same after a stop, without effect on any number."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coequal.cli.progress import line
from coequal.contract import ImageShape
from coequal.datasets._loading import data_folder
from coequal.files import cache_folder
from coequal.health import Health
from coequal.inspection.status import running
from coequal.records import Result, Trial, TrialHealth
from coequal.results.folder import RunFolder
from coequal.runner.progress import Progress
from coequal.study.plan import plan
from coequal.study.spec import Study
from coequal.trial.context import WorkerContext
from coequal.trial.execute import STOPPED, execute
from coequal.trial.heartbeat import Stopped
from coequal.trial.snapshots import images_per_frame

TINY = {
    "study": "tiny",
    "data": ["digits"],
    "models": ["ns_gan"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 30}, "batch_size": 16, "checkpoints": 2},
    "evaluation": {"encoder": "pixels", "samples": 40},
}


def trial_of(**changes) -> Trial:  # type: ignore[no-untyped-def]
    (found,) = plan(Study.model_validate({**TINY, **changes}))
    return found


def places_in(run: Path, **changes) -> WorkerContext:  # type: ignore[no-untyped-def]
    return replace(WorkerContext(str(run), str(data_folder(None)), str(cache_folder())), **changes)


def frames(run: Path, trial: Trial) -> tuple[list[int], np.ndarray]:
    found = RunFolder(run).frames(trial.id)
    assert found is not None
    return found


def result(run: Path, trial: Trial) -> Result:
    found = RunFolder(run).result(trial.id)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("frames")
    assert execute(trial_of(), places_in(run, frames=4)) == "done"
    return run


def test_they_are_evenly_spaced_from_the_start_to_the_end(whole):
    steps, images = frames(whole, trial_of())
    assert steps == [0, 10, 20, 30]  # 4 moments of a budget of 30
    assert images.shape == (4, 36, 1, 8, 8)
    assert images.dtype == np.uint8
    sheet = RunFolder(whole).samples(trial_of().id, 30)
    assert np.array_equal(images[3], sheet[:36])  # the latents of the report's sheet
    assert not np.array_equal(images[0], images[3])


def test_no_number_depends_on_them(whole, tmp_path):
    assert execute(trial_of(), places_in(tmp_path)) == "done"
    with_them, without = (result(run, trial_of()) for run in (whole, tmp_path))
    assert RunFolder(tmp_path).frames(trial_of().id) is None
    for one, other in zip(with_them.checkpoints, without.checkpoints, strict=True):
        assert one.measurements == other.measurements


@pytest.mark.parametrize("stop", [0, 5, 20])  # before any, between two, where one is due
def test_after_a_stop_they_are_the_same(whole, tmp_path, monkeypatch, stop):
    def stops(self, share, text="training", verdict=""):  # type: ignore[no-untyped-def]
        if share >= stop / 30 and (text != "starting" or not stop):
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("coequal.trial.heartbeat.Heartbeat.report", stops)
        patch.setattr("coequal.trial.execute.CHUNK_SECONDS", 0.0)  # a report after every step
        assert execute(trial_of(), places_in(tmp_path, frames=4)) == STOPPED
    assert execute(trial_of(), places_in(tmp_path, frames=4)) == "done"
    (again, images), (once, expected) = frames(tmp_path, trial_of()), frames(whole, trial_of())
    assert again == once
    assert np.array_equal(images, expected)


def test_a_run_that_is_stopped_for_its_health_has_a_picture_of_its_end(tmp_path, monkeypatch):
    sick = Health("collapsed", 25, "all images are the same")
    monkeypatch.setattr("coequal.trial.health_callback.judge", lambda *given, **more: sick)
    monkeypatch.setattr("coequal.trial.execute.CHUNK_SECONDS", 0.0)
    trial = trial_of(training={**TINY["training"], "stop_on": ["collapsed"]})  # type: ignore[dict-item]
    assert execute(trial, places_in(tmp_path, frames=4)) == "stopped early"
    assert frames(tmp_path, trial)[0] == [0, 10, 20, 25]  # the first probe is at step 25
    found = result(tmp_path, trial).health
    assert found == TrialHealth("collapsed", 25, "all images are the same")


def test_what_a_trial_says_while_it_runs(tmp_path, monkeypatch):
    said: list[tuple[str, str]] = []

    def beat(self, share, text="training", verdict=""):  # type: ignore[no-untyped-def]
        said.append((text, verdict))

    sick = Health("collapsed", 25, "all images are the same")
    monkeypatch.setattr("coequal.trial.health_callback.judge", lambda *given, **more: sick)
    monkeypatch.setattr("coequal.trial.heartbeat.Heartbeat.report", beat)
    monkeypatch.setattr("coequal.trial.execute.CHUNK_SECONDS", 0.0)
    assert execute(trial_of(), places_in(tmp_path)) == "done"
    assert ("step 24", "") in said  # no probe yet
    text, verdict = said[-1]
    assert text.startswith("step 30: loss D ")
    assert ", G " in text
    assert text.endswith("; collapsed since step 25")
    assert verdict == "collapsed"


def test_status_says_it_of_what_runs_and_of_nothing_else(whole, tmp_path):
    folder, trial = RunFolder(tmp_path), trial_of()
    folder.begin("", Study.model_validate(TINY).as_dict(), [trial], {})
    place = folder.trial_folder(trial.id)
    place.mkdir(parents=True)
    (place / "trial.json").write_text(json.dumps(trial.as_dict()))
    pulse = {"share": 0.5, "text": "step 15", "verdict": ""}
    (place / "progress.json").write_text(json.dumps(pulse))
    assert running(folder) == []  # nobody works here: it was killed
    named = {"trial": trial.id, "model": "ns_gan", "setting": 0, "repeat": 0}
    with folder.lock():
        assert running(folder) == [{**named, **pulse}]


def test_a_plain_line_spells_out_one_trial_and_counts_failures_of_several():
    def progress(doing: dict[str, str], verdicts: dict[str, str]) -> Progress:
        share = dict.fromkeys(doing, 0.25)
        return Progress(4, {}, share, "", None, {}, None, (), doing, verdicts)

    one = progress({"wgan 0": "step 9: loss D 1; healthy"}, {"wgan 0": "healthy"})
    start = "0 of 4 trials done, estimating the time left; "
    assert line(one) == f"{start}running wgan 0 25 %, step 9: loss D 1; healthy"
    several = progress({"a 0": "", "b 0": ""}, {"a 0": "collapsed", "b 0": "healthy"})
    spread = "2 running, at 25 % of their budget"
    assert line(several) == f"{start}{spread} (health: 1 collapsed)"


def test_large_images_make_small_frames():
    # 36 x 3 x 64 x 64 = 442,368 values; 9 x 3 x 128 x 128 = 442,368; 3 x 512 x 512 is one image.
    sides = {32: 36, 64: 36, 128: 9, 256: 1, 512: 1}
    assert {side: images_per_frame(ImageShape(3, side, side)) for side in sides} == sides
    assert images_per_frame(ImageShape(2, 1, 1)) == 1000  # points: all that are shown
