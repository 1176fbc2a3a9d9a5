"""The Fréchet distance within classes."""

import math

import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics.fd import frechet_distance, moments, standard_error
from coequal.metrics.fd_per_class import FrechetDistancePerClass, within_classes
from coequal.rng import Rng


def score(real: ImageSet, fake: ImageSet):
    metric = FrechetDistancePerClass()
    return metric.values(real=metric.reference(real), fake=fake, rng=Rng(0))["fd_per_class"]


def two_classes(seed: int) -> ImageSet:
    features = torch.cat([Rng(seed).normal(60, 3), Rng(seed + 1).normal(80, 3) * 2 + 5])
    return ImageSet(features, labels=torch.tensor([0] * 60 + [1] * 80))


def test_the_mean_of_the_classes():
    real, fake = two_classes(0), two_classes(10)
    parts = [
        {"real": moments(real.features[part]), "fake": moments(fake.features[part])}
        for part in (slice(60), slice(60, 140))
    ]
    expected = [frechet_distance(**part) for part in parts]
    errors = [standard_error(**part) for part in parts]
    found = score(real, fake)
    assert found.value == pytest.approx(sum(expected) / 2, rel=1e-12)
    # Independent classes, each with half of the weight.
    assert found.standard_error == pytest.approx(math.hypot(*errors) / 2, rel=1e-12)
    by_class = within_classes(
        real=real.features,
        real_labels=real.labels,
        fake=fake.features,
        fake_labels=fake.labels,
    )
    assert [one.distance for one in by_class] == pytest.approx(expected, rel=1e-12)


def test_it_sees_swapped_classes_where_fd_sees_nothing():
    real = two_classes(0)
    swapped = ImageSet(real.features, labels=1 - real.labels)
    assert score(real, real).value == pytest.approx(0, abs=1e-12)
    assert score(real, swapped).value > 50
    same = {"real": moments(real.features), "fake": moments(swapped.features)}
    assert frechet_distance(**same) == pytest.approx(0, abs=1e-12)


def test_a_class_of_one_image_is_undefined_and_further_classes_are_left_out():
    real = two_classes(0)
    few = ImageSet(real.features[:61], labels=real.labels[:61])
    assert math.isnan(score(real, few).value)
    assert score(real, few).details == {
        "undefined": "needs at least 2 real and 2 generated images of every class; there is "
        "class 1 with 80 real and 1 generated images"
    }
    # The fakes' own further class isn't one of the real images'.
    assert score(few, real).value != score(few, real).value
    more = ImageSet(real.features, labels=torch.where(torch.arange(140) < 5, 7, real.labels))
    assert math.isfinite(score(real, more).value)


def test_too_few_for_a_standard_error():
    features, labels = Rng(0).normal(12, 6), torch.tensor([0, 1] * 6)
    found = score(ImageSet(features, labels=labels), ImageSet(features, labels=labels))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.standard_error is None


def test_few_images_of_a_class_are_told():
    # One distribution on both sides, so that all of the distance is bias.
    real, fake = (
        ImageSet(Rng(seed).normal(1000, 20), labels=(torch.arange(1000) < 30).long())
        for seed in (0, 1)
    )
    (warning,) = score(real, fake).warnings
    assert warning.startswith("about 67% of it is the bias of few images")
    assert warning.endswith("the smallest is class 1 with 30 real and 30 generated images")
    moved = ImageSet(fake.features + 5, labels=fake.labels)  # 500 is |5|^2 in 20 dimensions
    assert score(real, moved).warnings == ()
