"""Mean distance of pairs: by hand, within classes, and its error."""

import math

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet, MetricValue
from coequal.metrics.feature_diversity import FeatureDiversity
from coequal.rng import Rng


def scores(real: ImageSet, fake: ImageSet, **settings: int) -> dict[str, MetricValue]:
    metric = FeatureDiversity(**settings)
    return dict(metric.values(real=metric.reference(real), fake=fake, rng=Rng(0)))


def points(*places: float, labels: list[int] | None = None) -> ImageSet:
    features = torch.tensor(places, dtype=torch.float64)[:, None]
    return ImageSet(features, labels=None if labels is None else torch.tensor(labels))


def test_by_hand():
    # Generated 0, 3, 6, 7: distances 3, 6, 7, 3, 4, 1, of mean 4. Real 0, 2, 10, 14: 2, 10, 14, 8,
    # 12, 4, of mean 25/3. Ratio 12/25.
    # Classes: generated {0, 3} and {6, 7}: (3 + 1) / 2 = 2; real {0, 2, 10} and, alone, {14}, which
    # has no pairs: (2 + 10 + 8) / 3 = 20/3. Ratio 3/10.
    real, fake = points(0, 2, 10, 14, labels=[0, 0, 0, 1]), points(0, 3, 6, 7, labels=[0, 0, 1, 1])
    found = scores(real, fake)
    assert found["feature_diversity"].value == pytest.approx(4, abs=1e-12)
    assert found["feature_diversity_ratio"].value == pytest.approx(12 / 25, abs=1e-12)
    assert found["feature_diversity_class_ratio"].value == pytest.approx(3 / 10, abs=1e-12)
    assert found["feature_diversity"].standard_error is None  # of four images


def test_classes_count_by_their_share():
    # Generated {0, 1, 2} with mean distance 4/3, and {10, 14} with 4: (3 * 4/3 + 2 * 4) / 5 = 12/5.
    # Real {0, 1} and {5, 6}: 1.
    real = points(0, 1, 5, 6, labels=[0, 0, 1, 1])
    fake = points(0, 1, 2, 10, 14, labels=[0, 0, 0, 1, 1])
    found = scores(real, fake)["feature_diversity_class_ratio"]
    assert found.value == pytest.approx(12 / 5, abs=1e-12)


def test_one_image_of_each_class_is_seen_within_classes_alone():
    rng = Rng(0)
    labels = torch.arange(300) % 10
    centres = 5 * rng.normal(10, 8)
    real = ImageSet(centres[labels] + rng.normal(300, 8), labels=labels)
    fake = ImageSet(centres[labels] + 1e-3 * rng.normal(300, 8), labels=labels)
    found = scores(real, fake)
    assert found["feature_diversity_ratio"].value > 0.8
    assert found["feature_diversity_class_ratio"].value < 0.01


def test_the_error_within_classes_is_that_of_new_images_of_the_same_classes():
    # 200 sets: their spread is known to 5 %.
    labels = torch.arange(60) % 3
    spread = torch.tensor([1.0, 2.0, 4.0])[labels, None]
    real = ImageSet(spread * Rng(0).normal(60, 3), labels=labels)
    found = [
        scores(real, ImageSet(spread * Rng(seed).normal(60, 3), labels=labels))
        for seed in range(1, 201)
    ]
    for name in ("feature_diversity", "feature_diversity_class_ratio"):
        values, errors = zip(
            *((row[name].value, row[name].standard_error) for row in found), strict=True
        )
        if name == "feature_diversity_class_ratio":
            assert 0.85 < np.mean(errors) / np.std(values, ddof=1) < 1.15
        else:  # over independent images, whose classes would vary, too
            assert np.mean(errors) > 1.05 * np.std(values, ddof=1)


def test_images_bound_the_work_and_are_drawn():
    real, fake = ImageSet(Rng(0).normal(50, 3)), ImageSet(Rng(1).normal(80, 3))
    all_of_them, some = scores(real, fake), scores(real, fake, images=20)
    assert all_of_them["feature_diversity"].value != some["feature_diversity"].value
    ratio = some["feature_diversity_ratio"].value
    assert ratio == pytest.approx(all_of_them["feature_diversity_ratio"].value, rel=0.3)


def test_copies_have_none_and_real_copies_no_ratio():
    same = ImageSet(torch.full((20, 700), 1.1))
    found = scores(same, same)
    assert found["feature_diversity"].value == 0
    reason = (found["feature_diversity_ratio"].details or {})["undefined"]
    assert reason == "all real images have the same features"
    assert math.isnan(found["feature_diversity_ratio"].value)
