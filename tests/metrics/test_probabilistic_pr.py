"""P-precision and P-recall: by hand, as the authors' program, and their errors."""

import math

import pytest
import torch

from coequal.contract import ImageSet, Metric, MetricValue
from coequal.metrics import probabilistic_pr
from coequal.metrics.neighbours import Neighbours
from coequal.metrics.probabilistic_pr import ProbabilisticPrecisionRecall
from coequal.rng import Rng


def scores(real: torch.Tensor, fake: torch.Tensor, **settings: float) -> dict[str, MetricValue]:
    metric = ProbabilisticPrecisionRecall(**settings)
    reference = metric.reference(ImageSet(real))
    return dict(metric.values(real=reference, fake=ImageSet(fake), rng=Rng(0)))


def by_the_program(real: torch.Tensor, fake: torch.Tensor, k=4, scale=1.2) -> tuple[float, float]:
    """As kdst-team/Probablistic_precision_recall computes it: all pairs at once."""

    def supported(radius: torch.Tensor, distances: torch.Tensor) -> float:
        rule = (1 - distances / (scale * radius)).clamp(min=0)
        return float((1 - (1 - rule).prod(0)).mean())

    real, fake = real.double(), fake.double()
    radii = [(one[:, None] - one).norm(dim=2).sort(1).values[:, k].mean() for one in (real, fake)]
    cross = (real[:, None] - fake).norm(dim=2)
    return supported(radii[0], cross), supported(radii[1], cross.T)


def test_by_hand():
    # k = 1, scale 1. Nearest others of the real 0, 2, 10: at 2, 2, 8; mean radius 4.
    # Fake 1: outside of the real ones with 1/4, 1/4, 1: inside with 1 - 1/16 = 15/16.
    # Fake 6: distances 6, 4, 4, nothing nearer than 4: 0. So p_precision is 15/32, and its error
    # the deviation of (15/16, 0), which is 15/16 / sqrt(2), over sqrt(2): 15/32.
    # The fake ones are 5 apart: radius 5. Real 0: 1 - 1/5 = 0.8. Real 2: 1 - 1/5 * 4/5 = 0.84.
    # Real 10: 1 - 4/5 = 0.2. So p_recall is 1.84 / 3.
    real, fake = torch.tensor([[0.0], [2.0], [10.0]]), torch.tensor([[1.0], [6.0]])
    found = scores(real, fake, k=1, scale=1.0)
    assert found["p_precision"].value == pytest.approx(15 / 32, abs=1e-15)
    assert found["p_precision"].standard_error == pytest.approx(15 / 32, abs=1e-15)
    assert found["p_recall"].value == pytest.approx(1.84 / 3, abs=1e-15)
    assert found["p_recall"].standard_error is None  # without one image there is no radius


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("settings", [{}, {"k": 2, "scale": 2.0}])
def test_as_the_authors_compute_it(dtype, settings, monkeypatch):
    monkeypatch.setattr(probabilistic_pr, "TILE", 50)
    rng = Rng(0)
    real, fake = rng.normal(130, 10).to(dtype) + 5, rng.normal(90, 10).to(dtype) * 0.9 + 5
    fake[3] = real[7]  # a copy
    found = scores(real, fake, **settings)
    values = [found[name].value for name in ("p_precision", "p_recall")]
    assert values == pytest.approx(by_the_program(real, fake, **settings), rel=1e-12)


def test_the_error_of_recall_is_what_leaving_images_out_gives():
    # The jackknife with the radius and all products computed anew 40 times, against one pass with
    # its first order: the spread of the first is known no better than the second order, 1/40.
    rng = Rng(1)
    real, fake = rng.normal(60, 3), rng.normal(40, 3) * 1.2
    fake[:12] = real[:12]  # without one of them a real image has no copy
    rest = [torch.cat([fake[:row], fake[row + 1 :]]) for row in range(40)]
    left = torch.tensor([scores(real, one)["p_recall"].value for one in rest])
    expected = float((left.double().var(correction=0) * 39).sqrt())
    assert scores(real, fake)["p_recall"].standard_error == pytest.approx(expected, rel=0.03)


def test_one_outlier_among_the_real_images_counts_for_little():
    # What it is for: generated images that are all wrong, and one real image among them, in whose
    # large ball many lie.
    rng = Rng(2)
    real, wrong = rng.normal(1000, 64), rng.normal(1000, 64) + 1
    with_outlier = real.clone()
    with_outlier[0] += 1

    def rise(metric: Metric, name: str) -> float:
        before, after = (
            metric.values(real=metric.reference(ImageSet(one)), fake=ImageSet(wrong), rng=Rng(0))
            for one in (real, with_outlier)
        )
        return after[name].value - before[name].value

    assert rise(Neighbours(), "precision") > 0.15
    assert 0 < rise(ProbabilisticPrecisionRecall(), "p_precision") < 0.03


def test_undefined_without_neighbours_or_extent():
    rng = Rng(0)
    few = scores(rng.normal(4, 2), rng.normal(20, 2))
    assert few["p_precision"].details == {"undefined": "needs at least 5 real images, got 4"}
    assert math.isfinite(few["p_recall"].value)
    alike = scores(rng.normal(20, 2), torch.ones(20, 2))
    assert "its ball has no extent" in (alike["p_recall"].details or {})["undefined"]
    assert math.isfinite(alike["p_precision"].value)
