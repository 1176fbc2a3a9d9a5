"""The Fréchet distance against many digits, against repeated samples, and in its closed form."""

import mpmath
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from coequal.contract import ImageSet
from coequal.metrics import _gaussians
from coequal.metrics.fd import (
    FrechetDistance,
    bias,
    frechet_distance,
    moments,
    standard_error,
)
from coequal.rng import Rng


def fd(real: np.ndarray, fake: np.ndarray) -> float:
    return frechet_distance(
        real=moments(torch.from_numpy(real)), fake=moments(torch.from_numpy(fake))
    )


def in_many_digits(real: np.ndarray, fake: np.ndarray) -> float:
    """The distance as it is defined, with 50 digits."""
    with mpmath.workdps(50):
        statistics = []
        for rows in (real, fake):
            values = mpmath.matrix(rows.tolist())
            mean = mpmath.matrix(
                [[mpmath.fsum(values[:, j]) / len(rows)] for j in range(values.cols)]
            )
            for i in range(values.rows):
                for j in range(values.cols):
                    values[i, j] -= mean[j]
            statistics.append((mean, values.T * values / (len(rows) - 1)))
        (mean_r, c_r), (mean_f, c_f) = statistics
        eigenvalues, vectors = mpmath.eigsy(c_r)
        root = vectors * mpmath.diag([mpmath.sqrt(max(e, 0)) for e in eigenvalues]) * vectors.T
        sandwich = mpmath.eigsy(root * c_f * root, eigvals_only=True)
        overlap = mpmath.fsum(mpmath.sqrt(max(e, 0)) for e in sandwich)
        shift = mpmath.fsum(x**2 for x in mean_r - mean_f)
        traces = mpmath.fsum(c_r[i, i] + c_f[i, i] for i in range(c_r.rows))
        return float(shift + traces - 2 * overlap)


def mixed(rng: np.random.Generator, count: int, spread: np.ndarray) -> np.ndarray:
    """Rows with standard deviations `spread` along axes turned at random."""
    turn, _ = np.linalg.qr(rng.normal(size=(len(spread), len(spread))))
    return rng.normal(size=(count, len(spread))) * spread @ turn


@pytest.mark.parametrize(
    ("name", "fewer"),
    [("full rank", 40), ("thin", 7), ("spread over ten decades", 40), ("dead features", 40)],
)
def test_against_many_digits(name, fewer):
    rng = np.random.default_rng(5)
    wide = np.logspace(0, -10, 10) if "decades" in name else np.ones(10)
    real, fake = mixed(rng, 40, wide), mixed(rng, fewer, wide) + 0.2
    if name == "dead features":
        real[:, :4], fake[:, 3:5] = 0.3, 0.1
    expected = in_many_digits(real, fake)
    assert fd(real, fake) == pytest.approx(expected, rel=1e-12)
    assert fd(fake, real) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_one_feature_that_follows_from_others(seed):
    # The real covariance is singular but for rounding, in a direction where fakes do spread: a root
    # taken of it would be wrong by the root of a rounding error, some 1e-8.
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(size=(40, 6)), rng.normal(size=(40, 6))
    real[:, 5] = real[:, 0] + real[:, 1] - real[:, 2] / 3
    assert fd(real, fake) == pytest.approx(in_many_digits(real, fake), rel=1e-12)


def test_both_ways_to_the_spectrum_agree(monkeypatch):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(300, 20)), rng.normal(size=(300, 20)) * 2
    by_eigenvalues = fd(real, fake)
    monkeypatch.setattr(_gaussians, "TOLERANCE", -1.0)
    assert fd(real, fake) == pytest.approx(by_eigenvalues, rel=1e-13)
    monkeypatch.setattr(_gaussians, "SAFE_PIVOT", 2.0)  # and with roots of a QR decomposition
    assert fd(real, fake) == pytest.approx(by_eigenvalues, rel=1e-13)


def test_parts_of_the_rows_make_no_difference(monkeypatch):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(300, 5)) + 1e3, rng.normal(size=(300, 5)) + 1e3
    at_once = fd(real, fake)
    monkeypatch.setattr(_gaussians, "ROWS", 7)
    assert fd(real, fake) == pytest.approx(at_once, rel=1e-11)


