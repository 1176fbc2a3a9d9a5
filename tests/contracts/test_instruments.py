"""What every metric, every encoder and every dataset that is made by a formula must keep."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from coequal import lookup
from coequal.contract import Dataset, Split
from coequal.datasets import _made
from coequal.datasets._loading import known_manifold, load_dataset
from coequal.encoders import _small_net, corners
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.rng import Rng
from coequal.testing import check_dataset, check_encoder, check_metric
from other_device import require_same_elsewhere


def of_any_images(name: str) -> bool:
    """Whether a metric can be tried on images of any kind, without a generator, in seconds. The
    others are checked in their own tests."""
    kind = lookup.load("metrics", name)
    return (
        kind.unsupported_reason(None) is None
        and not {"generator", "density"} & set(kind.required)
        and not kind.costly
    )


@pytest.mark.parametrize("name", [*filter(of_any_images, lookup.names("metrics"))])
def test_a_metric_keeps_the_contract(name):
    check_metric(lookup.load("metrics", name)())


FEW = {"train": 300, "validation": 20, "test": 20}  # digits, for nets that read large images


@pytest.fixture(scope="module")
def datasets(tmp_path_factory) -> list[Dataset]:
    """Photographs of a kind, and polygons, for encoders that are for nothing else."""
    family = PolygonFamily(size=8)
    parts = family.images(family.draw(24, Rng(0))).split(8)
    polygons = Dataset("polygons", *(Split(part) for part in parts), manifold=family)
    digits = load_dataset("digits", tmp_path_factory.mktemp("data"))
    few = {name: getattr(digits, name).select(torch.arange(count)) for name, count in FEW.items()}
    return [replace(digits, **few), polygons]


@pytest.mark.parametrize("name", ["classifier", "corners", "pixels"])  # others: tests/encoders
def test_an_encoder_computes_elsewhere_what_it_computes_here(name, datasets, tmp_path, monkeypatch):
    monkeypatch.setattr(_small_net, "HOW", replace(_small_net.HOW, epochs=1, steps=20))
    monkeypatch.setattr(corners, "OF_EACH", {"train": 100, "test": 20})
    kind = lookup.load("encoders", name)
    data = next(data for data in datasets if kind.unsupported_reason(data) is None)
    encoder = kind.prepare(data, tmp_path, lambda line: None)
    require_same_elsewhere(encoder, data.test.images.whole)


@pytest.mark.parametrize("name", lookup.names("encoders"))
def test_an_encoder_keeps_the_contract(name, datasets, tmp_path, monkeypatch):
    # Nets that are trained here need not be right to be encoders.
    monkeypatch.setattr(_small_net, "HOW", replace(_small_net.HOW, epochs=1, steps=20))
    monkeypatch.setattr(corners, "OF_EACH", {"train": 100, "test": 20})
    kind = lookup.load("encoders", name)
    suitable = [data for data in datasets if kind.unsupported_reason(data) is None]
    check_encoder(kind, suitable[0], cache=tmp_path)
    assert kind.prepare(suitable[0], tmp_path, lambda line: None).id.startswith(f"{name}:")


def is_made(name: str) -> bool:
    """Whether the images of a dataset are made by a formula, without anything after its name."""
    try:
        return known_manifold(name) is not None
    except LookupError:
        return False


@pytest.mark.parametrize("name", [*filter(is_made, lookup.names("datasets"))])
def test_a_made_data_set_keeps_the_contract(name, monkeypatch):
    monkeypatch.setattr(_made, "COUNTS", {"train": 3000, "validation": 500, "test": 500})
    check_dataset(name)


def test_every_number_says_what_it_is_good_for_as_the_docs_do():
    docs = (Path(__file__).parents[2] / "docs" / "reference" / "scores.md").read_text()
    for name in lookup.names("metrics"):
        for number, info in lookup.load("metrics", name).outputs.items():
            assert f"| `{number}` | {info.use} |" in docs


def test_every_number_has_a_direction():
    for name in lookup.names("metrics"):
        for info in lookup.load("metrics", name).outputs.values():
            assert info.better in ("lower", "higher", "target")
            if info.best is not None and info.worst is not None:
                assert info.cost(info.best) < info.cost(info.worst)
