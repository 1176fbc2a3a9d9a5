"""Rényi kernel entropy: by hand, against the eigenvalues, and the width of its kernel."""

import math

import pytest
import torch

from coequal.contract import ImageSet, MetricValue
from coequal.metrics import _kernels
from coequal.metrics.rke import RenyiKernelEntropy
from coequal.metrics.vendi import hill_number
from coequal.rng import Rng


def scores(real: torch.Tensor, fake: torch.Tensor, sigma=None) -> dict[str, MetricValue]:
    metric = RenyiKernelEntropy(sigma)
    return dict(
        metric.values(real=metric.reference(ImageSet(real)), fake=ImageSet(fake), rng=Rng(0))
    )


def groups(seed: int, count: int, kept: int) -> torch.Tensor:
    """Equal groups around points 30 apart, in turn."""
    centres = 30 * torch.eye(8)
    return centres[torch.arange(count) % kept] + 0.01 * Rng(seed).normal(count, 8)


def test_by_hand():
    # Two images sqrt(2 ln 2) apart, sigma 1: k = exp(-ln 2) = 1/2, k^2 = 1/4. The mean over all
    # four pairs is (1 + 1 + 1/4 + 1/4) / 4 = 5/8.
    fake = torch.tensor([[0.0], [math.sqrt(2 * math.log(2))]], dtype=torch.float64)
    assert scores(fake, fake, 1.0)["rke"].value == pytest.approx(8 / 5, abs=1e-12)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_it_is_the_hill_number_of_order_two_of_the_kernels_eigenvalues(sigma):
    # The authors' compute_rke_mc_frobenius_norm gives the mean of k^2, of which this is the
    # inverse; and sum l^2 = |K/n|^2 for the eigenvalues l of K/n.
    fake = Rng(0).normal(80, 5)
    distances = (fake.double()[:, None] - fake.double()).square().sum(2)
    kernel = (-distances / (2 * sigma**2)).exp()
    found = scores(fake, fake, sigma)["rke"].value
    assert found == pytest.approx(1 / float(kernel.square().mean()), rel=1e-12)
    eigenvalues = torch.linalg.eigvalsh(kernel / 80).clamp(min=0)
    assert found == pytest.approx(hill_number(eigenvalues, 2.0), rel=1e-12)


def test_groups_are_counted_and_dropped_ones_are_seen():
    real = groups(0, 400, 8)
    found = scores(real, groups(1, 400, 3))
    # Groups whose centres are 42 apart, at a width that is far below that and far above 0.01.
    assert found["rke"].value == pytest.approx(3, rel=1e-3)
    assert found["rke_ratio"].value == pytest.approx(3 / 8, rel=1e-3)


def test_the_width_is_the_smallest_with_little_variance_and_bias():
    real = Rng(3).normal(300, 4) * torch.tensor([1.0, 1.0, 1.0, 5.0])
    sigma = _kernels.bandwidth(real)

    def entropy_known(sigma: float) -> bool:
        """By brute force: bias 1/n of the mean and variance of U-statistic by the jackknife."""
        squares = (real.double()[:, None] - real.double()).square().sum(2)
        kernel = (-squares / sigma**2).exp().fill_diagonal_(0)
        pairs = kernel.sum() / 2
        mean = float(pairs / (300 * 299 / 2))
        without = (pairs - kernel.sum(1)) / (299 * 298 / 2)
        variance = float(without.var(correction=0)) * 299
        return variance <= (0.1 * mean) ** 2 and 0.02 * (mean * 299 / 300 + 1 / 300) >= 1 / 300

    assert entropy_known(sigma)
    assert not entropy_known(sigma / _kernels.STEP)


def test_without_width_there_is_no_number():
    same = torch.ones(20, 3)
    found = scores(same, Rng(0).normal(20, 3))["rke"]
    assert "the kernel has no width" in (found.details or {})["undefined"]
    assert scores(same, Rng(0).normal(20, 3), 1.0)["rke"].value > 1
