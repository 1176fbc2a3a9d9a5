"""The Gaussian kernel of directions: plain form, the authors' program, standard error."""

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics.mmd_cosine import CosineMaximumMeanDiscrepancy
from coequal.rng import Rng

import peers


def measured(real: np.ndarray, fake: np.ndarray):
    metric = CosineMaximumMeanDiscrepancy()
    reference = metric.reference(ImageSet(torch.from_numpy(real)))
    return metric.values(real=reference, fake=ImageSet(torch.from_numpy(fake)), rng=Rng(0))


def kernels(real: np.ndarray, fake: np.ndarray) -> list[np.ndarray]:
    """exp(-|x - y|^2 / 200) of directions: real with real, fake with fake, real with fake."""
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (real, fake))
    pairs = ((x, x), (y, y), (x, y))
    return [np.exp(-np.square(a[:, None] - b).sum(2) / 200) for a, b in pairs]


def test_by_hand():
    # Real (3, 0) and (0, 2), fake (-1, 0) and (0, 5): squared distances of directions are 2 within
    # the real and the fake, and between them 4, 2, 2, 0. With e(s) = exp(-s / 200):
    # V: (2 + 2 e(2)) / 4 twice, less 2 (e(4) + 2 e(2) + 1) / 4.  U: 2 e(2) less the same.
    e2, e4 = np.exp(-0.01), np.exp(-0.02)
    between = (e4 + 2 * e2 + 1) / 2
    real, fake = np.array([[3.0, 0.0], [0.0, 2.0]]), np.array([[-1.0, 0.0], [0.0, 5.0]])
    found = measured(real, fake)
    assert found["mmd_cosine"].value == pytest.approx(1000 * (1 + e2 - between), rel=1e-9)
    assert found["mmd_cosine_unbiased"].value == pytest.approx(1000 * (2 * e2 - between), rel=1e-9)


def test_the_largest_value_is_that_of_opposite_directions():
    # Kernels are 1 within and exp(-4 / 200) between: 2 (1 - exp(-0.02)).
    found = measured(np.array([[1.0, 0.0]] * 3), np.array([[-2.0, 0.0]] * 4))
    assert found["mmd_cosine"].value == pytest.approx(2000 * (1 - np.exp(-0.02)), rel=1e-9)
    assert found["mmd_cosine"].value == pytest.approx(39.6, abs=0.01)


@pytest.mark.parametrize(("features", "precision"), [(7, 1e-9), (300, 1e-4)])
def test_against_the_plain_form_in_both_precisions(features, precision):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(80, features)) + 1, rng.normal(size=(60, features)) + 0.5
    within_real, within_fake, between = kernels(real, fake)
    found = measured(real, fake)
    biased = within_real.mean() + within_fake.mean() - 2 * between.mean()
    assert found["mmd_cosine"].value == pytest.approx(1000 * biased, rel=precision)
    pairs = ((k.sum() - len(k)) / (len(k) * (len(k) - 1)) for k in (within_real, within_fake))
    unbiased = sum(pairs) - 2 * between.mean()
    assert found["mmd_cosine_unbiased"].value == pytest.approx(1000 * unbiased, rel=precision)


def test_it_is_the_authors_number():
    # `mmd` of google-research/cmmd/distance.py in the port of sayakpaul/cmmd-pytorch (49fb717),
    # given these features at length 1 as float64 (2026-11-30); in float32 it gives 0.01264.
    found = measured(*peers.features())["mmd_cosine"]
    assert found.value == pytest.approx(0.012444685290491364, rel=1e-6)


def test_lengths_change_nothing():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(30, 5)), rng.normal(size=(20, 5)) + 0.4
    value = measured(real, fake)["mmd_cosine"].value
    lengths = 10 ** rng.uniform(-200, 200, size=(20, 1))
    assert measured(real * 3, fake * lengths)["mmd_cosine"].value == pytest.approx(value, rel=1e-9)


def test_features_without_a_direction_have_no_number():
    real, fake = np.ones((5, 2)), np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    for found in measured(real, fake).values():
        reason = "the features of 2 generated images are all 0 and have no direction"
        assert found.details == {"undefined": reason}


@pytest.mark.parametrize(("shift", "low", "high"), [(0.0, 0.85, 1.35), (0.6, 0.85, 1.15)])
def test_the_standard_error_is_the_spread_over_new_fakes(shift, low, high):
    rng = np.random.default_rng(5)
    real = rng.normal(size=(800, 4))
    found = [measured(real, rng.normal(size=(200, 4)) + shift) for _ in range(200)]
    for name in ("mmd_cosine", "mmd_cosine_unbiased"):
        values = [row[name] for row in found]
        typical = np.sqrt(np.mean([value.standard_error**2 for value in values]))
        assert low < typical / np.std([value.value for value in values], ddof=1) < high
