"""The kernel distance: fixed values, closed form, subsets, and its standard error."""

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics import _two_samples
from coequal.metrics.kid import KernelDistance
from coequal.rng import Rng

TWO = KernelDistance(subsets=2)


def kid(real: np.ndarray, fake: np.ndarray, metric: KernelDistance = TWO):
    reference = metric.reference(ImageSet(torch.from_numpy(real)))
    return metric.values(real=reference, fake=ImageSet(torch.from_numpy(fake)), rng=Rng(0))


def plain(real: np.ndarray, fake: np.ndarray) -> float:
    """The U-statistic as it is written down."""
    d, m, n = real.shape[1], len(real), len(fake)

    def kernel(x, y):
        return (x.astype(float) @ y.T.astype(float) / d + 1) ** 3

    k_r, k_f = kernel(real, real), kernel(fake, fake)
    within = (k_r.sum() - k_r.trace()) / m / (m - 1) + (k_f.sum() - k_f.trace()) / n / (n - 1)
    return within - 2 * kernel(real, fake).mean()


def closed_form(mu: np.ndarray) -> float:
    """MMD^2 of N(0, I) and N(mu, I).

    For independent x ~ N(a, I), y ~ N(b, I): E xy = ab, E (xy)^2 = d + |a|^2 + |b|^2 + (ab)^2,
    E (xy)^3 = (ab)^3 + 3 ab |b|^2 + 3 ab (d + |a|^2 + 2).
    """

    def expected(a, b):
        d, ab = len(a), a @ b
        second = d + a @ a + b @ b + ab**2
        third = ab**3 + 3 * ab * (b @ b) + 3 * ab * (d + a @ a + 2)
        return third / d**3 + 3 * second / d**2 + 3 * ab / d + 1

    zero = np.zeros_like(mu)
    return expected(zero, zero) + expected(mu, mu) - 2 * expected(zero, mu)


# MEASURED in metrics.md, section C: fake = standard normal (seed 1) x scale + shift, real seed 0.
@pytest.mark.parametrize(
    ("scale", "shift", "expected"),
    [(1, 0, 0.00059394), (1, 0.3, 0.27764833), (0.5, 0, 0.02686927), (1.5, 0, 0.07151395)],
)
def test_fixed_values(scale, shift, expected):
    real = np.random.default_rng(0).standard_normal((1000, 64))
    fake = np.random.default_rng(1).standard_normal((1000, 64)) * scale + shift
    assert kid(real, fake)["kid"].value == pytest.approx(expected, abs=5e-9)
    assert kid(fake, real)["kid"].value == pytest.approx(expected, abs=5e-9)


def test_shifted_gaussians():
    assert closed_form(np.full(64, 0.3)) == pytest.approx(0.30013896, abs=5e-9)
    rng = np.random.default_rng(3)
    mu = np.array([0.5, -0.3, 0.0, 0.2])
    found = [
        kid(rng.normal(size=(150, 4)), rng.normal(size=(150, 4)) + mu)["kid"].value
        for _ in range(100)
    ]
    three_errors = 3 * np.std(found, ddof=1) / 10
    assert np.mean(found) == pytest.approx(closed_form(mu), abs=three_errors)


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_the_standard_error_is_the_spread_over_new_fakes(shift):
    # Without a shift the first term of the variance is nearly 0, and the second one counts.
    rng = np.random.default_rng(5)
    real = rng.normal(size=(500, 4))
    found, errors = [], []
    for _ in range(300):
        value = kid(real, rng.normal(size=(200, 4)) + shift)["kid"]
        found.append(value.value)
        errors.append(value.standard_error)
    # The sd of 300 values is itself uncertain by some 5 %.
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(found, ddof=1), rel=0.15)


def test_float32_products_have_digits_to_spare():
    # More features than `EXACT`, positive as behind a ReLU; error against float64 throughout.
    rng = np.random.default_rng(0)
    real, fake = (
        np.maximum(rng.normal(size=(700, 400)) + shift, 0).astype(np.float32)
        for shift in (0.2, 0.21)
    )
    found = kid(real, fake)["kid"]
    assert abs(found.value - plain(real, fake)) < 1e-3 * found.standard_error


def test_subsets_are_those_of_the_stream(monkeypatch):
    monkeypatch.setattr(_two_samples, "TILE", 32)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(90, 5)), rng.normal(size=(70, 5)) + 0.5
    metric = KernelDistance(subsets=3, subset_size=20)
    draws = Rng(0)
    orders = [sorted(range(len(x)), key=lambda i, x=x: x[i].tobytes()) for x in (real, fake)]
    of_real = [np.array(orders[0])[draws.permutation(90)[:20]] for _ in range(3)]
    of_fake = [np.array(orders[1])[draws.permutation(70)[:20]] for _ in range(3)]
    each = [plain(real[r], fake[f]) for r, f in zip(of_real, of_fake, strict=True)]
    found = kid(real, fake, metric)
    for other in (kid(real[::-1].copy(), fake, metric), kid(real, fake[::-1].copy(), metric)):
        assert other["kid_subsets"].value == pytest.approx(found["kid_subsets"].value, rel=1e-12)
    assert found["kid"].value == pytest.approx(plain(real, fake), rel=1e-12)
    assert found["kid_subsets"].value == pytest.approx(np.mean(each), rel=1e-12)
    # Independent draws from given images: their variance comes on top.
    variance = found["kid"].standard_error ** 2 + np.var(each, ddof=1) / 3
    assert found["kid_subsets"].standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_subsets_of_everything_are_everything():
    rng = np.random.default_rng(0)
    found = kid(rng.normal(size=(50, 3)), rng.normal(size=(50, 3)))
    assert found["kid_subsets"].value == pytest.approx(found["kid"].value, rel=1e-12)


def test_rotation_and_order_change_nothing():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(600, 6)), rng.normal(size=(550, 6)) + 0.3
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    value = kid(real, fake)["kid"].value
    assert kid(real @ turn, fake @ turn)["kid"].value == pytest.approx(value, rel=1e-10)
    assert kid(real[::-1].copy(), fake)["kid"].value == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_very_few_images_have_a_number_and_no_error(count):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(9, 3)), rng.normal(size=(count, 3))
    found = kid(real, fake)["kid"]
    assert found.value == pytest.approx(plain(real, fake))
    assert found.standard_error is None


def test_a_single_subset_has_no_error():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    found = kid(real, fake, KernelDistance(subsets=1, subset_size=20))
    assert found["kid_subsets"].standard_error is None
    assert found["kid"].standard_error is not None
