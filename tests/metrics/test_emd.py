"""The exact Wasserstein-1 distance."""

from itertools import permutations

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics._canonical_order import some
from coequal.metrics.emd import (
    EarthMoversDistance,
    _pairing,
    _rise,
    distance_with_error,
    earth_movers_distance,
)
from coequal.rng import Rng


def emd(real: torch.Tensor, fake: torch.Tensor, images: int = 2000, seed: int = 0) -> float:
    metric = EarthMoversDistance(images)
    reference = metric.reference(ImageSet(real))
    return metric.values(real=reference, fake=ImageSet(fake), rng=Rng(seed))["emd"].value


def test_a_shift():
    # By Jensen no transport of a shifted set costs less than |mu|: here |(3, 4)| = 5.
    real = np.random.default_rng(0).normal(size=(200, 2))
    assert earth_movers_distance(real=real, fake=real + np.array([3, 4])) == pytest.approx(
        5, rel=1e-12
    )


def test_one_dimension_pairs_in_order():
    # Sorted: 0, 1, 5 and 2, 2, 6: (2 + 1 + 1) / 3.
    real, fake = np.array([[5.0], [0], [1]]), np.array([[2.0], [6], [2]])
    assert earth_movers_distance(real=real, fake=fake) == pytest.approx(4 / 3, rel=1e-12)


def test_against_all_pairings():
    rng = np.random.default_rng(1)
    real, fake = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)) + 50
    costs = np.linalg.norm(real[:, None] - fake, axis=2)
    least = min(costs[range(6), order].mean() for order in map(list, permutations(range(6))))
    assert earth_movers_distance(real=real, fake=fake) == pytest.approx(least, rel=1e-12)


def test_no_less_than_the_distance_of_means_and_no_more_than_any_pairing():
    rng = np.random.default_rng(2)
    real, fake = rng.normal(size=(80, 5)), rng.normal(size=(80, 5)) * 2 + 1
    found = earth_movers_distance(real=real, fake=fake)
    assert found == pytest.approx(earth_movers_distance(real=fake, fake=real), rel=1e-12)
    assert np.linalg.norm(real.mean(0) - fake.mean(0)) < found
    assert found < np.linalg.norm(real - fake, axis=1).mean()


@pytest.mark.parametrize("apart", [0.0, 1e-6, 1e6])
def test_clusters_of_any_distance(apart):
    # Clusters of unequal shares, which the rough prices can't reach across: 30 of 40 here, 10 there
    # and the other way round. In one dimension the sorted pairing is optimal.
    rng = np.random.default_rng(0)
    real, fake = (rng.normal(size=(40, 1)) + apart * (np.arange(40) < n)[:, None] for n in (30, 10))
    expected = np.abs(np.sort(real, 0) - np.sort(fake, 0)).mean()
    assert earth_movers_distance(real=real, fake=fake) == pytest.approx(expected, rel=1e-12)


def test_all_costs_alike():
    assert earth_movers_distance(real=np.zeros((5, 2)), fake=np.ones((5, 2))) == np.sqrt(2)


def test_copies_are_at_distance_zero():
    real = Rng(0).normal(100, 4) + 1000
    assert emd(real, real.flip(0)) == 0


def test_both_sets_are_cut_to_the_same_number():
    real, fake = Rng(0).normal(60, 3), Rng(1).normal(40, 3) + 2
    assert emd(real, fake, 30, seed=1) != emd(real, fake, 30, seed=2)
    draws = Rng(1)
    ours, theirs = some(real, 30, draws), some(fake, 30, draws)
    assert emd(real, fake, 30, seed=1) == emd(ours, theirs)
    for given in ((real.flip(0), fake), (real, fake.flip(0))):  # the same images in another order
        assert emd(*given, 30, seed=1) == emd(ours, theirs)
    assert emd(real, fake, 40, seed=1) == emd(real, fake, 2000, seed=1)


def test_prices_of_a_shift_are_the_way_along_it():
    # Moved by far more than the sets are wide, every image costs its place along the shift and next
    # to nothing else: the error of the distance is that of the mean in that direction.
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(60, 3)), rng.normal(size=(60, 3)) + np.array([1e4, 0, 0])
    expected = fake[:, 0].std(ddof=1) / np.sqrt(60)
    found = distance_with_error(real=real, fake=fake)
    assert found.standard_error == pytest.approx(expected, rel=1e-3)
    assert found.value == earth_movers_distance(real=real, fake=fake)
    assert distance_with_error(real=real[:1], fake=fake[:1]).standard_error is None


def test_prices_make_the_pairing_every_rows_choice():
    # Weak duality: c_ij - p_j is least at the partner of each row, for costs of any shape.
    rng = np.random.default_rng(3)
    for size in (1, 2, 5, 40):
        costs = rng.integers(0, 9, (size, size)).astype(float)  # many ties
        found = _pairing(costs.copy())
        prices = (costs[0] - found.costs[0]) + _rise(found)
        own = costs[np.arange(size), found.partners] - prices[found.partners]
        assert (own <= (costs - prices).min(1) + 1e-9).all()
