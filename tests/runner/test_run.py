"""A study from its file to its results: the same numbers however it is run, and nothing lost."""

import json
import os
import platform
import re
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from safetensors.torch import load_file

from coequal import api
from coequal.contract import Conditions, ImageShape
from coequal.datasets._loading import data_folder
from coequal.evaluation.instrument import generate
from coequal.files import cache_folder, write_new
from coequal.inspection.samples import sample
from coequal.records import Result
from coequal.results.folder import RunFolder
from coequal.rng import Rng
from coequal.runner.progress import Progress
from coequal.seeds import seed_for
from coequal.study.document import PartsError
from coequal.study.spec import Study
from coequal.trial.context import WorkerContext
from coequal.trial.heartbeat import Heartbeat
from coequal.trial.weights import load_generator
from waiting import until

import toys

TINY = {
    "study": "tiny",
    "data": ["digits"],
    "models": ["ns_gan", "began", "vae"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 1},
    "training": {"budget": {"discriminator_steps": 12}, "batch_size": 16, "checkpoints": 2},
    "evaluation": {"encoder": "pixels", "samples": 40},
}


MINE = [{"name": "mine", "objective": "toys:AcGan", "settings": {"learning_rate": 1e-3}}]


def study(**more) -> Study:  # type: ignore[no-untyped-def]
    return Study.model_validate({**TINY, **more})


def run(out: Path, workers: int = 0, **more) -> dict[str, Result]:  # type: ignore[no-untyped-def]
    return api.run(study(**more), out, workers=workers).trials


class Watching:
    def __init__(self) -> None:
        self.seen: list[Progress] = []

    def update(self, progress: Progress) -> None:
        self.seen.append(progress)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    run(out)
    return out


def test_all_trials_have_a_result_with_its_protocol(whole):
    results = RunFolder(whole).results()
    assert len(results) == 6
    for result in results.values():
        assert result.status == "done"
        assert [checkpoint.step for checkpoint in result.checkpoints] == [6, 12]
        assert result.spent.discriminator_steps == 12
        assert result.spent.flops > 0
        for checkpoint in result.checkpoints:
            assert {m.split for m in checkpoint.measurements} == {"validation", "test"}
            for measurement in checkpoint.measurements:
                assert "encoder=pixels:" in measurement.protocol
                assert f"real={measurement.split}:355" in measurement.protocol
                assert "fake=40" in measurement.protocol
        assert result.environment["torch"]


def test_results_csv_has_a_row_per_trial_and_checkpoint(whole):
    lines = (whole / "results.csv").read_text().splitlines()
    assert len(lines) == 1 + 6 * 2
    assert {"fd_validation", "fd_test", "setting.learning_rate"} <= set(lines[0].split(","))
    assert "seconds" not in lines[0]
    assert (whole / "timings.csv").read_text().startswith("trial,model,step,seconds")


def test_two_workers_give_the_bytes_of_none(whole, tmp_path):
    run(tmp_path / "two", workers=2)
    assert (tmp_path / "two" / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()


def test_a_second_run_has_nothing_to_do(whole):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("result.json")}
    run(whole)
    assert before == {path: path.stat().st_mtime_ns for path in whole.rglob("result.json")}


