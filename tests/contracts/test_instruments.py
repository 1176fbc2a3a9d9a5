"""What every metric and every encoder must keep."""

import pytest
import torch

from coequal import lookup
from coequal.contract import Dataset, ImageSet, Split
from coequal.datasets._loading import load_dataset
from coequal.evaluation.feature_cache import features_in_parts
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.rng import Rng


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Dataset:
    return load_dataset("digits", tmp_path_factory.mktemp("data"))


def image_set(features: torch.Tensor) -> ImageSet:
    """Features with everything that a metric may want beside them, consistent with one another."""
    scores = (features[:, :4] * torch.tensor([1.0, 1.0, 1.0, 2.0])).softmax(1)
    pixels = (features[:, :4].sigmoid() * 255).to(torch.uint8).view(-1, 1, 2, 2)
    images = pixels.repeat_interleave(16, 2).repeat_interleave(16, 3)
    return ImageSet(features, scores, scores.argmax(1), images)


OF_ANY_IMAGES = [
    name
    for name in lookup.names("metrics")
    if lookup.load("metrics", name).unsupported_reason(None) is None
    and "generator" not in lookup.load("metrics", name).required
]
"""Those of images with a known manifold, or of a generator alone, have the same checks in their own
tests."""


QUICK = {"epochs": 0.4, "seeds": 2}
SETTINGS = {
    "gan_train": {**QUICK, "seeds": 1},
    "gan_test": QUICK,
    "gan_train_curve": {**QUICK, "seeds": 1, "sizes": 2},
    "augmentation": {**QUICK, "seeds": 1},
}
"""Of metrics whose defaults would take minutes here."""

NOT_OF_FEW_CLASSES = {"gan_train_top5"}


@pytest.mark.parametrize("name", OF_ANY_IMAGES)
def test_a_metric(name):
    metric = lookup.load("metrics", name)(**SETTINGS.get(name, {}))
    rng = Rng(0)
    real, near, far = rng.normal(400, 6), rng.normal(400, 6), rng.normal(400, 6) + 3
    reference = metric.reference(image_set(real), image_set(rng.normal(400, 6)))

    def score(features: torch.Tensor, seed: int = 1):  # type: ignore[no-untyped-def]
        return metric.values(real=reference, fake=image_set(features), rng=Rng(seed))

    found, again, worse, turned = score(near), score(near), score(far), score(near.flip(0))
    assert found.keys() == metric.outputs.keys() - metric.fid_names.keys() - NOT_OF_FEW_CLASSES
    broken = near.clone()
    broken[3, 2] = float("nan")
    for key in found:
        output = metric.outputs[key]
        if output.better != "target":
            sign = 1 if output.better == "lower" else -1
            assert sign * found[key].value < sign * worse[key].value, key
        elif output.target is not None:
            near_it, far_off = (abs(v[key].value - output.target) for v in (found, worse))
            assert near_it < far_off, key
        assert found[key] == again[key], key  # the same stream, the same bits
        assert found[key].value == pytest.approx(turned[key].value, rel=1e-9), key
        if metric.sees_features:  # shares of right answers may be the same with one other image
            assert score(broken)[key].value != found[key].value, key


def polygons() -> Dataset:
    """What the encoder of polygons is for."""
    family = PolygonFamily(size=8)
    images = family.images(family.draw(60, Rng(0)))
    return Dataset("polygons", *(Split(part) for part in images.split(20)), manifold=family)


@pytest.mark.parametrize("name", lookup.names("encoders"))
def test_an_encoder(name, digits, tmp_path):
    kind = lookup.load("encoders", name)
    if missing := kind.available():
        pytest.skip(missing)
    data = digits if name != "corners" else polygons()
    assert kind.unsupported_reason(data) is None
    lines: list[str] = []
    before = torch.get_rng_state()
    encoder = kind.prepare(data, tmp_path, lines.append)
    images = data.test.images.whole
    features = encoder.features(images)
    assert torch.equal(before, torch.get_rng_state())
    assert features.dtype == torch.float32
    assert len(features) == len(images)
    assert torch.isfinite(features).all()
    assert encoder.id.startswith(f"{name}:")
    # No caller can change a bit by asking for other images beside these, or again, or from the
    # cache.
    again = kind.prepare(data, tmp_path, lines.append)
    assert again.id == encoder.id
    assert torch.equal(again.features(images), features)


def test_the_classifier_knows_digits_and_refuses_data_without_labels(digits, tmp_path):
    kind = lookup.load("encoders", "classifier")
    encoder = kind.prepare(digits, tmp_path, lambda line: None)
    right = float(encoder.note.split("with ")[1].split("%")[0])
    assert right > 90
    bare = Dataset("bare", *(Split(part.images) for part in (digits.train,) * 3))
    assert "needs labels" in kind.unsupported_reason(bare)


def test_the_classifiers_weights_depend_on_the_images(digits, tmp_path):
    kind = lookup.load("encoders", "classifier")
    turned = Dataset(
        "turned",
        Split(digits.train.images.whole.flip(2), digits.train.labels),
        digits.validation,
        digits.test,
        digits.classes,
    )
    ids = {kind.prepare(data, tmp_path, lambda line: None).id for data in (digits, turned)}
    assert len(ids) == 2


@pytest.mark.parametrize("name", ["classifier", "pixels"])
def test_features_of_images_read_in_parts_are_those_of_all_at_once(name, digits, tmp_path):
    encoder = lookup.load("encoders", name).prepare(digits, tmp_path, lambda line: None)
    images = digits.train.images  # 1,087: parts of 500, 500 and 87
    assert torch.equal(features_in_parts(images, encoder), encoder.features(images.whole))


def test_the_classifiers_weights_do_not_depend_on_the_threads(digits, tmp_path):
    kind = lookup.load("encoders", "classifier")
    ids = set()
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        ids.add(kind.prepare(digits, tmp_path / str(threads), lambda line: None).id)
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert len(ids) == 1


def test_pixels_refuses_large_images():
    large = Split(torch.zeros(2, 3, 64, 64, dtype=torch.uint8))
    message = lookup.load("encoders", "pixels").unsupported_reason(
        Dataset("large", large, large, large)
    )
    assert "3x64x64" in message


def test_every_number_says_which_way_it_is_better():
    for name in lookup.names("metrics"):
        for info in lookup.load("metrics", name).outputs.values():
            assert info.better in ("lower", "higher", "target")
            if info.best is not None and info.worst is not None:
                assert info.cost(info.best) < info.cost(info.worst)
