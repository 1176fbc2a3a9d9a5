"""Images of a run's networks, measured again by other encoders and against other test images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coequal import api
from coequal.datasets._loading import data_folder
from coequal.encoders import _small_net
from coequal.inspection.instrument_noise import instrument_noise
from coequal.results.folder import RunFolder
from coequal.results.instrument_file import read_instrument, write_instrument
from coequal.study.spec import Study

STUDY = {
    "study": "tiny",
    "data": ["digits"],
    "models": ["ns_gan", "vae"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 1},
    "training": {"budget": {"discriminator_steps": 4}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "classifier", "metrics": ["fd", "precision"], "samples": 200},
    "reruns": {"best": 1, "seeds": 1},
}


def ignored(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunFolder:
    out = tmp_path_factory.mktemp("noise") / "run"
    api.run(Study.model_validate(STUDY), out, workers=0)
    return RunFolder(out)


def measured(run: RunFolder, cache: Path, **options):  # type: ignore[no-untyped-def]
    sizes = {"encoders": 3, "partitions": 2, **options}
    return instrument_noise(
        run, "digits", **sizes, data_dir=data_folder(None), cache=cache, log=ignored
    )


def test_the_chosen_networks_are_measured_again(run, tmp_path, monkeypatch):
    # Other encoders need not be good: 20 steps instead of 600.
    monkeypatch.setattr(_small_net, "HOW", replace(_small_net.HOW, epochs=1, steps=20))
    found = measured(run, tmp_path)
    results = run.results()
    # One chosen setting of each model, with a fresh seed.
    assert found.models == ["ns_gan", "ns_gan", "vae", "vae"]
    assert len(set(found.encoders)) == 3
    assert found.encoders[0] == run.references()["digits"]["encoder"]
    for name in ("fd", "precision"):
        known = [results[trial].checkpoints[-1].value(name, "test") for trial in found.trials]
        # The study's own encoder gives what the study measured, to the bit.
        assert [row[0] for row in found.numbers[name].by_encoder] == known
        assert np.shape(found.numbers[name].by_encoder) == (4, 3)
        assert np.shape(found.numbers[name].by_half) == (4, 2, 2)
    distances = np.array(found.numbers["fd"].by_encoder)
    assert (distances[:, 1:] != distances[:, :1]).all()
    assert (np.diff(found.numbers["fd"].by_half, axis=2) != 0).all()
    write_instrument(run, "digits", found.as_dict())
    assert read_instrument(run)["digits"]["numbers"]["fd"]["by_encoder"] == distances.tolist()


def test_an_encoder_that_is_not_trained_here_is_alone(run, tmp_path, monkeypatch):
    monkeypatch.setattr("coequal.encoders.classifier.Classifier.retrained", lambda *arguments: None)
    assert len(measured(run, tmp_path, metrics=["fd"]).encoders) == 1


def test_numbers_that_no_feature_enters_are_refused(run, tmp_path):
    with pytest.raises(ValueError, match=r"no number of .* depends on features of images alone"):
        measured(run, tmp_path, metrics=["bits_per_dimension"])


def test_a_run_without_weights_is_refused(run, tmp_path):
    for path in run.path.rglob("generator.safetensors"):
        path.rename(path.with_suffix(".away"))
    try:
        with pytest.raises(ValueError, match="holds no weights of a chosen setting on digits"):
            measured(run, tmp_path)
    finally:
        for path in run.path.rglob("generator.away"):
            path.rename(path.with_suffix(".safetensors"))
