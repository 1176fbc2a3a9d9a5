"""Authenticity and C_T: fixed values, copies, held-out images, cells."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from coequal.contract import ImageSet, MetricValue
from coequal.metrics.memorisation import Memorisation, c_t
from coequal.rng import Rng


def scores(
    train: torch.Tensor, held_out: torch.Tensor, fake: torch.Tensor, cells: int = 1
) -> dict[str, MetricValue]:
    metric = Memorisation(cells)
    reference = metric.reference(ImageSet(held_out), ImageSet(train))
    return dict(metric.values(real=reference, fake=ImageSet(fake), rng=Rng(0)))


def normal(seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((1000, 64))).float()


@pytest.mark.parametrize(
    ("scale", "shift", "wanted"),
    [(1.0, 0.0, 0.788), (1.0, 0.3, 0.861), (0.5, 0.0, 0.006), (1.5, 0.0, 0.999)],
)
def test_known_values(scale, shift, wanted):
    # Computed once with numpy in float64 (shared/reference/metrics.md, section C).
    train, held_out, fake = normal(0), normal(2), normal(1) * scale + shift
    found = scores(train, held_out, fake)
    assert found["authenticity"].value == pytest.approx(wanted, abs=1e-9)
    # Of images like the held-out ones, the same share less that share.
    assert scores(train, fake, fake)["authenticity_calibrated"].value == 0
    # C_T from all pairs, by scipy's Mann-Whitney statistic without continuity correction.
    near, far = (
        torch.cdist(images.double(), train.double(), compute_mode="donot_use_mm_for_euclid_dist")
        .amin(1)
        .numpy()
        for images in (held_out, fake)
    )
    u = scipy.stats.mannwhitneyu(far, near).statistic
    n = len(train)
    z = (u - n * n / 2) / math.sqrt(n * n * (2 * n + 1) / 12)
    assert found["c_t"].value == pytest.approx(z, rel=1e-9)


def test_five_points_by_hand():
    # Training images 0, 1, 10, 14, whose gaps are 1, 1, 4, 4.
    # Generated -2 (2 from 0, gap 1: authentic), 1.5 (0.5 from 1: no), 12.5 (1.5 from 14: no), 10
    # (a copy: no): 1/4. Held out: -1 (1 from 0, not more than 1: a tie, no), 20 (6 > 4: yes): 1/2.
    # Distances: fake 2, 0.5, 1.5, 0; held out 1, 6. Pairs with the fake farther: 2 > 1, 1.5 > 1:
    # U = 2 of 8, mean 4, variance 8 * 7 / 12: z = -2 / sqrt(14 / 3).
    train, held_out, fake = (
        torch.tensor(x)[:, None]
        for x in ([0.0, 1.0, 10.0, 14.0], [-1.0, 20.0], [-2.0, 1.5, 12.5, 10.0])
    )
    found = scores(train, held_out, fake)
    assert found["authenticity"].value == pytest.approx(1 / 4)
    assert found["authenticity"].standard_error == pytest.approx(math.sqrt(3 / 16 / 4))
    assert found["authenticity_calibrated"].value == pytest.approx(-1 / 4)
    assert found["authenticity_calibrated"].standard_error == pytest.approx(math.sqrt(3 / 16 / 4))
    assert found["c_t"].value == pytest.approx(-2 / math.sqrt(14 / 3))


@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-3])
def test_copies_are_seen_in_float32(noise):
    # Float32 products put a copy with features around 30 at 0.02 rather than 0; in 600 dimensions
    # the noise moves it by 0.025 at most, while the nearest neighbours are some 30 apart.
    train, held_out = 30 + Rng(0).normal(400, 600), 30 + Rng(1).normal(400, 600)
    found = scores(train, held_out, train[:200] + noise * Rng(2).normal(200, 600))
    # U = 0: z = -(n m / 2) / sqrt(n m (n + m + 1) / 12).
    assert found["c_t"].value == pytest.approx(-40_000 / math.sqrt(80_000 * 601 / 12))
    assert found["authenticity"].value == 0
    assert found["authenticity_calibrated"].value < -0.5


def test_held_out_images_score_nothing_against_themselves():
    # Every pair has its mirror image, and ties count as half: U is exactly n m / 2.
    train, held_out = Rng(0).normal(300, 8), Rng(1).normal(200, 8)
    found = scores(train, held_out, held_out.flip(0))
    assert found["c_t"].value == 0
    assert found["authenticity_calibrated"].value == 0
    # Under the null hypothesis c_t has variance 1, half of it from the held-out images.
    assert found["c_t"].standard_error == pytest.approx(0.5**0.5, rel=0.05)


def test_standard_errors_are_those_of_new_generated_images():
    rng = Rng(4)
    train, held_out = rng.normal(200, 4), rng.normal(150, 4)
    found = [scores(train, held_out, 1.1 * rng.normal(150, 4), 3) for _ in range(150)]
    for name in ("authenticity", "c_t"):
        spread = np.std([score[name].value for score in found], ddof=1)
        claimed = np.mean([score[name].standard_error for score in found])
        assert claimed / spread == pytest.approx(1, abs=0.2), name


def test_cells_find_copies_that_poor_images_hide():
    # Two clusters: copies in one, images too far from the data in the other. Over all, the copies
    # are nearer than held-out images and the others farther: 0. Within cells also, each by itself;
    # but where the weights go with the held-out images, two thirds of them in the copied cluster,
    # so do the scores.
    rng = Rng(0)
    there = torch.tensor([50.0, 0, 0, 0])
    train = torch.cat([rng.normal(200, 4), rng.normal(100, 4) + there])
    held_out = torch.cat([rng.normal(200, 4), rng.normal(100, 4) + there])
    fake = torch.cat([train[:150], 3 * rng.normal(150, 4) + there])
    one, two = scores(train, held_out, fake)["c_t"], scores(train, held_out, fake, 2)["c_t"]
    near = [c_t_of(train, held_out[:200], fake[:150]), c_t_of(train, held_out[200:], fake[150:])]
    assert near[0] < -10 < 5 < near[1]
    assert two.value == pytest.approx((2 * near[0] + near[1]) / 3)
    assert two.value < -5 < one.value


def c_t_of(train: torch.Tensor, held_out: torch.Tensor, fake: torch.Tensor) -> float:
    return scores(train, held_out, fake)["c_t"].value


def test_small_cells_are_left_out():
    ones = torch.ones(4, dtype=torch.float64)
    cells = torch.tensor([0, 0, 0, 1])
    arguments = {"held_out": ones, "held_out_cells": cells, "fake": 2 * ones, "fake_cells": cells}
    # Cell 0: n = m = 3, U = 9, z = 4.5 / sqrt(9 * 7 / 12). Cell 1: one image each, U = 1,
    # z = 0.5 / sqrt(3 / 12) = 1. Weights 3/4 and 1/4.
    first = 4.5 / math.sqrt(63 / 12)
    assert c_t(**arguments, fewest=2).value == pytest.approx(first)
    assert c_t(**arguments, fewest=1).value == pytest.approx((3 * first + 1) / 4)
    assert c_t(**arguments, fewest=1).standard_error is None  # a cell with one image has none
    assert math.isnan(c_t(**arguments, fewest=5).value)


def test_what_cannot_be_measured():
    train, fake = Rng(0).normal(20, 4), Rng(1).normal(20, 4)
    with pytest.raises(ValueError, match="1 training images; at least 2"):
        scores(train[:1], fake, fake)
    found = scores(train, fake, fake[:1])
    assert found["c_t"].details == {"undefined": "needs at least 2 generated images, got 1"}
    with pytest.raises(ValueError, match="cells must be a whole number of at least 1, got 0"):
        Memorisation(cells=0)


def test_equal_images_are_copies():
    same = torch.full((30, 5), 0.3)
    found = scores(same, same, same)
    assert [found[name].value for name in found] == [0, 0, 0]
