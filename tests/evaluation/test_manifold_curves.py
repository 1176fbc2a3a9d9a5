"""`coequal manifold`: curves over delta, and the page."""

import json

import pytest
import torch
from torch import Tensor

from coequal.contract import Dataset, Generator, GeneratorInput, Samples, Split
from coequal.evaluation.manifold_curves import manifold_curves
from coequal.inputs.input import Input
from coequal.inputs.load import from_array, from_generator, from_split
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.reporting.manifold_page import write_manifold_page
from coequal.rng import Rng

FAMILY = PolygonFamily(size=12)


class Few(Generator):
    """Makes twelve training triangles and what lies between two of them: memorisation."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.register_buffer("known", images)

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        return (rng.normal(count, len(self.known)),)

    def forward(self, request: GeneratorInput) -> Samples:
        weights = (20 * request.latents[0]).softmax(1)
        return Samples(torch.einsum("nk,kchw->nchw", weights, self.known))


def triangles(count: int, seed: int) -> Tensor:
    return FAMILY.images(FAMILY.draw(count, Rng(seed)))


@pytest.fixture(scope="module")
def found():
    data = Dataset("own", *(Split(triangles(12, seed)) for seed in range(3)), manifold=FAMILY)
    real, train = (from_split("own", data, p) for p in ("test", "train"))
    generator = Few(data.train.images.whole)
    images = generator(GeneratorInput(generator.latents(20, Rng(1)))).images
    fake = from_generator(images, generator, "few")
    return {"real": real, "train": train, "fake": fake}


def seen(sources: dict[str, Input], **changes):
    settings = {"count": 12, "delta": 0.75, "manifold": "convex", "seed": 0}
    settings["device"] = torch.device("cpu")
    return manifold_curves(**{**sources, **settings, **changes}, log=lambda line: None)


def test_memorisation_shows_as_recall_of_training_images_at_small_delta(found):
    got = seen(found)
    row = got.curves[0]
    assert row["delta"] == 0.01
    assert row["train_recall"] == 1
    assert row["recall"] == 0
    assert got.record["at_delta"]["precision"] > 0.5
    assert len(got.samples) == len(got.reached) == 12


def test_curves_rise_with_delta_and_hold_the_delta_asked_for(found):
    got = seen(found, delta=0.3)
    deltas = [row["delta"] for row in got.curves]
    assert deltas == sorted(deltas)
    assert {0.3, 0.75, 0.01, 10.0} <= set(deltas)
    for side in ("precision", "recall", "train_recall", "f1"):
        values = [row[side] for row in got.curves]
        assert values == sorted(values)
        assert all(row[f"{side}_low"] <= row[side] <= row[f"{side}_high"] for row in got.curves)
    assert next(row for row in got.curves if row["delta"] == 0.3) == got.record["at_delta"]


def test_images_alone_have_a_precision_and_no_recall(found):
    got = seen({**found, "fake": from_array(triangles(5, 7), "array"), "train": None})
    assert got.record["at_delta"]["precision"] == 1
    assert "recall" not in got.record["at_delta"]
    assert not got.reached


def test_what_can_t_be_looked_at_is_refused(found):
    with pytest.raises(ValueError, match="array: needs polygons"):
        seen({**found, "real": from_array(triangles(5, 7), "array")})
    with pytest.raises(ValueError, match="delta must be a number above 0"):
        seen(found, delta=0.0)
    with pytest.raises(ValueError, match="features were given"):
        seen({**found, "fake": from_array(Rng(0).normal(5, 4), "array")})


def test_the_page_holds_numbers_curves_and_pictures(found, tmp_path):
    got = seen(found)
    page = write_manifold_page(tmp_path, got.record, got.curves, got.samples, got.reached)
    text = page.read_text()
    assert text.count("data:image/png;base64") == 48  # 24 pairs
    assert 'alt=""' not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "recall, training images" in text
    assert "latents within 5.5 of the origin" in text  # sqrt(12) + 2
    assert json.loads((tmp_path / "manifold.json").read_text()) == got.record
    assert len((tmp_path / "curves.csv").read_text().splitlines()) == 1 + len(got.curves)
    again = write_manifold_page(
        tmp_path / "again", got.record, got.curves, got.samples, got.reached
    )
    assert again.read_bytes() == page.read_bytes()
