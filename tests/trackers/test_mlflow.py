"""MLflow: a run for the study and one for each trial, in a folder; no network."""

from pathlib import Path

import pytest

from coequal import api
from coequal.results.folder import RunFolder
from coequal.study.spec import Study
from coequal.trackers._tracker import prepared

pytest.importorskip("mlflow")

STUDY = {
    "study": "watched",
    "data": ["digits"],
    "models": ["ns_gan", {"base": "wgan", "settings": {"learning_rate": 1e30}}],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 60}, "batch_size": 16, "checkpoints": 2},
    "evaluation": {"encoder": "pixels", "samples": 40},
}


@pytest.fixture
def client(tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    """Runs a study with MLflow twice over, and gives what reads the store."""
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    store = f"mlflow:{tmp_path / 'store'}"
    study = Study.model_validate(STUDY)
    api.run(study, tmp_path / "run", workers=0, callbacks=[store])
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return MlflowClient(tracking_uri=(tmp_path / "store").as_uri())


def test_each_trial_is_a_run_in_that_of_the_study(client, tmp_path):
    experiment = client.get_experiment_by_name("watched").experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert runs.keys() == {"run", "ns_gan 0", "wgan 0"}
    parent = runs["run"]
    assert parent.info.status == "FINISHED"
    done, diverged = runs["ns_gan 0"], runs["wgan 0"]
    for run in (done, diverged):
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert (done.info.status, done.data.tags["outcome"]) == ("FINISHED", "done")
    assert diverged.info.status == "FAILED"
    assert diverged.data.tags["outcome"].startswith("diverged: ")
    assert done.data.params["learning_rate"] == "5e-05"
    assert done.data.params["architecture.width"] == "0.03125"
    history = client.get_metric_history(done.info.run_id, "loss/generator")
    assert [metric.step for metric in history] == [25, 50]
    results = RunFolder(tmp_path / "run").results().values()
    (result,) = (r for r in results if r.trial.model == "ns_gan")
    scores = client.get_metric_history(done.info.run_id, "test/fd")
    assert [metric.value for metric in scores] == result.checkpoints.values("fd", "test")
    pictures = client.list_artifacts(done.info.run_id, "samples")
    assert [Path(p.path).name for p in pictures] == ["step-0000030.png", "step-0000060.png"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("mlflow", "needs a place: mlflow:FOLDER, mlflow:sqlite:///FILE"),
        ("mlflow:sqlite:///x.db", r"needs the whole of MLflow for a database \(sqlite\)"),
    ],
)
def test_a_place_that_can_not_be_is_refused(monkeypatch, given, message):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    found = {"mlflow": object()}
    monkeypatch.setattr("importlib.util.find_spec", found.get)
    with pytest.raises(ValueError, match=message):
        prepared(given, in_this_process=True)


def test_places_are_whole_for_workers_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    for given, expected in {
        "mlflow:runs": f"mlflow:{(tmp_path / 'runs').as_uri()}",
        "mlflow:sqlite:///x.db": f"mlflow:sqlite:///{tmp_path / 'x.db'}",
        "mlflow:http://host:5000": "mlflow:http://host:5000",
    }.items():
        assert prepared(given, in_this_process=True) == expected
        assert prepared(expected, in_this_process=True) == expected
