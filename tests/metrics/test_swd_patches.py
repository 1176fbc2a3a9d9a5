"""Sliced Wasserstein of patches: the pyramid and the distance against slow direct ones."""

import math

import numpy as np
import pytest
import scipy.ndimage
import torch

from coequal.contract import ImageSet
from coequal.metrics import swd_patches
from coequal.metrics.swd_patches import (
    PatchDistance,
    cut,
    enlarged,
    level_sizes,
    normalised,
    pyramid,
)
from coequal.rng import Rng

SMALL = PatchDistance(patches=4, directions=16, repeats=2)


def noise(count: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return (255 * Rng(seed).uniform(count, *shape)).to(torch.uint8)


def smooth(count: int, *shape: int, seed: int = 0) -> torch.Tensor:
    rough = noise(count, *shape, seed=seed).float()
    return torch.nn.functional.avg_pool2d(rough, 5, 1, 2).to(torch.uint8)


def score(
    *, real: torch.Tensor, fake: torch.Tensor, metric: PatchDistance = SMALL, seed: int = 0
) -> float:
    sets = [ImageSet(torch.zeros(len(images), 2), images=images) for images in (real, fake)]
    found = metric.values(real=metric.reference(sets[0]), fake=sets[1], rng=Rng(seed))
    return found["swd_patches"].value


def test_levels():
    assert level_sizes(8, 8) == [(8, 8)]
    assert level_sizes(28, 28) == [(28, 28)]
    assert level_sizes(31, 40) == [(31, 40)]
    assert level_sizes(32, 32) == [(32, 32), (16, 16)]
    assert level_sizes(33, 64) == [(33, 64), (17, 32)]
    assert level_sizes(128, 128)[-1] == (16, 16)


def test_the_pyramid_against_scipy():
    # As in Karras et al.'s program: the full 5 x 5 filter, mirrored border, zeros in between.
    images = noise(2, 3, 64, 64)
    line = np.array([1.0, 4, 6, 4, 1])
    kernel = np.outer(line, line)[None, None] / 256
    levels = [images.double().numpy()]
    for _ in range(2):
        down = scipy.ndimage.convolve(levels[-1], kernel, mode="mirror")[:, :, ::2, ::2]
        up = np.zeros_like(levels[-1])
        up[:, :, ::2, ::2] = down
        levels[-1] = levels[-1] - scipy.ndimage.convolve(up, 4 * kernel, mode="mirror")
        levels.append(down)
    for found, expected in zip(pyramid(images), levels, strict=True):
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-3)


def test_the_pyramid_adds_up_to_the_image_for_odd_sides_too():
    images = noise(2, 1, 33, 38)
    fine, coarse = pyramid(images)
    assert coarse.shape == (2, 1, 17, 19)
    back = fine + enlarged(coarse)[:, :, :33, :38]
    torch.testing.assert_close(back, images.float(), atol=1e-3, rtol=0)


def test_a_flat_image_has_no_detail():
    # The filter sums to 1, and four times it over zeros in between too, at the border as well.
    fine, coarse = pyramid(torch.full((1, 1, 32, 32), 200, dtype=torch.uint8))
    torch.testing.assert_close(fine, torch.zeros_like(fine), atol=1e-4, rtol=0)
    torch.testing.assert_close(coarse, torch.full_like(coarse, 200))


def test_patches_lie_where_their_corner_says():
    level = torch.arange(2 * 3 * 9 * 10).view(2, 3, 9, 10).float()
    corners = torch.tensor([[[0, 2], [1, 0]], [[3, 0], [2, 1]]])  # rows, columns; 2 images x 2
    found = cut(level, corners)
    assert found.shape == (4, 3, 7, 7)
    assert torch.equal(found[1], level[0, :, 2:9, 0:7])
    assert torch.equal(found[2], level[1, :, 1:8, 2:9])


def test_descriptors_have_mean_0_and_deviation_1_per_channel():
    patches = 5 * Rng(0).normal(20, 3, 7, 7) + torch.tensor([1.0, 2, 3]).view(3, 1, 1)
    patches[:, 2] = 9  # a constant channel is 0
    found = normalised(patches).flatten(2)
    assert found.mean((0, 2)).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert found.std((0, 2), correction=0).tolist() == pytest.approx([1, 1, 0], rel=1e-5)


def test_one_pixel_by_hand():
    # One pixel is a patch of one value, and directions are +1 and -1, which give the same. Real 0,
    # 0, 0, 4: mean 1, deviation sqrt 3. Fake 0, 0, 4, 4: -1, -1, 1, 1. With a = 1/sqrt 3 the sorted
    # differences are 1 - a, 1 - a, 1 + a, sqrt 3 - 1: sum 2 - a + sqrt 3 = 2 + 2 a, a fourth of it.
    real, fake = (
        torch.tensor(values, dtype=torch.uint8).view(4, 1, 1, 1)
        for values in ([0, 4, 0, 0], [4, 0, 4, 0])
    )
    assert score(real=real, fake=fake) == pytest.approx(500 * (1 + 1 / math.sqrt(3)), rel=1e-6)
    assert score(real=real, fake=real) == pytest.approx(0, abs=1e-9)


