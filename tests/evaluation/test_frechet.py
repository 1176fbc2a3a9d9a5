"""The Fréchet distance: closed forms, singular covariances, and an independent computation."""

import numpy as np
import pytest
import scipy.linalg
import torch

from coequal.contract import ImageSet, Statistics
from coequal.metrics._gaussians import Gaussian, stated
from coequal.metrics.fd import FrechetDistance, frechet_distance
from coequal.rng import Rng
from foreign import ForeignDevice


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


# ------------------------------------------------------------------------------------- statistics


def statistics_of(features: torch.Tensor, count: int | None) -> ImageSet:
    """What other programs keep of features, with no row of them."""
    known = Statistics(features.double().mean(0), torch.cov(features.double().T), count)
    return ImageSet(torch.empty(0, features.shape[1]), statistics=known)


def measured(real: ImageSet, fake: ImageSet) -> dict:
    metric = FrechetDistance()
    return dict(metric.values(real=metric.reference(real), fake=fake, rng=Rng(0)))


@pytest.mark.parametrize("dimension", [6, 60])  # of the second the covariances are singular
def test_statistics_stand_for_features(dimension):
    real, fake = Rng(0).normal(50, dimension), Rng(1).normal(40, dimension) * 1.2
    wanted = measured(ImageSet(real), ImageSet(fake))
    for sides in (
        (statistics_of(real, 50), ImageSet(fake)),
        (statistics_of(real, 50), statistics_of(fake, 40)),
    ):
        found = measured(*sides)
        assert found["fd"].value == pytest.approx(wanted["fd"].value, rel=1e-6)
        # The bias of real statistics follows from their count alone, as that of features does.
        if sides[1].statistics is None:
            unbiased = wanted["fd_unbiased"].value
            assert found["fd_unbiased"].value == pytest.approx(unbiased, rel=1e-6)
            assert (found["fd"].standard_error is None) == (dimension == 60)
        else:
            assert found["fd"].standard_error is None


def test_without_a_count_there_is_a_distance_and_its_error_and_no_bias():
    real, fake = Rng(0).normal(50, 6), Rng(1).normal(40, 6)
    wanted = measured(ImageSet(real), ImageSet(fake))
    found = measured(statistics_of(real, None), ImageSet(fake))
    assert list(found) == ["fd"]
    assert found["fd"].value == pytest.approx(wanted["fd"].value, rel=1e-9)
    assert found["fd"].standard_error == pytest.approx(wanted["fd"].standard_error, rel=1e-9)
    assert found["fd"].warnings == ()  # "83 % of it is bias" can't be known
    assert list(measured(ImageSet(real), statistics_of(fake, None))) == ["fd"]


def test_statistics_of_one_image_are_too_few():
    one = statistics_of(Rng(0).normal(50, 6), 1)
    with pytest.raises(ValueError, match="needs at least 2 real images, got 1"):
        FrechetDistance().reference(one)


def test_statistics_of_more_images_go_before_the_features():
    # A reference batch of guided-diffusion: a few images, and statistics of the whole set.
    whole, fake = Rng(0).normal(500, 6), Rng(1).normal(400, 6)
    both = ImageSet(whole[:50], statistics=statistics_of(whole, 500).statistics)
    wanted = measured(ImageSet(whole), ImageSet(fake))
    assert measured(both, ImageSet(fake))["fd"].value == pytest.approx(wanted["fd"].value)


def test_statistics_go_with_features_on_another_device():
    real, fake = Rng(0).normal(50, 6), Rng(1).normal(40, 6)
    known = statistics_of(real, 50)
    wanted = measured(known, ImageSet(fake))
    with ForeignDevice() as foreign:
        found = measured(known.to(foreign.device), ImageSet(fake).to(foreign.device))
    for name, number in wanted.items():
        assert found[name].value == pytest.approx(number.value, rel=1e-10)
        assert found[name].standard_error == pytest.approx(number.standard_error, rel=1e-8)
