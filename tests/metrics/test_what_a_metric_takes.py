"""What goes for every metric, in `Metric` alone: what is required is there, and all is finite."""

import math
from dataclasses import replace

import pytest
import torch

from coequal import lookup
from coequal.contract import ImageSet, Metric
from coequal.contract.image_sets import CHECKED_AT_ONCE
from coequal.contract.metrics import LACKING
from coequal.rng import Rng

IMAGES = ImageSet(
    torch.arange(15.0).view(5, 3),  # no two alike: repeats lose their errors
    torch.full((5, 2), 0.5),
    torch.zeros(5).long(),
    torch.zeros(5, 1, 4, 4),
)
EACH_METRIC = pytest.mark.parametrize("name", lookup.names("metrics"))


@pytest.fixture
def metric(name, monkeypatch) -> Metric:
    """The metric, of any images, with "computed" in the place of its numbers."""
    kind = lookup.load("metrics", name)
    monkeypatch.setattr(kind, "unsupported_reason", lambda *manifold: None)
    monkeypatch.setattr(kind, "compute_reference", lambda self, real, train: "computed")
    monkeypatch.setattr(kind, "compute_values", lambda self, **arguments: "computed")
    return kind()


def with_one(value: float, what: str) -> ImageSet:
    """The images, in the second of which one number is another."""
    numbers = getattr(IMAGES, what).clone()
    numbers[1].view(-1)[2 % numbers[1].numel()] = value
    return replace(IMAGES, **{what: numbers})


def taken(metric: Metric) -> set[str]:
    """What must be finite."""
    seen = {"features"} if metric.sees_features else set()
    return seen | (set(metric.required) & {"probabilities", "images"})


@EACH_METRIC
@pytest.mark.parametrize("what", ["features", "probabilities", "images"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_number(metric, what, value):
    broken = with_one(value, what)
    found = metric.values(real={}, fake=broken, rng=Rng(0))
    train = IMAGES if "train" in metric.required else None
    if what not in taken(metric):
        assert found == metric.reference(broken, train) == "computed"
        return
    assert list(found) == list(metric.outputs)
    words = "pixels" if what == "images" else what
    for number in found.values():
        assert math.isnan(number.value)
        assert number[1:3] == (None, None)
        reason = f"{words} of 1 of 5 generated images hold NaN or infinity"
        assert number.details == {"undefined": reason}
    first = next(iter(metric.outputs))
    with pytest.raises(ValueError, match=f"{first}: {words} of 1 of 5 real images hold NaN"):
        metric.reference(broken, train)
    if train is not None:
        with pytest.raises(ValueError, match=f"{first}: {words} of 1 of 5 training images hold"):
            metric.reference(IMAGES, broken)


@EACH_METRIC
def test_what_is_required_has_to_be_there(metric):
    train = IMAGES if "train" in metric.required else None
    assert metric.values(real={}, fake=IMAGES, rng=Rng(0)) == "computed"
    assert metric.reference(IMAGES, train) == "computed"
    for need in LACKING.keys() & set(metric.required):
        less = replace(IMAGES, **{need: None})
        with pytest.raises(ValueError, match=f"the generated images have {LACKING[need][:12]}"):
            metric.values(real={}, fake=less, rng=Rng(0))
        with pytest.raises(ValueError, match=f"the real images have {LACKING[need][:12]}"):
            metric.reference(less, train)
        if train is not None:
            with pytest.raises(ValueError, match=f"the training images have {LACKING[need][:12]}"):
                metric.reference(IMAGES, less)
    if train is not None:
        with pytest.raises(ValueError, match="needs the training images"):
            metric.reference(IMAGES)


def test_images_are_read_once_and_in_parts():
    features = torch.zeros(2 * CHECKED_AT_ONCE + 5, 2)
    features[[3, CHECKED_AT_ONCE + 1, -1], 1] = math.nan
    read = []

    def part(rows: slice) -> torch.Tensor:
        read.append(rows)
        return features[rows]

    images = ImageSet(features, images=torch.zeros(len(features), 1, 1, 1).byte(), read=part)
    assert images.not_finite == images.not_finite == {"features": 3}
    assert len(read) == 3
    assert ImageSet(torch.zeros(0, 3)).not_finite == ImageSet(torch.zeros(3, 0)).not_finite == {}


@EACH_METRIC
def test_too_few_images_have_no_number(metric):
    count = metric.min_images - 1
    parts = {name: getattr(IMAGES, name)[:count] for name in ("features", *LACKING)}
    found = metric.values(real={}, fake=replace(IMAGES, **parts), rng=Rng(0))
    assert list(found) == list(metric.outputs)
    reason = f"needs at least {count + 1} generated images, got {count}"
    assert {number.details["undefined"] for number in found.values()} == {reason}
    assert all(math.isnan(number.value) for number in found.values())
    enough = {name: getattr(IMAGES, name)[: count + 1] for name in parts}
    assert metric.values(real={}, fake=replace(IMAGES, **enough), rng=Rng(0)) == "computed"
