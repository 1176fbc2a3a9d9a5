"""The sliced Wasserstein-2 distance of features."""

from typing import Literal

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics._transport import influences
from coequal.metrics.swd import SlicedWasserstein, sliced_wasserstein
from coequal.rng import Rng


def swd(real: torch.Tensor, fake: torch.Tensor, directions: int = 512, seed: int = 0) -> float:
    metric = SlicedWasserstein(directions)
    reference = metric.reference(ImageSet(real))
    return metric.values(real=reference, fake=ImageSet(fake), rng=Rng(seed))["swd"].value


def test_one_line_by_hand():
    # Sorted along the axis: 0, 1, 5 and 2, 2, 6: (4 + 1 + 1) / 3.
    real, fake = np.array([[5.0, 9], [0, 9], [1, 9]]), np.array([[2.0, 3], [6, 3], [2, 3]])
    found = sliced_wasserstein(real=real, fake=fake, lines=np.array([[1.0, 0]]))
    assert found.value == pytest.approx(2, rel=1e-12)


def test_unequal_counts_by_hand():
    # 0, 6 against 0, 3, 6. Mass 1/3: 0 to 0. 1/6: 0 to 3. 1/6: 6 to 3. 1/3: 6 to 6. (9 + 9) / 6.
    real, fake = np.array([[0.0], [6]]), np.array([[0.0], [3], [6]])
    for x, y in ((real, fake), (fake, real)):
        found = sliced_wasserstein(real=x, fake=y, lines=np.ones((1, 1)))
        assert found.value == pytest.approx(3)


def test_unequal_counts_agree_with_copies():
    # Every image three or two times makes the counts equal and changes no law.
    rng = Rng(0)
    real, fake = rng.normal(20, 4), rng.normal(30, 4) * 2
    copies = swd(real.repeat(3, 1), fake.repeat(2, 1))
    assert swd(real, fake) == pytest.approx(copies, rel=1e-12)


def test_a_shift():
    # A shift mu moves each projection by u'mu, and the mean of (u'mu)^2 over u is |mu|^2 / d: here
    # 25 / 5. The mean of 20,000 squares, each with sd below 2 |mu|^2 / d, is within 0.1 of it.
    real = Rng(0).normal(40, 5)
    fake = real + torch.tensor([3.0, 4, 0, 0, 0])
    assert swd(real, fake, 20_000) == pytest.approx(5, abs=0.2)


def test_scaled_gaussians():
    # Projections of N(0, I) and N(0, 4 I) are N(0, 1) and N(0, 4): W2^2 = (1 - 2)^2.
    rng = Rng(3)
    assert swd(rng.normal(20_000, 3), 2 * rng.normal(20_000, 3), 16) == pytest.approx(1, rel=0.05)


def test_metamorphic_relations():
    rng = Rng(1)
    real, fake = rng.normal(100, 6).double(), rng.normal(100, 6).double() + 1
    value = swd(real, fake)
    assert swd(fake, real) == pytest.approx(value, rel=1e-12)
    assert swd(real.flip(0), fake) == pytest.approx(value, rel=1e-12)
    assert swd(3 * real + 1e3, 3 * fake + 1e3) == pytest.approx(9 * value, rel=1e-9)
    assert swd(real, real.flip(0)) == 0
    assert swd(real, fake, seed=1) != value
    assert swd(real, fake, 64) != value


def test_the_standard_error_by_hand():
    # One line, real 0, 4 and fake 1, 2. Between the fakes the mass goes to 2, the mean of both
    # reals: the second counts for (2 - 2)^2 - (1 - 2)^2 = -1 more than the first. The deviation of
    # 0 and -1 is sqrt(1/2), over sqrt(2) images 1/2.
    real, fake = np.array([[0.0], [4]]), np.array([[2.0], [1]])
    found = sliced_wasserstein(real=real, fake=fake, lines=np.ones((1, 1)))
    assert found.standard_error == pytest.approx(0.5, rel=1e-12)
    assert found.value == pytest.approx((1 + 4) / 2)
    one = sliced_wasserstein(real=real, fake=fake[:1], lines=np.ones((1, 1)))
    assert one.standard_error is None


def on_a_line(*, real: np.ndarray, fake: np.ndarray, power: Literal[1, 2]) -> np.ndarray:
    return influences(real=real[None], fake=fake[None], power=power)[0]


def test_influences_of_unequal_counts_by_hand():
    # Real 0, 6: the mass between fakes 0 and 3 lies at a third, in the first real value; that
    # between 3 and 6 at two thirds, in the second. 3^2 - 0 up, then 0 - 3^2 down. For the distance
    # itself 3 up and 3 down.
    real, fake = np.array([0.0, 6]), np.array([0.0, 3, 6])
    assert on_a_line(real=real, fake=fake, power=2) == pytest.approx([-3, 6, -3])
    assert on_a_line(real=real, fake=fake, power=1) == pytest.approx([-1, 2, -1])
    # Against fakes 0, 6 the middle one of three is met by half of each: (6 - 3)^2 - (0 - 3)^2.
    assert on_a_line(real=fake, fake=real, power=2) == pytest.approx([0, 0])
    # Fakes 0, 1, 2, 5: a quarter lies in the first, three quarters in the second, and a half
    # between both, at 3. Steps (1 - 0)^2 - 0, (2 - 3)^2 - (1 - 3)^2, (5 - 6)^2 - (2 - 6)^2.
    four = on_a_line(real=real, fake=np.array([0.0, 1, 2, 5]), power=2)
    assert np.diff(four) == pytest.approx([1, 1 - 4, 1 - 16])
