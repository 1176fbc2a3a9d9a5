"""The Fréchet distance: closed forms, singular covariances, and an independent computation."""

import numpy as np
import pytest
import scipy.linalg
import torch

from coequal.contract import ImageSet
from coequal.metrics._gaussians import Gaussian, stated
from coequal.metrics.fd import FrechetDistance, frechet_distance
from coequal.rng import Rng


def fd(real: torch.Tensor, fake: torch.Tensor) -> float:
    metric = FrechetDistance()
    reference = metric.reference(ImageSet(real))
    return metric.values(real=reference, fake=ImageSet(fake), rng=Rng(0))["fd"].value


def gaussian(mean: list[float], covariance: list[list[float]]) -> Gaussian:
    return stated(np.array(mean), np.array(covariance), count=100)


def test_known_gaussians():
    # Shift (3, 4): 25. Same covariance: 25 + 0. Variances 1 and 4 in one axis: (1 - 2)^2 = 1.
    unit = [[1.0, 0.0], [0.0, 1.0]]
    assert frechet_distance(
        real=gaussian([0, 0], unit), fake=gaussian([3, 4], unit)
    ) == pytest.approx(25)
    assert frechet_distance(
        real=gaussian([0, 0], unit), fake=gaussian([0, 0], [[4.0, 0.0], [0.0, 1.0]])
    ) == pytest.approx(1)
    # Covariances that don't commute: C_r = [[2,1],[1,2]], C_f = diag(1,4). The eigenvalues of the
    # product [[2,4],[1,8]] are 5 +- sqrt(13); the sum of their roots squared is 10 + 2 sqrt(12).
    found = frechet_distance(
        real=gaussian([0, 0], [[2.0, 1.0], [1.0, 2.0]]),
        fake=gaussian([0, 0], [[1.0, 0.0], [0.0, 4.0]]),
    )
    assert found == pytest.approx(4 + 5 - 2 * np.sqrt(10 + 2 * np.sqrt(12)), rel=1e-12)


def test_features_by_hand():
    # One feature. Real 0, 2: mean 1, variance 2. Fake 1, 5: mean 3, variance 8. 4 + 2 + 8 - 2
    # sqrt(16) = 6.
    real, fake = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [5.0]])
    assert fd(real, fake) == pytest.approx(6, rel=1e-12)


def test_identical_features_have_distance_zero():
    features = Rng(0).normal(200, 16)
    assert fd(features, features) == pytest.approx(0, abs=1e-12)


def test_agrees_with_scipys_matrix_root():
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(12, 12))
    real, fake = rng.normal(size=(300, 12)) @ mix, rng.normal(size=(250, 12)) * 2 + 0.5
    c_r, c_f = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(c_r @ c_f).real
    shift = np.sum((real.mean(0) - fake.mean(0)) ** 2)
    expected = shift + np.trace(c_r + c_f - 2 * root)
    assert fd(torch.tensor(real), torch.tensor(fake)) == pytest.approx(expected, rel=1e-10)


def test_fewer_samples_than_features():
    # Both sets live in the plane of the first two axes; more axes of zeros change nothing.
    rng = Rng(1)
    real, fake = rng.normal(30, 2), 2 * rng.normal(30, 2) + 1
    padding = torch.zeros(30, 60)
    padded = fd(torch.cat([real, padding], 1), torch.cat([fake, padding], 1))
    assert padded == pytest.approx(fd(real, fake), rel=1e-10)


def test_order_and_rotation_change_nothing():
    rng = Rng(2)
    real, fake = rng.normal(100, 8).double(), rng.normal(100, 8).double() + 0.3
    turn, _ = torch.linalg.qr(rng.normal(8, 8).double())
    assert fd(real @ turn, fake @ turn) == pytest.approx(fd(real, fake), rel=1e-10)
    assert fd(real.flip(0), fake) == pytest.approx(fd(real, fake), rel=1e-10)
    assert fd(fake, real) == pytest.approx(fd(real, fake), rel=1e-10)


def test_constant_features_do_not_crash():
    assert fd(torch.ones(10, 3), torch.ones(10, 3)) == 0
    assert fd(torch.ones(10, 3), torch.zeros(10, 3)) == pytest.approx(3)
