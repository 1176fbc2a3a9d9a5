"""Encoders whose weights come with the package are read, never trained, and the same everywhere."""

import hashlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from coequal import lookup
from coequal.contract import Dataset
from coequal.datasets._loading import data_folder, load_dataset
from coequal.encoders import _small_net
from coequal.evaluation.encoder_choice import RunEncoder, keep_weights, prepared_encoder

WEIGHTS = Path(_small_net.__file__).parent / "weights"


@pytest.fixture
def untrained(monkeypatch) -> None:
    def fit(*_: object) -> None:
        raise AssertionError("an encoder was trained")

    monkeypatch.setattr(_small_net, "fit", fit)


def dataset(name: str) -> Dataset:
    try:
        return load_dataset(name, data_folder(None))
    except FileNotFoundError:
        pytest.skip(f"{name} is not on this machine")


def ignored(line: str) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "data", "id"),
    [
        ("classifier", "fashion_mnist", "classifier:c1092c402786"),
        ("classifier", "mnist", "classifier:d12f792a8d0d"),
        ("classifier", "digits", "classifier:48b30e3f8cc3"),
        ("corners", "triangles", "corners:aeeef96c762d"),
    ],
)
def test_two_caches_give_one_encoder_without_training(name, data, id, untrained, tmp_path):
    images = dataset(data)
    for cache in (tmp_path / "one", tmp_path / "other"):
        assert prepared_encoder(name, images, cache, ignored).id == id
        assert not cache.exists()


def test_other_images_have_no_shipped_weights(untrained, tmp_path):
    with pytest.raises(AssertionError, match="an encoder was trained"):
        prepared_encoder("classifier", dataset("digits@50%"), tmp_path, ignored)


@pytest.fixture
def theirs(tmp_path) -> tuple[Dataset, Path, str]:
    """Digits; a cache with weights of another machine, whose last layer is rounded otherwise; and
    their id."""
    data = dataset("digits")
    kind = lookup.load("encoders", "classifier")
    file = kind.weights_name(data)
    weights = load_file(WEIGHTS / file)
    last = list(weights)[-1]
    weights[last] = torch.nextafter(weights[last], torch.full_like(weights[last], 9.0))
    path = tmp_path / "theirs" / "encoders" / file
    path.parent.mkdir(parents=True)
    save_file(weights, path, metadata={"test accuracy": "99.0%"})
    return data, tmp_path / "theirs", kind.restored(data, path).id


def test_a_run_goes_on_with_the_encoder_that_it_began_with(theirs, untrained, tmp_path):
    data, cache, id = theirs
    assert id != "classifier:48b30e3f8cc3"
    # What is new is measured by the package's weights, also where the cache has others.
    assert prepared_encoder("classifier", data, cache, ignored).id == "classifier:48b30e3f8cc3"
    # A run that began with those of the cache goes on with them, and gets a copy of its own.
    begun = RunEncoder(tmp_path / "run", id)
    encoder = prepared_encoder("classifier", data, cache, ignored, begun)
    assert encoder.id == id
    kept = keep_weights(encoder, data, cache, tmp_path / "run")
    assert kept.read_bytes() == (cache / "encoders" / kept.name).read_bytes()
    # That copy is enough on a machine with an empty cache; a new run that was given it uses it.
    for run in (begun, RunEncoder(tmp_path / "run")):
        assert prepared_encoder("classifier", data, tmp_path / "none", ignored, run).id == id


def test_a_file_of_something_else_is_named(tmp_path):
    data = dataset("digits")
    kind = lookup.load("encoders", "classifier")
    path = tmp_path / kind.weights_name(data)
    path.write_bytes((WEIGHTS / path.name).read_bytes()[:-8])
    with pytest.raises(OSError, match=f"{path} does not hold the weights of this encoder"):
        prepared_encoder("classifier", data, tmp_path, ignored, RunEncoder(tmp_path))


def test_the_page_on_data_lists_every_file(repository):
    page = (repository / "docs" / "how_to" / "data.md").read_text()
    listed = dict(re.findall(r"`([\w.-]+\.safetensors)`.*`([0-9a-f]{64})`", page))
    sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in WEIGHTS.iterdir()}
    assert listed == sums


def test_the_wheel_leaves_none_of_them_out(repository):
    # hatchling takes every file of the package's folder that git does not ignore.
    target = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert target["targets"]["wheel"] == {"packages": ["src/coequal"]}
    assert target.keys() == {"targets"}
    assert WEIGHTS.is_relative_to(repository / "src" / "coequal")
    tracked = ["git", "ls-files", "--", str(WEIGHTS)]
    listed = subprocess.run(tracked, cwd=repository, check=True, capture_output=True, text=True)
    assert {Path(line).name for line in listed.stdout.splitlines()} == {
        path.name for path in WEIGHTS.iterdir()
    }