def test_the_distance_against_a_direct_one():
    rng = Rng(1)
    real, fake = rng.normal(50, 6), rng.normal(50, 6) * 2
    metric = PatchDistance(directions=16, repeats=3)
    found = metric._level(real=real, fake=fake.view(10, 5, 1, 6), rng=Rng(2)).distance
    draws, total = Rng(2), 0.0
    for _ in range(3):
        for direction in draws.normal(16, 6).double().numpy():
            unit = direction / math.sqrt(sum(direction**2))
            one, two = (sorted(rows.double().numpy() @ unit) for rows in (real, fake))
            total += sum(abs(a - b) for a, b in zip(one, two, strict=True)) / 50
    assert found == pytest.approx(1000 * total / 48, rel=1e-5)


def test_the_value_is_the_mean_of_the_levels():
    real, fake = noise(20, 3, 32, 32), smooth(20, 3, 32, 32, seed=1)
    levels = SMALL.levels(real=real, fake=fake, rng=Rng(0))
    assert list(levels) == [32, 16]
    mean = sum(level.distance for level in levels.values()) / 2
    assert score(real=real, fake=fake) == pytest.approx(mean, rel=1e-12)
    grey = SMALL.levels(real=real[:, :1, :28, :28], fake=fake[:, :1, :28, :28], rng=Rng(0))
    assert list(grey) == [28]


def test_unlike_images_are_further_than_like_ones():
    real = smooth(60, 1, 20, 20)
    like = score(real=real, fake=smooth(60, 1, 20, 20, seed=1))
    assert like < 0.5 * score(real=real, fake=noise(60, 1, 20, 20, seed=1))
    # Patches are normalised per set: brightness alone is not seen (halving keeps whole numbers).
    assert score(real=real, fake=real // 2) < 1.5 * like


def test_order_and_chunks_change_nothing_and_settings_and_the_stream_do(monkeypatch):
    real, fake = smooth(30, 1, 32, 32), noise(24, 1, 32, 32, seed=1)
    found = score(real=real, fake=fake)
    assert score(real=real, fake=fake) == found
    assert score(real=real.flip(0), fake=fake.flip(0)) == found
    assert score(real=real, fake=fake, seed=1) != found
    for setting in ({"patches": 5}, {"directions": 17}, {"repeats": 3}):
        other = PatchDistance(**{"patches": 4, "directions": 16, "repeats": 2} | setting)
        assert score(real=real, fake=fake, metric=other) != found
        with pytest.raises(ValueError, match="at least 1"):
            PatchDistance(**dict.fromkeys(setting, 0))
    monkeypatch.setattr(swd_patches, "IMAGES_PER_BATCH", 7)
    assert score(real=real, fake=fake) == pytest.approx(found, rel=1e-5)


def test_constant_images_give_a_finite_distance():
    black = torch.zeros(10, 1, 16, 16, dtype=torch.uint8)
    # The projections of real patches against 0: about E|N(0, 1)| for white noise, 0.8.
    assert 500 < score(real=noise(10, 1, 16, 16), fake=black) < 1100
    assert score(real=black, fake=black) == 0


def test_what_an_image_counts_for_is_the_change_when_it_comes_again():
    # Twelve images, each 200 times, and one of them 201 times: the distance changes by what it
    # counts for over 2,401, but for second order. One patch per image: images as large as patches.
    real, fake = noise(2400, 2, 7, 7), smooth(12, 2, 7, 7, seed=1)
    metric = PatchDistance(patches=1, directions=8, repeats=2)

    def level(images: torch.Tensor) -> swd_patches.Level:
        rows = [normalised(x.float()) for x in (real[: len(images)], images)]
        return metric._level(real=rows[0].flatten(1), fake=rows[1].view(-1, 1, 2, 49), rng=Rng(0))

    whole = fake.repeat_interleave(200, 0)
    base = level(whole)
    for index in range(12):
        other = whole.clone()
        other[200 * ((index + 1) % 12)] = fake[index]  # in the place of its neighbour
        gone = base.counts_for[200 * ((index + 1) % 12)]
        expected = (base.counts_for[200 * index] - gone) / 2400
        assert level(other).distance - base.distance == pytest.approx(expected, abs=0.01)


def test_a_set_is_at_zero_from_itself():
    # Patches of both sides lie at the same places: with others, it was at 10 of its 1000ths.
    images = smooth(40, 1, 16, 16)
    assert score(real=images, fake=images.flip(0)) == pytest.approx(0, abs=1e-9)
