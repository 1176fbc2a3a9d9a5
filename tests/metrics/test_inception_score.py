"""Inception Score: closed forms, splits, and standard errors against simulation."""

import math

import pytest
import torch

from coequal.contract import ImageSet, MetricValue
from coequal.metrics.inception_score import InceptionScore, in_fixed_order, whole_score
from coequal.rng import Rng


def pair(found: MetricValue) -> tuple[float, float | None]:
    return found.value, found.standard_error


def score(probabilities: torch.Tensor, splits: int = 10, seed: int = 0) -> dict[str, MetricValue]:
    metric = InceptionScore(splits=splits)
    images = ImageSet(torch.arange(2.0 * len(probabilities)).view(-1, 2), probabilities)
    return dict(metric.values(real=metric.reference(images), fake=images, rng=Rng(seed)))


def softmax(count: int, classes: int, rng: Rng) -> torch.Tensor:
    return (2 * rng.normal(count, classes)).softmax(1)


def test_one_hot_uniform_is_the_number_of_classes():
    found = score(torch.eye(7).repeat(20, 1), splits=1)
    assert found["is"].value == pytest.approx(7, rel=1e-12)
    assert pair(found["is_whole"]) == pytest.approx((7, 0), abs=1e-12)


def test_one_prediction_for_all_is_one():
    found = score(torch.tensor([[0.2, 0.5, 0.3]]).repeat(60, 1))
    assert pair(found["is"]) == pytest.approx((1, 0), abs=1e-12)
    assert pair(found["is_whole"]) == pytest.approx((1, 0), abs=1e-12)


def test_two_images_by_hand():
    # Mean (3/4, 1/4). KL of (1/2, 1/2): log(2/3)/2 + log(2)/2 = log(4/3)/2; of (1, 0): log(4/3).
    # Their mean is 3/4 log(4/3), their deviation log(4/3)/2 / sqrt 2; over sqrt 2: log(4/3)/4.
    expected = (4 / 3) ** 0.75
    found = whole_score(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    assert pair(found) == pytest.approx((expected, expected * math.log(4 / 3) / 4), rel=1e-12)


def test_images_sorted_by_class_score_as_shuffled_ones():
    # Split as they come, every tenth would be one class, and score 1.
    found = score(torch.eye(10).repeat_interleave(100, 0))
    assert 9 < found["is"].value < 10
    assert found["is_whole"].value == pytest.approx(10, rel=1e-12)


def test_splits_and_their_standard_error():
    rows = softmax(12, 3, Rng(1))  # 12 images have 2 splits of 6, not 10
    shuffled = in_fixed_order(rows)[Rng(0).permutation(12)]
    a, b = (whole_score(part).value for part in (shuffled[:6], shuffled[6:]))
    # The deviation of two numbers is |a - b| / sqrt 2; over sqrt 2 again.
    assert pair(score(rows)["is"]) == pytest.approx(((a + b) / 2, abs(a - b) / 2), rel=1e-12)


def test_too_few_images_for_splits():
    found = score(softmax(9, 3, Rng(2)))
    assert found["is"].value == pytest.approx(found["is_whole"].value, rel=1e-12)
    assert found["is"].standard_error is None
    assert pair(score(torch.eye(3)[:1])["is_whole"]) == (1, None)


def test_the_setting_and_the_stream_matter_and_the_order_does_not():
    rows = softmax(200, 5, Rng(3))
    assert score(rows, splits=5)["is"] != score(rows)["is"]
    assert score(rows, seed=1)["is"] != score(rows)["is"]
    assert score(rows, seed=1)["is_whole"] == score(rows)["is_whole"]
    assert score(rows) == score(rows)
    assert score(rows[Rng(4).permutation(200)])["is"] == score(rows)["is"]
    with pytest.raises(ValueError, match="splits must be a whole number of at least 1, got 0"):
        InceptionScore(splits=0)


def test_standard_errors_against_new_samples():
    rng = Rng(5)
    found = [score(softmax(200, 5, rng)) for _ in range(200)]
    for name in ("is", "is_whole"):
        values = torch.tensor([sample[name].value for sample in found])
        errors = torch.tensor([sample[name].standard_error for sample in found])
        # The deviation of 200 values is itself known to 5%.
        assert float(errors.mean()) == pytest.approx(float(values.std()), rel=0.15)
