"""Mode Score: numbers by hand, which side is real, and the standard error against simulation."""

import math
from typing import NamedTuple

import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics.mode_score import ModeScore, mode_score
from coequal.rng import Rng


class Pair(NamedTuple):
    value: float
    standard_error: float | None


def score(*, real: torch.Tensor, fake: torch.Tensor) -> Pair:
    metric = ModeScore()
    reference = metric.reference(ImageSet(torch.zeros(len(real), 2), real))
    images = ImageSet(torch.arange(2.0 * len(fake)).view(-1, 2), fake)
    found = metric.values(real=reference, fake=images, rng=Rng(0))["mode_score"]
    return Pair(found.value, found.standard_error)


def softmax(count: int, classes: int, rng: Rng) -> torch.Tensor:
    return (2 * rng.normal(count, classes)).softmax(1)


def test_right_frequencies_leave_the_inception_score():
    one_hot = torch.eye(5).repeat(4, 1)
    assert score(real=one_hot, fake=one_hot) == pytest.approx((5, 0), abs=1e-12)
    flat = torch.full((8, 5), 0.2)
    assert score(real=one_hot, fake=flat) == pytest.approx((1, 0), abs=1e-7)


def test_wrong_frequencies_by_hand():
    # Fake one-hot, 3 and 1: p_f = (3/4, 1/4). One-hot rows have mean KL = H(p_f), and against
    # (1/2, 1/2) KL(p_f || p_r) = log 2 - H(p_f). exp(2 H - log 2), and exp(2 H) =
    # (4/3)^(3/2) 4^(1/2): the score is (4/3)^(3/2) = 1.5396. The Inception Score is exp(H) = 1.75.
    uneven = torch.eye(2)[[0, 0, 0, 1]]
    found = score(real=torch.eye(2), fake=uneven)
    # Influence: log(1/p_f) - log(p_f / (1/2)) = -2 log p_f + const, so log(4/3) * 2 three times
    # and log(4) * 2 once: 2 log 3 apart, deviation 2 log 3 * sqrt(3/16 * 4/3) = log 3; over sqrt 4.
    expected = (4 / 3) ** 1.5
    assert tuple(found) == pytest.approx((expected, expected * math.log(3) / 2), rel=1e-12)
    # Exchanged: fake uniform, H = log 2, KL(uniform || (3/4, 1/4)) = log(4/3)/2 + log(1/... )
    # = log(2/3)/2 + log(2)/2 = log(4/3)/2. 2 (3/4)^(1/2) = sqrt 3.
    exchanged = score(real=uneven, fake=torch.eye(2))
    assert exchanged.value == pytest.approx(math.sqrt(3), rel=1e-12)


def test_it_is_not_the_inception_score():
    # As Che et al. print it, E KL(p(y|x) || q) - KL(p_f || q) is the same for any q.
    rng = Rng(0)
    real, fake = softmax(50, 4, rng), softmax(60, 4, rng) ** 2
    fake = (fake / fake.sum(1, keepdim=True)).double()
    p, q = fake.mean(0), real.double().mean(0)
    inception = (fake * (fake / p).log()).sum(1).mean()
    printed = (fake * (fake / q).log()).sum(1).mean() - (p * (p / q).log()).sum()
    assert float(printed) == pytest.approx(float(inception), rel=1e-12)
    ours = (inception - (p * (p / q).log()).sum()).exp()
    assert score(real=real, fake=fake).value == pytest.approx(float(ours), rel=1e-12)
    assert float(ours) != pytest.approx(float(inception.exp()), rel=1e-4)


def test_a_class_that_no_real_image_has():
    assert score(real=torch.eye(3)[:2], fake=torch.eye(3)) == (0, None)


def test_standard_error_against_new_samples():
    rng = Rng(1)
    real = (softmax(500, 5, rng) + torch.eye(5)[0]).double().mean(0) / 2
    found = [mode_score(real=real, fake=softmax(200, 5, rng)) for _ in range(300)]
    values = torch.tensor([sample.value for sample in found])
    errors = torch.tensor([sample.standard_error for sample in found])
    assert float(errors.mean()) == pytest.approx(float(values.std()), rel=0.15)


def test_order_changes_nothing():
    rng = Rng(2)
    real, fake = softmax(40, 3, rng), softmax(30, 3, rng)
    turned = score(real=real.flip(0), fake=fake.flip(0))
    assert turned == pytest.approx(score(real=real, fake=fake), rel=1e-12)