# MEASURED in metrics.md, section C: fake = standard normal (seed 1) x scale + shift, real seed 0.
@pytest.mark.parametrize(
    ("scale", "shift", "expected"),
    [(1, 0, 2.25218867), (1, 0.3, 7.61774262), (0.5, 0, 17.27544843), (1.5, 0, 18.96821729)],
)
def test_fixed_values(scale, shift, expected):
    real = np.random.default_rng(0).standard_normal((1000, 64))
    fake = np.random.default_rng(1).standard_normal((1000, 64)) * scale + shift
    assert fd(real, fake) == pytest.approx(expected, abs=5e-9)


def test_commuting_gaussians():
    # Eigenvalues 1, 4, 9 and 16, 4, 1 along the same axes, means apart by (1, 2, 2):
    # (1 - 4)^2 + (2 - 2)^2 + (3 - 1)^2 + 1 + 4 + 4 = 22.
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    real = _gaussians.stated(np.zeros(3), turn @ np.diag([1.0, 4, 9]) @ turn.T, 100)
    fake = _gaussians.stated(np.array([1.0, 2, 2]), turn @ np.diag([16.0, 4, 1]) @ turn.T, 100)
    assert frechet_distance(real=real, fake=fake) == pytest.approx(22, rel=1e-13)


def test_the_standard_error_is_the_spread_over_new_fakes():
    rng = np.random.default_rng(2)
    real = moments(torch.from_numpy(rng.normal(size=(2000, 6))))
    found, errors = [], []
    for _ in range(300):
        rows = torch.from_numpy(rng.exponential(size=(500, 6)) * np.arange(1, 7) / 4)
        fake = moments(rows)
        found.append(frechet_distance(real=real, fake=fake))
        errors.append(standard_error(real=real, fake=fake))
    # The sd of 300 values is itself uncertain by some 5 %.
    assert np.mean(errors) == pytest.approx(np.std(found, ddof=1), rel=0.15)


def test_no_standard_error_without_a_derivative():
    rng = np.random.default_rng(0)
    real, fake = (moments(torch.from_numpy(rng.normal(size=(n, 20)))) for n in (50, 15))
    assert standard_error(real=real, fake=fake) is None
    # Few real images are no obstacle: they stay as they are.
    assert standard_error(real=fake, fake=real) > 0


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_bias_is_that_of_repeated_samples(scale):
    # d = 8, both isotropic, standard deviations 1 and `scale`: the common spectrum is 8 times
    # `scale`, and the bias (8 scale^2 + 8) / n + (2 / n) / 2 * scale (64 / 2 + 8 / 2).
    rng = np.random.default_rng(1)
    exact = 8 * (scale - 1) ** 2
    pairs = [(rng.normal(size=(400, 8)), rng.normal(size=(400, 8)) * scale) for _ in range(200)]
    gaussians = [
        {"real": moments(torch.from_numpy(real)), "fake": moments(torch.from_numpy(fake))}
        for real, fake in pairs
    ]
    found = np.array([frechet_distance(**pair) for pair in gaussians])
    foreseen = (8 * scale**2 + 8) / 400 + scale * 36 / 400
    three_errors = 3 * found.std(ddof=1) / np.sqrt(len(found))
    assert found.mean() - exact == pytest.approx(foreseen, abs=three_errors)
    stated = (
        _gaussians.stated(np.zeros(8), np.eye(8), 400),
        _gaussians.stated(np.zeros(8), np.eye(8) * scale**2, 400),
    )
    assert bias(real=stated[0], fake=stated[1]) == pytest.approx(foreseen, rel=1e-12)
    assert np.mean([bias(**pair) for pair in gaussians]) == pytest.approx(foreseen, rel=0.05)


def test_the_metric_gives_what_the_functions_give():
    rng = Rng(4)
    real, fake = rng.normal(200, 5), rng.normal(150, 5) * 1.2 + 0.4
    metric = FrechetDistance()
    found = metric.values(real=metric.reference(ImageSet(real)), fake=ImageSet(fake), rng=Rng(0))
    both = {"real": moments(real), "fake": moments(fake)}
    assert found["fd"].value == pytest.approx(frechet_distance(**both), rel=1e-13)
    assert found["fd"].standard_error == pytest.approx(standard_error(**both), rel=1e-10)
    assert found["fd"].value - found["fd_unbiased"].value == pytest.approx(bias(**both), rel=1e-9)


