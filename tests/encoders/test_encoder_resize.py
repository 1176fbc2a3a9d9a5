"""Three ways to make images 299 pixels wide, which are not the same."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from coequal.encoders._resize import bicubic_sums, clean_bicubic, tf1_bilinear, torch_bilinear
from coequal.encoders.inception import PREPROCESSING
from coequal.rng import Rng


def noise(size: int) -> Tensor:
    return (Rng(0).uniform(1, 3, size, size) * 255).round().to(torch.uint8)


def test_tf1_reads_pixel_i_at_i_times_the_ratio_and_torch_half_a_pixel_off():
    # 2 pixels to 4. TensorFlow 1: at 0, 0.5, 1, 1.5, of which the last is past the last pixel.
    # torch: at (i + 0.5) / 2 - 0.5 = -0.25, 0.25, 0.75, 1.25, held within 0 .. 1.
    row = torch.tensor([0, 100], dtype=torch.uint8).view(1, 1, 1, 2)
    assert tf1_bilinear(row, 1, 4).flatten().tolist() == [0, 50, 100, 100]
    found = torch_bilinear(row, 1, 4).flatten() * 255
    torch.testing.assert_close(found, torch.tensor([0.0, 25, 75, 100]))


@pytest.mark.parametrize("source", [(7, 9), (31, 17), (45, 40)])
def test_tf1_is_tensorflows_loop_to_the_last_bit(source):
    height, width = 31, 23
    image = noise(45)[0, 0, : source[0], : source[1]]
    found = tf1_bilinear(image[None, None], height, width)[0, 0].numpy()
    assert np.array_equal(found, slow_tf1(image.numpy().astype(np.float32), height, width))


def slow_tf1(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """resize_bilinear_op.cc of TensorFlow 1, without align_corners, value by value."""
    result = np.empty((height, width), np.float32)
    y_scale = np.float32(image.shape[0]) / np.float32(height)
    x_scale = np.float32(image.shape[1]) / np.float32(width)
    for y in range(height):
        at_y = np.float32(y) * y_scale
        top, bottom = int(at_y), min(int(at_y) + 1, image.shape[0] - 1)
        for x in range(width):
            at_x = np.float32(x) * x_scale
            left, right = int(at_x), min(int(at_x) + 1, image.shape[1] - 1)
            share = at_x - np.float32(left)
            upper = image[top, left] + (image[top, right] - image[top, left]) * share
            lower = image[bottom, left] + (image[bottom, right] - image[bottom, left]) * share
            result[y, x] = upper + (lower - upper) * (at_y - np.float32(top))
    return result


@pytest.mark.parametrize("size", [32, 64, 299, 512])
def test_clean_is_an_antialiased_bicubic_filter(size):
    images = noise(size)
    wanted = functional.interpolate(images.float(), (299, 299), mode="bicubic", antialias=True)
    found = clean_bicubic(images, 299, 299)
    torch.testing.assert_close(found, wanted.clamp(0, 255), atol=0.01, rtol=0)  # of 255 levels
    assert size == 299 or not torch.equal(found, found.round())  # floats, not levels


@pytest.mark.parametrize("source", [(28, 28), (31, 17), (299, 299), (512, 300)])
@pytest.mark.parametrize("size", [224, 299])
def test_clean_without_pillow_is_the_same_but_for_rounding(source, size):
    images = noise(512)[:, :, : source[0], : source[1]]
    found, wanted = bicubic_sums(images, size, size), clean_bicubic(images, size, size)
    # 1e-4 of 255: a few units in the last place of float32, 1.5e-5 at 255.
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


def test_the_filters_differ_when_made_smaller_and_when_made_larger():
    for size in (32, 512):
        made = [way.apply(noise(size)) for way in PREPROCESSING.values()]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert (made[one] - made[other]).abs().max() > 0.01


def test_at_299_pixels_only_the_scale_is_left():
    # 0, 128, 255 -> (x - 128) / 128; pytorch-fid has 2 x / 255 - 1.
    images = torch.zeros(1, 3, 299, 299, dtype=torch.uint8)
    for x, tf1, torchs in ((0, -1, -1), (128, 0, 1 / 255), (255, 127 / 128, 1)):
        made = {name: way.apply(images + x) for name, way in PREPROCESSING.items()}
        for name, wanted in (("tf1", tf1), ("clean", tf1), ("torch", torchs)):
            assert made[name].shape == (1, 3, 299, 299)
            assert made[name].mean().item() == pytest.approx(wanted, abs=1e-6), name