def test_a_lost_result_is_made_again_with_the_same_numbers(whole, tmp_path):
    import shutil

    shutil.copytree(whole, tmp_path / "copy")
    folder = RunFolder(tmp_path / "copy")
    victim = folder.plan()[1]
    shutil.rmtree(folder.trial_folder(victim.id))
    run(tmp_path / "copy")
    assert (tmp_path / "copy" / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()


def test_killed_and_run_again_it_loses_nothing_that_ended(whole, tmp_path):
    """SIGKILL of the coordinator in the middle; the second run's table is the undisturbed one's."""
    script = (
        "import json, sys; from coequal import api; from coequal.study.spec import Study\n"
        "if __name__ == '__main__':\n"
        "    api.run(Study.model_validate(json.loads(sys.argv[1])), sys.argv[2], workers=0)\n"
    )
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", script, json.dumps(TINY), str(out)], stderr=subprocess.DEVNULL
    )
    until(lambda: any(out.glob("trials/*/*/result.json")), "a result", of=process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    ended = {path: path.stat().st_mtime_ns for path in out.glob("trials/*/*/result.json")}
    assert ended
    run(out)
    assert (out / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()
    assert all(path.stat().st_mtime_ns == when for path, when in ended.items())


def test_an_interrupted_trial_goes_on_from_its_checkpoint(whole, tmp_path, monkeypatch):
    from coequal.training.loop import Trainer

    def dies_after_6(self, amount, original=Trainer.train_until, **more):  # type: ignore[no-untyped-def]
        if amount > 6:
            raise KeyboardInterrupt
        original(self, amount, **more)

    out = tmp_path / "stopped"
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_until", dies_after_6)
        with pytest.raises(KeyboardInterrupt):
            api.run(study(), out, workers=0, try_parts=False)
    (first,) = out.glob("trials/*/*/checkpoint/state.json")
    assert json.loads(first.read_text())["spent"]["discriminator_steps"] == 6

    begun: list[int] = []

    def notes(self, amount, original=Trainer.train_until, **more):  # type: ignore[no-untyped-def]
        begun.append(self.steps_done)
        original(self, amount, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_until", notes)
        run(out)
    assert begun[0] == 6  # the first trial went on; the next ones began at 0
    assert min(begun[: begun.index(0)]) == 6
    assert (out / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()


LATER = {"models": ["ns_gan", "vae"], "reruns": {"seeds": 2}}


def test_a_metric_from_outside_that_says_higher_chooses_the_highest(tmp_path):
    run(
        tmp_path / "run",
        models=["ns_gan"],
        search={"settings": 3},
        reruns={"seeds": 1},
        evaluation={**TINY["evaluation"], "metrics": ["fd", "toys:Closeness"]},
        select={"metric": "closeness"},
    )
    folder = RunFolder(tmp_path / "run")
    *search, again = folder.results().values()
    values = [result.checkpoints[-1].value("closeness", "validation") for result in search]
    assert again.trial.setting == values.index(max(values))
    assert min(values) < max(values)
    # What the metric says is stored as plain values, and pages read only these.
    assert folder.metrics()["closeness"] == toys.Closeness.outputs["closeness"]
    stored = json.loads((folder.path / "metrics.json").read_text())
    assert stored["closeness"]["better"] == "higher"
    page = (api.report(folder.path).parent / "report.md").read_text()
    assert "has the highest test Closeness" in page
    stored["closeness"]["label"] = "Nearness"
    (folder.path / "metrics.json").write_text(json.dumps(stored))
    assert (
        "has the highest test Nearness"
        in api.report(folder.path).with_name("report.md").read_text()
    )
    # A folder that is older than this file asks the metrics themselves.
    (folder.path / "metrics.json").unlink()
    assert folder.rule().info.better == "higher"
    assert folder.metrics()["recall"].best == 1.0


def test_re_runs_follow_the_search_and_survive_a_stop(tmp_path):
    watching = Watching()
    results = api.run(study(**LATER), tmp_path / "whole", workers=0, observer=watching).trials
    folder = RunFolder(tmp_path / "whole")
    assert [trial.repeat for trial in folder.plan()] == [0] * 4 + [1, 1, 2, 2]
    assert len(results) == 8
    assert {progress.total for progress in watching.seen} == {8}
    again = [result for result in results.values() if result.trial.repeat]
    first = next(
        r
        for r in results.values()
        if r.trial.setting == again[0].trial.setting and not r.trial.repeat
    )
    assert again[0].checkpoints[-1].measurements != first.checkpoints[-1].measurements
    table = (tmp_path / "whole" / "results.csv").read_bytes()

    class Stops(Watching):
        def update(self, progress: Progress) -> None:
            if progress.finished == 6:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.run(study(**LATER), tmp_path / "stopped", workers=0, observer=Stops())
    run(tmp_path / "stopped", workers=2, **LATER)
    assert (tmp_path / "stopped" / "results.csv").read_bytes() == table
    # A lost result of the search names the same re-runs once it is there again.
    import shutil

    shutil.rmtree(folder.trial_folder(folder.plan()[0].id))
    run(tmp_path / "whole", **LATER)
    assert (tmp_path / "whole" / "results.csv").read_bytes() == table


def test_asked_to_stop_a_trial_leaves_a_checkpoint_and_no_result(whole, tmp_path):
    """The signal's handler leaves a file; the running trial sees it at its next report."""
    out = tmp_path / "stopped"

    class Asks(Watching):
        def update(self, progress: Progress) -> None:
            if progress.finished == 2:
                signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coequal.trial.heartbeat.REPORT_SECONDS", 0.0)  # after every chunk of steps
        with pytest.raises(KeyboardInterrupt):
            api.run(study(), out, workers=0, observer=Asks())
    assert signal.getsignal(signal.SIGINT) is before
    assert not list(out.glob(".stop-*"))
    ended = list(out.glob("trials/*/*/result.json"))
    assert len(ended) in (2, 3)
    run(out)
    assert (out / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()


def test_stopped_in_mid_training_it_goes_on_bit_for_bit(whole, tmp_path):
    from coequal.trial.context import WorkerContext
    from coequal.trial.execute import STOPPED, execute
    from coequal.trial.heartbeat import Stopped

    source = RunFolder(whole)
    trial = source.plan()[0]
    context = WorkerContext(
        str(tmp_path), str(data_folder(None)), str(cache_folder()), stop="set below"
    )
    seen = []

    def stops_at_3(self, share, text="training", verdict=""):  # type: ignore[no-untyped-def]
        seen.append(share)
        if share >= 3 / 12:
            raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coequal.trial.heartbeat.Heartbeat.report", stops_at_3)
        assert execute(trial, context) == STOPPED
    place = RunFolder(tmp_path).trial_folder(trial.id)
    spent = json.loads((place / "checkpoint" / "state.json").read_text())["spent"]
    assert spent["discriminator_steps"] == 3
    assert not (place / "result.json").exists()
    assert execute(trial, context) == "done"
    again, first = (
        [checkpoint.measurements for checkpoint in folder.result(trial.id).checkpoints]
        for folder in (RunFolder(tmp_path), source)
    )
    assert again == first
    log = (place / "log.txt").read_text()
    assert "stopped at step 3" in log
    assert "goes on from the checkpoint of step 3" in log
    assert "ends: done" in log


def test_stopped_at_a_checkpoint_it_still_measures_there(whole, tmp_path):
    """A stop between the training and the measurement of steps 6 and 12 skips neither."""
    from coequal.trial.context import WorkerContext
    from coequal.trial.execute import STOPPED, execute
    from coequal.trial.heartbeat import Stopped

    source = RunFolder(whole)
    trial = source.plan()[0]
    context = WorkerContext(str(tmp_path), str(data_folder(None)), str(cache_folder()))
    for share in (0.5, 1.0):

        def stops(self, now, text="training", verdict="", share=share):  # type: ignore[no-untyped-def]
            if now == share:
                raise Stopped

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("coequal.trial.heartbeat.Heartbeat.report", stops)
            assert execute(trial, context) == STOPPED
    assert execute(trial, context) == "done"
    again, first = (
        [checkpoint.measurements for checkpoint in folder.result(trial.id).checkpoints]
        for folder in (RunFolder(tmp_path), source)
    )
    assert again == first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_limit": 0.0}, "--time-limit is 0; it must be above 0"),
        ({"time_limit": float("nan")}, "--time-limit is nan"),
        ({"workers": 0, "memory": 10**9}, "--memory has no effect with --workers 0"),
        ({"workers": 2, "gpus": ("0",)}, "--workers has no effect with --gpus"),
        ({"gpus": ("0",)}, "--gpus goes with --device cuda"),
        ({"workers": 2, "cluster": "tcp://x:1"}, "--workers has no effect with --cluster"),
    ],
    ids=str,
)
def test_options_without_effect_and_impossible_limits_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        api.run(study(), tmp_path, **options)
    assert not (tmp_path / "study.json").exists()


def test_another_encoder_than_the_studys_is_refused(whole, tmp_path):
    import shutil

    shutil.copytree(whole, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    shutil.rmtree(folder.trial_folder(folder.plan()[0].id))
    known = folder.references()["digits"]
    folder.add_reference("digits", {**known, "encoder": "pixels:another"})
    with pytest.raises(OSError, match="this study began with pixels:another"):
        run(tmp_path / "run")


def test_a_trial_out_of_time_is_a_result(tmp_path):
    results = api.run(
        study(models=["vae"], search={"settings": 0}), tmp_path, workers=0, time_limit=1e-9
    ).trials
    (result,) = results.values()
    assert result.status == "timeout"
    assert "seconds were over" in result.reason


def test_shards_share_the_work_and_together_make_the_whole(whole, tmp_path):
    from coequal.study.shard import Shard

    out = tmp_path / "shards"
    for text in ("2/3", "1/3", "3/3"):
        shard = Shard.parse(text)
        api.run(study(), out, workers=0, shard=shard)
    api.collect(out)
    assert (out / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()
    owners = [[Shard(i, 3).owns(trial) for i in (1, 2, 3)] for trial in RunFolder(out).plan()]
    assert all(sum(owned) == 1 for owned in owners)
    for bad in ("0/3", "4/3", "3", "a/b"):
        with pytest.raises(ValueError, match="--shard takes I/N"):
            Shard.parse(bad)


def test_a_shard_and_a_whole_run_exclude_each_other(tmp_path):
    folder = RunFolder(tmp_path)
    with folder.lock("shard-1-of-2"):
        with folder.lock("shard-2-of-2"):
            pass
        me = f"process {os.getpid()} on {platform.node()}"
        for other, holder in (("", "shards of this study"), ("shard-1-of-2", me)):
            with (
                pytest.raises(BlockingIOError, match=f"is in use by {holder}$"),
                folder.lock(other),
            ):
                pass


def test_the_first_of_two_results_stands(tmp_path):
    assert write_new(tmp_path / "result.json", b"one")
    assert not write_new(tmp_path / "result.json", b"two")
    assert (tmp_path / "result.json").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_an_os_error_of_a_models_own_code_is_its_own(tmp_path):
    models = [{"name": "reads", "objective": "toys:Reads", "settings": {"learning_rate": 1e-3}}]
    spec = study(models=models, search={"settings": 0})
    (result,) = api.run(spec, tmp_path, workers=0, try_parts=False).trials.values()
    assert result.status == "failed"
    reason = "FileNotFoundError: [Errno 2] No such file or directory: 'my_table.csv' (toys.py:"
    assert result.reason.startswith(reason)


def test_a_bug_and_a_divergence_are_results(tmp_path):
    settings = {"learning_rate": 1e-3, "beta1": 0.5}
    models = [
        {"name": "broken", "objective": "toys:Broken", "settings": settings},
        {"name": "exploding", "objective": "toys:Exploding", "settings": settings},
        "ns_gan",
    ]
    watching = Watching()
    spec = study(models=models, search={"settings": 0})
    run = api.run(spec, tmp_path / "run", workers=0, observer=watching, try_parts=False)
    results = run.trials
    by_model = {result.trial.model: result for result in results.values()}
    assert by_model["ns_gan"].status == "done"
    assert by_model["broken"].status == "failed"
    reason = by_model["broken"].reason
    assert re.fullmatch(r"RuntimeError: a bug in somebody's loss \(toys\.py:\d+\)", reason)
    folder = RunFolder(tmp_path / "run").trial_folder(by_model["broken"].trial.id)
    assert "Traceback" in (folder / "log.txt").read_text()
    assert by_model["exploding"].status == "diverged"
    assert "at step 3" in by_model["exploding"].reason
    assert by_model["exploding"].spent.discriminator_steps == 2
    assert (watching.seen[-1].finished, watching.seen[-1].failed) == (3, 2)
    rows = (tmp_path / "run" / "results.csv").read_text()
    assert "diverged" in rows
    assert "31337" not in rows


def test_why_a_number_is_undefined_is_the_reason_of_the_failure(tmp_path):
    evaluation = {**TINY["evaluation"], "metrics": ["fd", "toys:Undefined"]}
    spec = study(models=["ns_gan"], search={"settings": 0}, evaluation=evaluation)
    (result,) = api.run(spec, tmp_path / "run", workers=0, try_parts=False).trials.values()
    assert result.status == "diverged"
    assert re.search(r"undefined was nan at step \d+: it is a toy$", result.reason)


def test_a_worker_that_dies_costs_its_own_trial_only(tmp_path):
    settings = {"learning_rate": 1e-3, "beta1": 0.5}
    models = [{"name": "killer", "objective": "toys:Killer", "settings": settings}, "ns_gan"]
    watching = Watching()
    spec = study(models=models, search={"settings": 0})
    run = api.run(spec, tmp_path / "run", workers=2, observer=watching, try_parts=False)
    results = run.trials
    found = {result.trial.model: result for result in results.values()}
    assert (found["ns_gan"].status, found["ns_gan"].reason) == ("done", None)
    assert found["killer"].status == "failed"
    assert "its process died 2 times" in found["killer"].reason
    news = [line for progress in watching.seen for line in progress.news]
    (said,) = [line for line in news if "trying again" in line]
    assert said.startswith("killer 0: killed by SIGKILL")


def test_a_part_that_kills_its_process_when_it_is_tried_is_said_so(tmp_path):
    settings = {"learning_rate": 1e-3, "beta1": 0.5}
    models = [{"name": "killer", "objective": "toys:Killer", "settings": settings}]
    spec = study(models=models, search={"settings": 0})
    message = "the process died while trying the parts on some images of digits: killed by SIGKILL"
    with pytest.raises(PartsError, match=message):
        api.run(spec, tmp_path / "run", workers=1, retries=0)


def test_another_study_or_a_foreign_folder_is_refused(whole, tmp_path):
    with pytest.raises(
        FileExistsError, match=r"another study \('tiny'\), and none of its 6 .*: seed: 5"
    ):
        run(whole, seed=5)
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(FileExistsError, match="is not empty and holds no study"):
        run(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "all of it"


def test_one_coordinator_at_a_time(whole):
    folder = RunFolder(whole)
    with (
        folder.lock(),
        pytest.raises(BlockingIOError, match=f"is in use by process {os.getpid()} on "),
    ):
        run(whole)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a result"),
        ("{}", "is not a result"),
        ('{"version": 99}', "it says 99; a newer version of coequal may have written it"),
    ],
)
def test_a_result_that_cannot_be_used_is_named(whole, tmp_path, text, message):
    import shutil

    shutil.copytree(whole, tmp_path / "copy")
    folder = RunFolder(tmp_path / "copy")
    path = folder.trial_folder(folder.plan()[0].id) / "result.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        run(tmp_path / "copy")
    assert str(path) in str(caught.value)
    assert path.read_text() == text


def test_an_edited_result_is_named(whole, tmp_path):
    import shutil

    shutil.copytree(whole, tmp_path / "copy")
    folder = RunFolder(tmp_path / "copy")
    path = folder.trial_folder(folder.plan()[0].id) / "result.json"
    values = json.loads(path.read_text())
    values["trial"]["settings"]["learning_rate"] = 0.5
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match="was it edited"):
        run(tmp_path / "copy")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"training": {"batch_size": 2000}}, "has 1087 images, fewer than batch_size 2000"),
        ({"architecture": {"name": "toys:ConditionalNets"}, "models": MINE}, "refused by a toy"),
    ],
    ids=["batch", "nets"],
)
def test_what_cannot_work_on_the_images_is_said_before_any_trial(tmp_path, more, message):
    with pytest.raises(ValueError, match=message):
        run(tmp_path / "run", **more)
    assert not (tmp_path / "run" / "trials").exists()
    # Nothing has begun, so that the mended study may use the same folder.
    run(tmp_path / "run", models=["vae"], search={"settings": 0})


