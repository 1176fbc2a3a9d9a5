"""Realism, rarity and influence of single generated images: by hand, by brute force, by leaving an
image out."""

import math

import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics import _image_realism
from coequal.metrics._image_realism import realism_and_rarity
from coequal.metrics.fd import FrechetDistance
from coequal.metrics.neighbours import Neighbours
from coequal.rng import Rng


def per_image(metric, real: torch.Tensor, fake: torch.Tensor):
    return metric.per_image(real=metric.reference(ImageSet(real)), fake=ImageSet(fake))


def test_realism_and_rarity_by_hand():
    # Real points 0, 1, 3, 7 with k = 1: radii 1, 1, 2, 4. Half of the balls, those of 0 and 1, have
    # a radius of at most the median, 1.
    # 2:  realism 1 / |2 - 1| = 1. It lies on the edge of the ball of 1, and in that of 3: rarity 1.
    # 5:  realism 1 / |5 - 1| = 1/4. On the edge of the ball of 3, and in that of 7: rarity 2.
    # 12: realism 1 / |12 - 1| = 1/11. In no ball: |12 - 7| = 5 > 4.
    # 0:  a copy of the centre of a ball with radius 1.
    real = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    fake = torch.tensor([[2.0], [5.0], [12.0], [0.0]])
    found = per_image(Neighbours(1, 1), real, fake)
    assert found["realism"].values.tolist() == [1, 1 / 4, 1 / 11, math.inf]
    assert found["rarity"].values[[0, 1, 3]].tolist() == [1, 2, 1]
    assert math.isnan(found["rarity"].values[2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_same_as_all_pairs_at_once(dtype, monkeypatch):
    # dgm-eval's formula (radii / distances)[radii < median].max(0), which is that of the paper; the
    # program of its authors takes squared radii and distances: the square of this number.
    monkeypatch.setattr(_image_realism, "TILE", 32)
    monkeypatch.setattr(_image_realism, "PANEL", 64)
    rng = Rng(3)
    real, fake = rng.normal(250, 20).to(dtype) + 30, rng.normal(130, 20).to(dtype) * 1.1 + 30
    fake[7] = real[3]  # a copy
    distances = (real.double()[:, None] - real.double()).norm(dim=2)
    radii = distances.sort(1).values[:, 3]
    cross = (real.double()[:, None] - fake.double()).norm(dim=2)
    kept = radii < radii.quantile(0.5)
    realism = (radii[kept, None] / cross[kept]).amax(0)
    inside = cross <= radii[:, None] * (1 + 1e-12)
    rarity = torch.where(inside, radii[:, None], math.inf).amin(0)
    found = per_image(Neighbours(), real, fake)
    torch.testing.assert_close(found["realism"].values, realism, rtol=1e-12, atol=0)
    expected = torch.where(inside.any(0), rarity, math.nan)
    torch.testing.assert_close(found["rarity"].values, expected, rtol=1e-12, atol=0, equal_nan=True)
    assert 0 < int(inside.any(0).sum()) < 130


def test_balls_without_extent_count_for_nothing():
    # Radii with k = 1: 0 and 0 (twins at 0), 4 (of 5, to 9), 4, 5 (of 14). The median is 4, so the
    # balls of 0, 0, 5 and 9 are kept; those of the twins have no extent.
    # A copy of the twins: realism 4 / 5 from the ball of 5; it lies in the twins' ball: rarity 0.
    real = torch.tensor([[0.0], [0.0], [5.0], [9.0], [14.0]])
    radii = torch.tensor([0.0, 0.0, 4.0, 4.0, 5.0])
    realism, rarity = realism_and_rarity(real, radii, torch.tensor([[0.0]]))
    assert realism.tolist() == [0.8]
    assert rarity.tolist() == [0]


def test_copies_of_real_images_lie_on_edges():
    # A copy of a real image is as far from the real ones that have it as k-th neighbour as their
    # radius: it is inside, though products of two groups far apart lose the last digits.
    real = Rng(5).normal(300, 20)
    real[150:] += 600
    found = per_image(Neighbours(), real, real)
    distances = (real.double()[:, None] - real.double()).norm(dim=2)
    near = distances.sort(1)
    smallest = torch.full((300,), math.inf, dtype=torch.float64)
    for ball in range(300):  # each ball holds its centre and its three neighbours
        held = near.indices[ball, :4]
        smallest[held] = smallest[held].clamp(max=float(near.values[ball, 3]))
    torch.testing.assert_close(found["rarity"].values, smallest, rtol=1e-12, atol=0)


def test_influence_is_what_leaving_an_image_out_does():
    # fd without image i, less fd without image j, is (influence of j - influence of i) / (n - 1) to
    # first order; what leaving any image out does is the same for both.
    rng = Rng(1)
    real, fake = rng.normal(500, 4), rng.normal(400, 4) * 1.2 + 0.3
    metric = FrechetDistance()
    reference = metric.reference(ImageSet(real))
    influence = metric.per_image(real=reference, fake=ImageSet(fake))["fd_influence"].values
    assert float(influence.mean()) == pytest.approx(0, abs=1e-9)

    def without(row: int) -> float:
        rest = ImageSet(torch.cat([fake[:row], fake[row + 1 :]]))
        return metric.values(real=reference, fake=rest, rng=Rng(0))["fd"].value

    order = influence.argsort().tolist()
    for low, high in zip(order[:5], order[-5:], strict=True):
        expected = float(influence[high] - influence[low]) / 399
        assert without(low) - without(high) == pytest.approx(expected, rel=0.05)


def test_no_image_has_a_number_where_the_sets_are_too_small():
    rng = Rng(0)
    few = per_image(FrechetDistance(), rng.normal(50, 8), rng.normal(8, 8))["fd_influence"]
    assert few.undefined == "needs more images than features, got 8 images of 8 features"
    assert few.values.isnan().all()
    none = per_image(Neighbours(), rng.normal(3, 8), rng.normal(8, 8))
    assert none["realism"].undefined == "needs at least 4 real images, got 3"
