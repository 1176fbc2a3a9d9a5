"""The classifier's pooling is torch's, with a gradient or without."""

import torch

from coequal.classification.nets import MaxPool
from coequal.rng import Rng


def test_both_ways_of_pooling_agree():
    images = Rng(0).normal(3, 2, 7, 8)
    with torch.inference_mode():
        by_slices = MaxPool()(images)
    assert torch.equal(by_slices, MaxPool()(images))
    assert by_slices.shape == (3, 2, 3, 4)
    assert by_slices[0, 0, 0, 0] == images[0, 0, :2, :2].max()