def test_what_the_machine_does_is_no_result(tmp_path, monkeypatch):
    """A vanished data folder or a full disk stops the run; no model is marked as failed."""
    from coequal.training import checkpoint

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", full)
        with pytest.raises(OSError, match="No space left"):
            run(out)
    assert not list(out.glob("trials/*/*/result.json"))
    assert {r.status for r in run(out).values()} == {"done"}


def test_other_images_than_the_study_began_with_are_refused(tmp_path, monkeypatch):
    import numpy as np
    from PIL import Image

    monkeypatch.setenv("COEQUAL_DATA", str(tmp_path / "data"))

    def images(seed: int) -> None:
        pixels = np.random.default_rng(seed).integers(0, 256, (60, 8, 8), dtype=np.uint8)
        (tmp_path / "images").mkdir(exist_ok=True)
        for index, image in enumerate(pixels):
            Image.fromarray(image).save(tmp_path / "images" / f"{index}.png")

    images(1)
    out = tmp_path / "run"
    own = {"data": [f"folder:{tmp_path / 'images'}"], "models": ["vae"]}
    run(out, **own)
    folder = RunFolder(out)
    (folder.trial_folder(folder.plan()[1].id) / "result.json").unlink()
    images(2)
    with pytest.raises(OSError, match="not those that this study began with"):
        run(out, **own)
    images(1)
    assert len(run(out, **own)) == 2


