"""Made datasets: the same at every call, with their manifold, kept once made."""

import pytest
import torch

from coequal.datasets import _made, _polygons
from coequal.datasets._loading import fingerprint, known_manifold, load_dataset
from coequal.manifolds.polygons.family import PolygonFamily


@pytest.fixture
def few(monkeypatch):
    """As many as a test needs."""
    monkeypatch.setattr(_made, "COUNTS", {"train": 60, "validation": 10, "test": 20})


def test_the_counts_are_those_of_the_paper():
    assert _made.COUNTS == {"train": 60_000, "validation": 10_000, "test": 10_000}


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", ["triangles", "squares", "polygons:5", "polygons:8:paper"])
def test_images_are_floats_of_the_counts_and_range(name, tmp_path):
    data = load_dataset(name, tmp_path)
    assert [len(data.split(part)) for part in ("train", "validation", "test")] == [60, 10, 20]
    for part in ("train", "validation", "test"):
        images = data.split(part).images.whole
        assert images.dtype == torch.float32
        assert images.shape[1:] == (1, 28, 28)
        assert float(images.min()) >= 0
        assert float(images.max()) <= 1
    assert data.manifold == known_manifold(name)
    assert data.notes


@pytest.mark.usefixtures("few")
def test_images_are_those_of_the_polygons_of_the_split(tmp_path):
    family = PolygonFamily(3)
    test = load_dataset("triangles", tmp_path).test.images.whole
    # 1e-6: another chunk of the renderer's may round otherwise.
    expected = family.images(_polygons.vertices_of(family, "test", 20))
    torch.testing.assert_close(test, expected, atol=1e-6, rtol=0)


@pytest.mark.usefixtures("few")
def test_the_same_at_every_call_wherever_it_is_made(tmp_path):
    first = load_dataset("triangles", tmp_path / "a")
    again = load_dataset("triangles", tmp_path / "b")
    assert torch.equal(first.train.images.whole, again.train.images.whole)


@pytest.mark.usefixtures("few")
def test_what_is_made_is_kept(tmp_path, monkeypatch):
    told = []
    first = load_dataset("triangles", tmp_path, log=told.append)
    assert told == ["making 90 images of triangles"]
    monkeypatch.setattr(_polygons, "vertices_of", None)  # no image can be made any more
    again = load_dataset("triangles", tmp_path, log=told.append)
    assert len(told) == 1
    assert torch.equal(first.test.images.whole, again.test.images.whole)


@pytest.mark.usefixtures("few")
def test_names_modes_and_sizes_are_different_images(tmp_path):
    names = ["triangles", "triangles:paper", "squares", "polygons:5"]
    found = [load_dataset(name, tmp_path) for name in names]
    found.append(load_dataset("triangles", tmp_path, 40))
    assert found[-1].shape == (1, 40, 40)
    assert len({fingerprint(data) for data in found}) == 5
    for i, one in enumerate(found[:4]):
        for other in found[:i]:
            assert not torch.equal(one.train.images.whole, other.train.images.whole)
    # One name more for the same images.
    assert fingerprint(load_dataset("polygons:4", tmp_path)) == fingerprint(found[2])


@pytest.mark.usefixtures("few")
def test_splits_share_no_image(tmp_path):
    data = load_dataset("triangles", tmp_path)
    every = torch.cat([data.split(part).images.whole for part in ("train", "validation", "test")])
    apart = torch.cdist(every.flatten(1), every.flatten(1)) + 1e3 * torch.eye(90)
    assert float(apart.min()) > 0.01


@pytest.mark.usefixtures("few")
def test_the_fingerprint_is_of_the_recipe_and_the_counts(tmp_path, monkeypatch):
    data = load_dataset("triangles", tmp_path)
    before = fingerprint(data)
    # The images do not count: floats may round otherwise elsewhere.
    data.train.images.whole.mul_(0.5)
    assert fingerprint(data) == before
    monkeypatch.setattr(_made, "COUNTS", {"train": 59, "validation": 10, "test": 20})
    assert fingerprint(load_dataset("triangles", tmp_path / "fewer")) != before


def test_the_manifold_is_known_without_an_image():
    assert known_manifold("triangles") == PolygonFamily(3)
    assert known_manifold("squares:paper", 32) == PolygonFamily(4, 32, "paper")
    assert known_manifold("polygons:7") == PolygonFamily(7)
    assert known_manifold("digits") is None
    with pytest.raises(ValueError, match="at least 8x8 pixels, got 4"):
        known_manifold("triangles", 4)


def test_splits_are_drawn_apart():
    family = PolygonFamily(3)
    train = _polygons.vertices_of(family, "train", 5)
    test = _polygons.vertices_of(family, "test", 5)
    assert not torch.equal(train, test)
