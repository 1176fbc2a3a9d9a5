"""Vendi Score: closed forms, fixed values, the dual, and the ratio to real images."""

import math

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet, MetricValue
from coequal.metrics.vendi import VendiScore, hill_number, vendi
from coequal.rng import Rng

ORDERS = (0.0, 0.5, 1.0, 2.0, math.inf)


def scores(
    *, real: torch.Tensor, fake: torch.Tensor, order: float = 1.0, seed: int = 0
) -> dict[str, MetricValue]:
    metric = VendiScore(order=order)
    reference = metric.reference(ImageSet(real))
    return dict(metric.values(real=reference, fake=ImageSet(fake), rng=Rng(seed)))


@pytest.mark.parametrize("order", ORDERS)
def test_closed_forms(order):
    copies = torch.tensor([[0.3, -2.0, 0.5]]).repeat(50, 1)
    assert vendi(copies, order) == pytest.approx(1, rel=1e-9)
    groups = torch.eye(6)[:4].repeat(25, 1)
    assert vendi(groups, order) == pytest.approx(4, rel=1e-9)
    turn, _ = torch.linalg.qr(Rng(0).normal(12, 12).double())
    assert vendi(turn[:7], order) == pytest.approx(7, rel=1e-9)


def test_hill_numbers_by_hand():
    # Shares 1/2, 1/4, 1/4. q = 1: entropy log(2)/2 + 2 log(4)/4 = 1.5 log 2. q = 2: 1 / (1/4 +
    # 2/16) = 8/3. q = 1/2: (sqrt(1/2) + 2/2)^2. q = 0: three of them. q = inf: 1 / (1/2).
    shares = torch.tensor([2.0, 1.0, 1.0], dtype=torch.float64)
    expected = [3, (math.sqrt(0.5) + 1) ** 2, 2**1.5, 8 / 3, 2]
    found = [hill_number(shares, order) for order in ORDERS]
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("shift", "expected"), [(0.0, 62.03663288), (0.3, 56.92571289)])
def test_fixed_values(shift, expected):
    features = np.random.default_rng(1).standard_normal((1000, 64)) + shift
    assert vendi(torch.tensor(features)) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("order", ORDERS)
def test_the_dual_gives_the_same(order):
    features = Rng(1).normal(40, 8)
    padded = torch.cat([features, torch.zeros(40, 60)], 1)  # more features than rows
    assert vendi(padded, order) == pytest.approx(vendi(features, order), rel=1e-9)


def test_length_order_rotation_and_repetition_change_nothing():
    rng = Rng(2)
    features = rng.normal(60, 5).double()
    turn, _ = torch.linalg.qr(rng.normal(5, 5).double())
    lengths = rng.uniform(60, 1, low=0.5, high=2)
    for same in (features.flip(0), features @ turn, features * lengths, features.repeat(3, 1)):
        assert vendi(same) == pytest.approx(vendi(features), rel=1e-9)


def test_the_ratio_is_at_equal_counts():
    rng = Rng(3)
    real = rng.normal(80, 30)
    assert scores(real=real, fake=real)["vendi_ratio"].value == pytest.approx(1, rel=1e-12)
    one_group = torch.ones(80, 30)
    low = scores(real=real, fake=one_group)
    assert low["vendi"].value == pytest.approx(1, rel=1e-9)
    assert low["vendi_ratio"].value == pytest.approx(1 / vendi(real), rel=1e-9)
    # A half has a clearly lower score than the whole, so unequal counts must not be divided.
    for one, other in ((real, real[:40]), (real[:40], real)):
        found = scores(real=one, fake=other)
        assert found["vendi"].value == pytest.approx(vendi(other), rel=1e-12)
        assert found["vendi_ratio"].value == pytest.approx(1, abs=0.05)
        assert vendi(one) / vendi(other) != pytest.approx(1, abs=0.1)
    turned = scores(real=real[:40], fake=real.flip(0))["vendi_ratio"].value
    assert turned == pytest.approx(found["vendi_ratio"].value, rel=1e-12)
    assert scores(real=real[:40], fake=real, seed=1)["vendi_ratio"] != found["vendi_ratio"]


def test_the_order_of_the_entropy_matters():
    features = Rng(4).normal(50, 6) * torch.arange(1, 7)
    found = [vendi(features, order) for order in ORDERS]
    assert found == sorted(found, reverse=True)
    assert len({round(value, 6) for value in found}) == len(ORDERS)
    given = scores(real=features, fake=features, order=2.0)["vendi"].value
    assert given == pytest.approx(found[3])
    with pytest.raises(ValueError, match="order must be a number of at least 0, got -1"):
        VendiScore(order=-1)


def test_zeros():
    features = torch.cat([torch.eye(3), torch.zeros(2, 3)])
    assert vendi(features) == pytest.approx(3, rel=1e-12)
    assert math.isnan(vendi(torch.zeros(4, 3)))
