"""Feature matching: numbers by hand, and the standard error against simulation."""

from typing import NamedTuple

import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics.feature_matching import FeatureMatching, mean_distance
from coequal.rng import Rng


class Pair(NamedTuple):
    value: float
    standard_error: float | None


def score(*, real: torch.Tensor, fake: torch.Tensor) -> Pair:
    metric = FeatureMatching()
    reference = metric.reference(ImageSet(real))
    found = metric.values(real=reference, fake=ImageSet(fake), rng=Rng(0))["feature_matching"]
    return Pair(found.value, found.standard_error)


def test_by_hand():
    # Means (1, 1) and (4, 5): distance 5, not its square. Along (3, 4)/5 the fakes lie 10 apart:
    # deviation 10 / sqrt 2, over sqrt 2 images: 5.
    real, fake = torch.tensor([[0.0, 2.0], [2.0, 0.0]]), torch.tensor([[1.0, 1.0], [7.0, 9.0]])
    assert score(real=real, fake=fake) == pytest.approx((5, 5), rel=1e-12)


def test_equal_means_are_at_zero_without_a_standard_error():
    features = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert score(real=features, fake=features) == (0, None)
    assert score(real=features, fake=torch.tensor([[2.0, 3.0]] * 3)) == (0, None)
    assert score(real=features, fake=torch.zeros(1, 2)).standard_error is None


def test_order_and_exchange_change_nothing():
    rng = Rng(0)
    real, fake = rng.normal(30, 4), rng.normal(40, 4) + 1
    found = score(real=real, fake=fake)
    assert score(real=real.flip(0), fake=fake.flip(0)) == pytest.approx(found, rel=1e-12)
    assert score(real=fake, fake=real).value == pytest.approx(found.value, rel=1e-12)


def test_standard_error_against_new_samples():
    rng = Rng(1)
    scale = torch.tensor([1.0, 3.0, 0.5])
    found = [
        mean_distance(real=torch.zeros(3).double(), fake=scale * rng.normal(100, 3) + 2)
        for _ in range(400)
    ]
    values = torch.tensor([sample.value for sample in found])
    errors = torch.tensor([sample.standard_error for sample in found])
    assert float(errors.mean()) == pytest.approx(float(values.std()), rel=0.12)
