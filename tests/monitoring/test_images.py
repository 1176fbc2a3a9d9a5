"""Numbers of images beside real ones, by hand."""

import math

import pytest
import torch

from coequal.monitoring.images import class_signals, image_signals


def points(*values: float) -> torch.Tensor:
    """Images of one pixel."""
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1)


def test_two_pixels_by_hand():
    # Generated 0 and .5: .5 apart, mean .25, one of two is black. Real 0 and 1: 1 apart, mean .5,
    # one is black and one white.
    found = image_signals(points(0, 0.5), points(0, 1))
    assert found.pop("saturated_real") == 1
    assert found == {"saturated": 0.5, "nearest": 0.5, "spread": 0.5, "gap": 0.25}


def test_without_real_images_the_nearest_is_relative_to_the_rest():
    # 0, .1 and .7: nearest .1, .1 and .6, median .1; mean distance (.1 + .7 + .6) / 3.
    found = image_signals(points(0, 0.1, 0.7), None)
    assert found == {"saturated": pytest.approx(1 / 3), "nearest": pytest.approx(0.3 / 1.4)}
    assert image_signals(points(0.5, 0.5), None)["nearest"] == 0


def test_real_images_that_are_all_alike_give_no_number():
    found = image_signals(points(0, 0.5), points(1, 1))
    assert all(math.isnan(found[name]) for name in ("nearest", "spread", "gap"))


def test_four_images_among_many_are_the_same():
    # Their mean distance is that of real images, and each has its like.
    real = points(*[step / 255 for step in range(256)])
    found = image_signals(points(*[0, 0.2, 0.6, 0.9] * 64), real)
    assert found["nearest"] == 0
    assert found["spread"] > 0.9


class Halves:
    """The feature is the pixel; class 1 is above a half."""

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)

    def probabilities(self, features: torch.Tensor) -> torch.Tensor:
        return torch.cat([1 - features, features], 1)


def test_classes_are_counted():
    # Features .6 and .8: .2 apart, mean .7. Real ones 0 and 1: 1 apart, mean .5.
    signals, ours, theirs = class_signals(points(0.6, 0.8), points(0, 1), Halves())  # type: ignore[arg-type]
    assert signals == {
        "feature_spread": pytest.approx(0.2),
        "feature_gap": pytest.approx(0.2),
    }
    assert (ours, theirs) == ([0, 2], [1, 1])
