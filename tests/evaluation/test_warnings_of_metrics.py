"""Repeated images and classes of equal size, which numbers take for independent draws."""

import numpy as np
import pytest
import torch

import coequal
from coequal.contract import ImageSet
from coequal.contract.classes import equal_class_counts

RNG = np.random.default_rng(0)
REAL, FAKE = (RNG.standard_normal((300, 5), dtype=np.float32) for _ in range(2))
NO_ERROR = "no error: many generated images are exact repeats of others, which bring nothing new"


def test_the_repetition_of_images_by_hand():
    # Counts 3, 1, 2 of six images: (9 + 1 + 4) / 6.
    rows = torch.tensor([[0.0, 1], [0, 1], [1, 0], [0, 1], [2, 2], [2, 2]])
    assert ImageSet(rows).repetition == pytest.approx(14 / 6)
    assert ImageSet(torch.tensor([[0.0, 1], [1, 0]])).repetition == 1  # of equal sums
    assert ImageSet(rows, images=torch.arange(6.0).view(6, 1, 1, 1)).repetition == 1
    assert ImageSet(torch.zeros(6, 0), images=torch.zeros(6, 1, 1, 1)).repetition == 6


def test_repeats_have_numbers_and_no_errors():
    # 60 different images, five times each: a mean of these varies by 5, not by 1.
    metrics = ["fd", "precision", "coverage", "one_nn", "kid", "swd", "vendi"]
    found = coequal.score(real=REAL, fake=np.repeat(FAKE[:60], 5, 0), metrics=metrics)
    for name, row in found["metrics"].items():
        assert row["value"] is not None, name
        assert row["standard_error"] is None, name
        assert "interval" not in row
    assert any(text.endswith(NO_ERROR) for text in found["warnings"])
    assert any("240 of 300 are exact repeats of another" in text for text in found["warnings"])


def test_a_few_repeats_are_no_news():
    fake = FAKE.copy()
    fake[0] = fake[1]
    found = coequal.score(real=REAL, fake=fake, metrics=["fd"])
    assert found["metrics"]["fd"]["standard_error"] is not None
    assert not any("repeats" in text for text in found["warnings"])


def test_equal_counts_of_classes_are_found_unless_chance_gives_them():
    # 100! / (10!^10 10^100) = 2e-8, but two images of two classes are equal in half of all draws.
    labels = torch.arange(10).repeat(10)
    assert equal_class_counts(labels) == (10, 10)
    assert equal_class_counts(labels + 5) == (10, 10)
    for other in (torch.tensor([0, 1]), labels[:-1], torch.zeros(50).long(), None):
        assert equal_class_counts(other) is None