def test_the_number_of_threads_changes_no_bit():
    rng = Rng(0)
    real, fake = rng.normal(600, 300), rng.normal(500, 300) * 1.1
    metric, found = FrechetDistance(), []
    for count in (1, 2):
        with threadpool_limits(count, user_api="blas"):
            reference = metric.reference(ImageSet(real))
            found.append(metric.values(real=reference, fake=ImageSet(fake), rng=Rng(0)))
    assert found[0] == found[1]


def test_a_set_against_itself_twice():
    # Twice the same 50 rows: the mean stays, the covariance shrinks by 98 / 99 (2n - 2 over
    # 2n - 1). Then the distance is tr C (1 - sqrt(98 / 99))^2.
    rows = np.random.default_rng(0).normal(size=(50, 4))
    trace = np.cov(rows, rowvar=False).trace()
    expected = trace * (1 - np.sqrt(98 / 99)) ** 2
    assert fd(rows, np.concatenate([rows, rows])) == pytest.approx(expected, rel=1e-8)


def test_a_single_image_has_no_distance():
    metric, features = FrechetDistance(), Rng(0).normal(30, 3)
    reference = metric.reference(ImageSet(features))
    found = metric.values(real=reference, fake=ImageSet(features[:1]), rng=Rng(0))
    assert all(np.isnan(value.value) for value in found.values())


def test_heavy_tails_take_their_own_bias_off():
    # One distribution on both sides, so that what is left is bias. The positive part of a mixture
    # of Student's t: with the fourth moments of a Gaussian a quarter of the bias stays, here 0.11.
    rng = np.random.default_rng(4)
    mixing = rng.standard_normal((16, 64)) / 4
    left = []
    for _ in range(20):
        both = []
        for _ in range(2):
            factors = rng.standard_t(5, (2000, 16)) @ mixing
            noise = 0.5 * rng.standard_normal((2000, 64))
            both.append(moments(torch.from_numpy(np.maximum(factors + noise, 0))))
        sides = {"real": both[0], "fake": both[1]}
        whole = frechet_distance(**sides)
        spectrum = _gaussians.common_spectrum(**sides)
        as_gaussian = _gaussians.first_order_bias(**sides, spectrum=spectrum)
        left.append([whole, whole - as_gaussian, whole - bias(**sides)])
    whole, gaussian, measured = np.mean(left, 0)
    assert measured < 0.1 * whole < 0.18 * whole < gaussian


def test_the_second_order_term_by_hand():
    # Four points at the corners (+-a, +-b), as many on both sides: C is diagonal with a^2 4/3 and
    # b^2 4/3, T the identity, s = C, h = x. E h_i^2 h_j^2 = x_i^2 x_j^2 for all four points alike:
    # (a^4 - C_aa^2) / (2 C_aa) + (b^4 - C_bb^2) / (2 C_bb) + 2 a^2 b^2 / (C_aa + C_bb).
    a, b = 1.0, 2.0
    points = moments(torch.tensor([[a, b], [a, -b], [-a, b], [-a, -b]], dtype=torch.float64))
    x, y = 4 / 3 * a**2, 4 / 3 * b**2
    wanted = (a**4 - x**2) / (2 * x) + (b**4 - y**2) / (2 * y) + 2 * a**2 * b**2 / (x + y)
    assert _gaussians.response(real=points, fake=points).pairs == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_error_of_equal_classes_is_over_new_images_of_these_classes(shift):
    # Ten groups far apart, 50 images of each: without the labels the error is twice too large.
    rng, metric = Rng(0), FrechetDistance()
    centres, labels = 3 * Rng(9).normal(10, 8), torch.arange(10).repeat(50)
    reference = metric.reference(ImageSet(centres[labels] + rng.normal(500, 8)))
    values, errors, blind = [], [], []
    for _ in range(100):
        features = centres[labels] + rng.normal(500, 8) + shift
        for given, kept in ((labels, errors), (None, blind)):
            fakes = ImageSet(features, labels=given)
            found = metric.values(real=reference, fake=fakes, rng=Rng(1))["fd"]
            kept.append(found.standard_error)
        values.append(found.value)
    spread = np.std(values, ddof=1)
    assert 0.8 < np.mean(errors) / spread < 1.35
    assert np.mean(blind) / spread > 1.6