def test_references_of_a_study_that_never_began_are_forgotten(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(FileNotFoundError):
        run(out, data=["digits", "folder:nowhere"])
    assert list(RunFolder(out).references()) == ["digits"]
    more = {"evaluation": {"encoder": "pixels", "samples": 40, "metrics": ["swd"]}}
    run(out, select={"metric": "swd"}, **more)
    assert list(RunFolder(out).references()["digits"]["cap"]) == ["swd"]


def test_a_worker_whose_coordinator_is_gone_ends_itself(tmp_path, monkeypatch):
    class Ended(Exception):
        pass

    def end(code: int) -> None:
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", end)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    Heartbeat(tmp_path / "pulse", WorkerContext("", "", "", coordinator=os.getpid())).report(0)
    gone.wait()
    with pytest.raises(Ended, match=r"^1$"):
        Heartbeat(tmp_path / "pulse", WorkerContext("", "", "", coordinator=gone.pid)).report(0)


def test_a_conditional_contender_of_somebodys_own_runs_and_can_be_sampled(tmp_path):
    from coequal.inspection.samples import sample

    own = {
        "architecture": {"name": "toys:ConditionalNets", "willing": True},
        "models": MINE,
        "search": {"settings": 0},
    }
    (result,) = run(tmp_path / "run", **own).values()
    assert result.status == "done", result.reason
    assert sample(RunFolder(tmp_path / "run"), result.trial, 7).images.shape == (7, 1, 8, 8)


def test_a_trial_whose_process_died_keeps_what_it_had_measured(whole, tmp_path):
    from concurrent.futures import Future

    from pebble import ProcessExpired

    from coequal.runner.interrupt import GracefulStop
    from coequal.runner.progress import Silent
    from coequal.runner.session import Session
    from coequal.trial.context import WorkerContext

    source, folder = RunFolder(whole), RunFolder(tmp_path)
    trial = source.plan()[0]
    place = folder.trial_folder(trial.id)
    place.mkdir(parents=True)
    known = source.result(trial.id)
    (place / "measured.json").write_text(json.dumps([asdict(known.checkpoints[0])]))
    session = Session(folder, WorkerContext("", "", ""), Silent(), GracefulStop(tmp_path), 0, None)
    died: Future[str] = Future()
    died.set_exception(ProcessExpired("killed"))
    assert session.accept(died, trial)
    result = folder.result(trial.id)
    assert (result.status, result.spent.discriminator_steps) == ("failed", 6)
    assert [checkpoint.step for checkpoint in result.checkpoints] == [6]


@pytest.mark.parametrize("keep", ["last", "best", "schedule"])
def test_weights_of_checkpoints_stay_by_the_study_s_rule(tmp_path, keep):
    training = {**TINY["training"], "checkpoints": 4, "keep": keep}
    fast = {"base": "ns_gan", "name": "fast", "settings": {"learning_rate": 1e-2}}
    changes = {"models": [fast], "search": {"settings": 1}, "training": training}
    changes["select"] = {"metric": "fd", "split": "validation", "checkpoint": "best"}
    results = run(tmp_path, **changes)
    for result in results.values():
        folder = RunFolder(tmp_path).trial_folder(result.trial.id)
        kept = {int(path.stem[5:]) for path in folder.glob("generators/step-*.safetensors")}
        values = {c.step: c.value("fd", "validation") for c in result.checkpoints}
        best = min(values, key=lambda step: (values[step], step))
        assert kept == {"last": set(), "best": {best}, "schedule": {3, 6, 9, 12}}[keep]
        assert (folder / "generator.safetensors").exists()
        if keep == "schedule":
            whole = load_file(folder / "generator.safetensors")
            last = load_file(folder / "generators" / "step-000000012.safetensors")
            first = load_file(folder / "generators" / "step-000000003.safetensors")
            assert all((whole[name] == last[name]).all() for name in whole)
            assert any((whole[name] != first[name]).any() for name in whole)
        images = sample(RunFolder(tmp_path), result.trial, 4).images
        own = load_generator(RunFolder(tmp_path), result.trial, ImageShape(1, 8, 8), 10)
        asked = Conditions.in_turn(4, 10)
        latest = generate(own, 4, Rng(seed_for("sample", 0)), asked)
        same = bool((images == latest).all())
        assert same == (keep == "last" or best == 12)
