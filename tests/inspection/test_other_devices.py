"""Scores, samples and diagnoses on a device that is not the CPU."""

from pathlib import Path
from unittest.mock import patch

import pytest
import torch

import coequal
from coequal import devices
from coequal.evaluation.compare import compare
from coequal.inspection.samples import sample
from coequal.results.folder import RunFolder
from coequal.study.spec import Study
from foreign import ForeignDevice

TINY = {
    "study": "tiny",
    "data": ["digits"],
    "models": ["ns_gan"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 4}, "batch_size": 16},
    "evaluation": {"encoder": "pixels", "samples": 20},
}
METRICS = ["fd", "kid", "precision", "recall"]
COMMON = {"real": "digits:test", "fake": "digits:validation", "metrics": METRICS}


@pytest.fixture(scope="module")
def trained_run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    coequal.run(Study.model_validate(TINY), out, workers=0)
    return out


@pytest.fixture
def elsewhere():
    """A device, as a user writes it, which this machine is said to have."""
    accept = patch.object(devices, "refuse_missing", lambda device: None)
    with ForeignDevice() as foreign, accept:
        yield foreign.device.type


@pytest.mark.parametrize("encoder", ["classifier", "pixels"])
def test_a_score_says_its_device_and_is_the_same_but_for_rounding(encoder, elsewhere, tmp_path):
    sheet = tmp_path / "sheet.png"
    here = coequal.score(**COMMON, encoder=encoder, device="cpu")
    there = coequal.score(**COMMON, encoder=encoder, device=elsewhere, sheet=sheet)
    assert (here["device"], here["precision"]) == ("cpu", "float32")
    assert (there["device"], there["precision"]) == ("meta", "float32")
    assert sheet.exists()
    for name, row in there["metrics"].items():
        assert row["value"] == pytest.approx(here["metrics"][name]["value"], abs=1e-6), name
        start, count, rest = here["metrics"][name]["protocol"].partition(" fake=355")
        assert row["protocol"] == f"{start}{count} device=meta{rest}"


def test_features_that_are_given_are_measured_there(elsewhere):
    rows = torch.randn(300, 6, generator=torch.Generator().manual_seed(5)).numpy()
    given = {"real": rows[:150], "fake": rows[150:], "metrics": METRICS}
    here, there = (coequal.score(**given, device=device) for device in ("cpu", elsewhere))
    assert there["metrics"]["fd"]["protocol"].endswith(" fake=150 device=meta")
    for name, row in there["metrics"].items():
        assert row["value"] == pytest.approx(here["metrics"][name]["value"], abs=1e-6), name


def test_scores_of_two_devices_are_compared_with_a_note(elsewhere):
    common = {**COMMON, "encoder": "pixels", "metrics": ["fd"]}
    here, there = (coequal.score(**common, device=device) for device in ("cpu", elsewhere))
    found = compare(here, there)
    assert found["metrics"]["fd"]["difference"] == pytest.approx(0, abs=1e-9)
    (note,) = found["notes"]
    assert note.startswith("the first was computed on cpu, the second on meta")
    assert compare(here, here)["notes"] == []
    old = {name: value for name, value in here.items() if name not in ("device", "precision")}
    assert compare(old, here)["notes"] == []  # before devices were recorded


def test_another_precision_is_not_comparable():
    score = coequal.score(**{**COMMON, "encoder": "pixels", "metrics": ["fd"]}, device="cpu")
    protocol = score["metrics"]["fd"]["protocol"]
    rows = {
        words: {**score, "metrics": {"fd": {**score["metrics"]["fd"], "protocol": words}}}
        for words in (f"{protocol} device=cuda", f"{protocol} device=cuda precision=tf32")
    }
    plain, tf32 = rows.values()
    compare(score, plain)
    with pytest.raises(ValueError, match=r"not comparable: fd: .*precision=tf32"):
        compare(score, tf32)


def test_samples_are_the_same_images_on_every_device(trained_run, elsewhere):
    folder = RunFolder(trained_run)
    trial = next(iter(folder.results().values())).trial
    here = sample(folder, trial, 9, seed=3)
    there = sample(folder, trial, 9, seed=3, device=elsewhere)
    assert there.images.device.type == "cpu"  # to be written
    assert torch.equal(there.images, here.images)
    assert next(there.generator.parameters()).device.type == "meta"


def test_a_model_of_a_run_is_scored_on_the_device(trained_run, elsewhere):
    common = {"real": "digits:test", "fake": f"{trained_run}:ns_gan", "samples": 50}
    common |= {"metrics": ["fd"], "encoder": "pixels"}
    here, there = (coequal.score(**common, device=device) for device in ("cpu", elsewhere))
    assert there["fake"]["sha256"] == here["fake"]["sha256"]
    assert there["metrics"]["fd"]["value"] == pytest.approx(here["metrics"]["fd"]["value"])


def test_images_are_diagnosed_on_the_device(elsewhere):
    given = {"fake": "digits:validation", "real": "digits:test"}
    here, there = (coequal.diagnose(**given, device=device) for device in ("cpu", elsewhere))
    assert there["verdict"] == here["verdict"]
    assert there["numbers"] == pytest.approx(here["numbers"], abs=1e-5)
    assert there["classes"] == here["classes"]


# ------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "cuda:7"}, "device 'cuda:7': "),
        ({"device": "mps"}, "device 'mps': "),
        ({"device": "gpu"}, "device 'gpu' is not one of cpu, cuda"),
        ({"device": "cpu", "precision": "tf32"}, "precision tf32 needs an NVIDIA GPU"),
    ],
)
def test_a_device_that_is_not_here_is_refused_before_anything_is_read(options, words, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"^{words}"):
        coequal.score(real="nowhere", fake="nowhere", **options)
    if "precision" not in options:
        for name in ("manifold", "diagnose"):
            rest = {"out": "nowhere", "real": "nowhere"} if name == "manifold" else {}
            with pytest.raises(ValueError, match=f"^{words}"):
                getattr(coequal, name)(fake="nowhere", **rest, **options)


def test_a_run_is_diagnosed_without_a_device(trained_run):
    with pytest.raises(ValueError, match="--device goes with --fake"):
        coequal.diagnose(trained_run, device="cpu")
