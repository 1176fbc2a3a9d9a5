"""A training, while it goes on and when it has ended."""

import shutil
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import save_file

from coequal.execution.serial import Serial
from coequal.files import write_json
from coequal.health.signals import load
from coequal.results.folder import CURVES, HEALTH, SIGNALS, RunFolder
from coequal.results.result_file import MEASURED, RESULT

from typed import coequal

COMMAND = (
    *("train", "ns_gan", "--data", "digits", "--steps", "150", "--width", "0.04"),
    *("--encoder", "pixels", "--samples", "20", "--out", "ns"),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a training that has ended."""
    place = tmp_path_factory.mktemp("training")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coequal.runner.start.executor_for", lambda where: Serial())
        assert coequal(*COMMAND, cwd=place).returncode == 0
    return place


@pytest.fixture
def under_way(home, tmp_path):
    """The same as it lay there at its last checkpoint."""
    shutil.copytree(home / "ns", tmp_path / "ns")
    folder = RunFolder(tmp_path / "ns")
    (trial,) = folder.plan()
    place, result = folder.trial_folder(trial.id), folder.result(trial.id)
    points = [asdict(point) for point in result.checkpoints][:5]
    write_json(place / MEASURED, points)
    rows = torch.from_numpy(load(place / SIGNALS).values)
    (place / "checkpoint").mkdir()
    save_file({"health/rows": rows}, place / "checkpoint" / "state.safetensors")
    gone = [place / name for name in (RESULT, HEALTH, SIGNALS, CURVES)]
    for path in [*gone, folder.path / "index.html", *folder.path.glob("*.jsonl")]:
        path.unlink()
    return folder


def test_the_page_of_a_training_that_has_ended_is_the_one_that_train_wrote(open_site, home):
    visitor = open_site(home / "ns")
    assert visitor.get("/").headers["location"] == "/ns/"
    answer = visitor.page("/ns/")
    written = (home / "ns" / "index.html").read_text()
    assert written.partition("<main>")[2].partition("</main>")[0] in answer.text
    assert "Training has ended." in answer.text
    assert visitor.get("/ns/version?page=training").json()["next"] is None
    for link in ("progress.gif", "samples.png", "results.csv"):
        assert visitor.get(f"/ns/{link}").status_code == 200
    assert "this training" in visitor.page("/ns/report/").text


def test_the_list_says_how_healthy_a_training_was(open_site, home):
    text = open_site(home).get("/").text
    assert "train ns_gan" in text
    assert "Too early to tell." in text or "Healthy." in text


def test_while_it_trains_the_page_shows_what_there_is_so_far(open_site, under_way, monkeypatch):
    (trial,) = under_way.plan()
    place = under_way.trial_folder(trial.id)
    progress = {"share": 0.5, "text": "step 75: loss D 1.3, G 0.7", "verdict": ""}
    write_json(place / "progress.json", progress)
    with under_way.lock():
        answer = open_site(under_way.path).page("/ns/")
    assert answer.status_code == 200
    assert "Training." in answer.text
    assert "step 75: loss D 1.3, G 0.7" in answer.text
    assert "<b>75</b> discriminator steps done" in answer.text  # five of ten checkpoints
    assert "<h2>Samples</h2>" in answer.text
    assert "One panel per rule." in answer.text
    assert "Begun with" not in answer.text


def test_before_its_first_checkpoint_there_is_a_page_too(open_site, under_way):
    (trial,) = under_way.plan()
    shutil.rmtree(under_way.trial_folder(trial.id))
    answer = open_site(under_way.path).page("/ns/")
    assert "Training was stopped early." in answer.text
    assert "<b>0</b> discriminator steps done" in answer.text
