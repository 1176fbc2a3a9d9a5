"""Datasets made from a seed whose modes or curve are known."""

import pytest
import torch

from coequal.datasets import _made
from coequal.datasets._loading import fingerprint, known_manifold, load_dataset
from coequal.evaluation.encoder_choice import default_encoder
from coequal.images import as_float
from coequal.lookup import load
from coequal.manifolds.colours import assign

POINTS = {"gaussian_ring": 8, "gaussian_grid": 25, "spiral": None, "swiss_roll": None}


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(_made, "COUNTS", {"train": 500, "validation": 100, "test": 100})


@pytest.mark.parametrize(("name", "modes"), POINTS.items())
def test_points(name, modes, tmp_path):
    data = load_dataset(name, tmp_path)
    assert data.shape == (2, 1, 1)
    assert data.train.images.dtype == torch.float32
    assert data.manifold == known_manifold(name)
    assert data.manifold.description in data.notes[0]
    assert (data.classes is None) == (modes is None)
    if modes is not None:
        assert len(data.classes) == modes
        assert set(data.train.labels.tolist()) == set(range(modes))
    again = load_dataset(name, tmp_path)
    splits = [data.train.images.whole, data.validation.images.whole, data.test.images.whole]
    assert torch.equal(again.test.images.whole, splits[2])
    assert len(torch.cat(splits).unique(dim=0)) == 700  # no point twice, within a split or across


def test_colour_shapes(tmp_path):
    lines: list[str] = []
    data = load_dataset("colour_shapes", tmp_path, None, lines.append)
    assert data.shape == (3, 28, 28)
    assert data.train.images.dtype == torch.uint8
    assert len(data.classes) == 288
    assert lines == ["making 700 images of colour_shapes"]
    again = load_dataset("colour_shapes", tmp_path, 28, lines.append)
    assert len(lines) == 1
    assert torch.equal(again.train.images.whole, data.train.images.whole)
    assert torch.equal(again.test.labels, data.test.labels)
    found = assign(as_float(data.test.images.whole))
    assert torch.equal(found.mode, data.test.labels)
    assert found.squared.max() < 1e-3


@pytest.mark.parametrize("name", POINTS)
def test_points_have_no_size(name):
    with pytest.raises(ValueError, match=f"{name} holds points .* no image size; leave out 28"):
        known_manifold(name, 28)


def test_colour_shapes_come_in_one_size():
    with pytest.raises(ValueError, match="28x28 only, not 64"):
        known_manifold("colour_shapes", 64)


def test_all_fingerprints_differ(tmp_path):
    names = [*POINTS, "colour_shapes"]
    assert len({fingerprint(load_dataset(name, tmp_path)) for name in names}) == len(names)


def test_the_classifier_says_what_points_lack_and_pixels_take_them_as_they_are(tmp_path):
    ring = load_dataset("gaussian_ring", tmp_path)
    assert "at least 4x4" in load("encoders", "classifier").unsupported_reason(ring)
    assert "needs labels" in load("encoders", "classifier").unsupported_reason(
        load_dataset("spiral", tmp_path)
    )
    pixels = load("encoders", "pixels")
    assert pixels.unsupported_reason(ring) is None
    features = pixels.prepare(ring, tmp_path, print).features(ring.test.images.whole)
    assert torch.equal(features, ring.test.images.whole.flatten(1))
    assert default_encoder(ring)[0] == "pixels"
