"""Pixels as features."""

import torch

from coequal import lookup
from coequal.contract import Dataset, Split


def test_pixels_refuses_large_images():
    large = Split(torch.zeros(2, 3, 64, 64, dtype=torch.uint8))
    message = lookup.load("encoders", "pixels").unsupported_reason(
        Dataset("large", large, large, large)
    )
    assert "3x64x64" in message
