"""Kernel-based entropic novelty: by hand, as the authors' program, and its error."""

import math

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet, MetricValue
from coequal.metrics.ken import KernelEntropicNovelty
from coequal.rng import Rng


def ken(real: torch.Tensor, fake: torch.Tensor, novelty: float, sigma=None) -> MetricValue:
    metric = KernelEntropicNovelty(novelty, sigma=sigma)
    reference = metric.reference(ImageSet(real))
    return metric.values(real=reference, fake=ImageSet(fake), rng=Rng(0))["ken"]


def by_the_program(real: torch.Tensor, fake: torch.Tensor, eta: float, sigma: float) -> float:
    """As KEN_by_eigendecomposition of buyeah1109/KEN: eigenvalues of a matrix without symmetry."""

    def kernel(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        squares = (first.double()[:, None] - second.double()).square().sum(2)
        return (-squares / (2 * sigma**2)).exp() / math.sqrt(len(first) * len(second))

    across = kernel(fake, real) * math.sqrt(eta)
    upper = torch.hstack([kernel(fake, fake), across])
    lower = torch.hstack([-across.T, -eta * kernel(real, real)])
    values = np.linalg.eigvals(torch.vstack([upper, lower]).numpy()).real
    positive = values[values > 1e-13]
    shares = positive / positive.sum()
    return float(-(shares * np.log(shares)).sum() * positive.sum())


def points(*places: float) -> torch.Tensor:
    return torch.tensor(places, dtype=torch.float64)[:, None]


def test_by_hand():
    # Points so far apart that different ones have a kernel of 0: modes. Generated: 1/2 at 0, 1/4 at
    # 100, 1/4 at 200; real: 3/4 at 0, 1/4 at 300. With novelty 1 the surplus is below 0 at 0 and
    # 1/4 at 100 and 200: the sum 1/2 times the entropy ln 2 of two equal ones.
    real, fake = points(0, 0, 0, 300), points(0, 0, 100, 200)
    assert ken(real, fake, 1.0, 1.0).value == pytest.approx(math.log(2) / 2, abs=1e-12)
    # Influences log(S / l) <u, x>^2 are ln 2 for the images at 100 and 200 and 0 for those at 0:
    # their deviation is ln 2 / sqrt(3), and the error half of it, for four images. (Exact repeats
    # would have no error: the second image is beside the first one.)
    expected = math.log(2) / math.sqrt(3) / 2
    apart = ken(real, points(0, 1e-5, 100, 200), 1.0, 1.0)
    assert apart.standard_error == pytest.approx(expected, rel=1e-3)
    # A single new mode has no entropy.
    assert ken(real, points(0, 0, 100, 100), 1.0, 1.0).value == pytest.approx(0, abs=1e-12)
    # With novelty 5, generated 6/7 at 0, 1/7 at 100; real 1/6 at 0: 6/7 - 5/6 = 1/42 is left at 0.
    # l = (1/42, 6/42), S = 1/6: S H = 1/42 ln 7 + 6/42 ln (7/6).
    real, fake = points(0, 300, 400, 500, 600, 700), points(0, 0, 0, 0, 0, 0, 100)
    expected = math.log(7) / 42 + math.log(7 / 6) / 7
    assert ken(real, fake, 5.0, 1.0).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("novelty", [1.0, 5.0])
@pytest.mark.parametrize("sigma", [0.5, 2.0])
def test_as_the_authors_compute_it(novelty, sigma):
    real, fake = Rng(0).normal(60, 4), Rng(1).normal(70, 4) + 0.5
    fake[0] = real[0]  # a copy: the kernel matrix is singular
    found = ken(real, fake, novelty, sigma).value
    assert found == pytest.approx(by_the_program(real, fake, novelty, sigma), rel=1e-9)


def test_new_kinds_are_seen_and_dropped_ones_are_not():
    centres = 30 * torch.eye(8)
    real = centres[torch.arange(400) % 4] + Rng(0).normal(400, 8)
    new = centres[torch.arange(400) % 8] + Rng(1).normal(400, 8)
    fewer = centres[torch.arange(400) % 2] + Rng(2).normal(400, 8)
    # Half of the generated images are of four new kinds: S H is about 1/2 ln 4 = 0.69, and kinds
    # have an inner spread.
    assert ken(real, new, 5.0, 5.0).value > 0.69
    assert ken(real, fewer, 5.0, 5.0).value < 0.1


def test_images_bound_the_work_and_are_drawn():
    real, fake = Rng(0).normal(50, 3), Rng(1).normal(80, 3)
    metric = KernelEntropicNovelty(images=20)
    reference = metric.reference(ImageSet(real))
    values = {
        metric.values(real=reference, fake=ImageSet(fake), rng=Rng(seed))["ken"].value
        for seed in range(3)
    }
    assert len(values) == 3
