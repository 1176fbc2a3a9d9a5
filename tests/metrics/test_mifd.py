"""The memorisation-informed distance: by hand, beside torchmetrics, its error."""

import math

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics.fd import FrechetDistance
from coequal.metrics.mifd import MemorisationInformedFrechetDistance, cosine_distances
from coequal.rng import Rng

import peers


def measured(real, train, fake, **settings):  # type: ignore[no-untyped-def]
    metric = MemorisationInformedFrechetDistance(**settings)
    sets = [ImageSet(torch.as_tensor(np.asarray(x))) for x in (real, train, fake)]
    return metric.values(real=metric.reference(*sets[:2]), fake=sets[2], rng=Rng(0))["mifd"]


def test_cosine_distances_by_hand():
    # (3, 4) and (1, 0): cosine 3/5. (-1, 0): the same line as (1, 0). (0, 7) and (3, 4): 4/5.
    images = torch.tensor([[3.0, 4.0], [-1.0, 0.0], [0.0, 7.0]])
    train = torch.tensor([[1.0, 0.0], [3e5, 4e5]])
    found = cosine_distances(images, train)
    assert found.tolist() == pytest.approx([0, 0, 0.2], abs=1e-7)
    assert cosine_distances(images[:1], train[:1]).tolist() == pytest.approx([0.4], rel=1e-6)
    rows = Rng(0).normal(50, 30)
    assert torch.equal(cosine_distances(rows, rows), torch.zeros(50).double())


@pytest.mark.parametrize(
    ("threshold", "expected"), [(0.1, 0.65408723023856), (0.5, 2.5138391196199663)]
)
def test_it_is_torchmetrics_over_generated_images(threshold, expected):
    # `_mifid_compute` of torchmetrics 1.9.0 on these features as float64 with the generated ones
    # first, so that it averages over them as in the paper (2026-11-30). Their mean distance is
    # 0.2602: from 0.1 on the penalty is 1.
    real, fake = peers.features()
    found = measured(real, real, fake, threshold=threshold)
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert found.details["cosine_distance"] == pytest.approx(0.26019454671284775, rel=1e-6)


def test_copies_are_punished_without_bound_and_near_copies_by_the_distance():
    rng = np.random.default_rng(0)
    real, train, fake = (np.abs(rng.normal(size=(200, 30))) for _ in range(3))
    plain = measured(real, train, fake)
    assert plain.details["cosine_distance"] > 0.1
    assert plain.details["held_out_cosine_distance"] > 0.1
    assert plain.warnings == ()
    copies = measured(real, train, train)
    assert copies.value > 1e12
    near = measured(real, train, train + 0.02 * np.abs(rng.normal(size=train.shape)))
    assert 0 < near.details["cosine_distance"] < 0.01
    assert near.value > 50 * plain.value


def test_a_threshold_that_real_images_pass_is_told():
    rng = np.random.default_rng(0)
    real, train, fake = (rng.normal(size=(300, 3)) for _ in range(3))
    found = measured(real, train, fake)
    assert found.details["cosine_distance"] < 0.1
    assert "held-out real images, too, are nearer to training images" in found.warnings[0]


def test_features_without_a_direction_have_no_number():
    some, none = np.random.default_rng(0).normal(size=(20, 3)), np.zeros((20, 3))
    for train, fake, side in ((none, some, "training"), (some, none, "generated")):
        found = measured(some, train, fake)
        assert f"20 {side} images are all 0" in found.details["undefined"]
    assert math.isfinite(measured(none, some, some).value)
    assert "held_out_cosine_distance" not in measured(none, some, some).details


@pytest.mark.parametrize(
    ("features", "copied", "threshold"), [(3, 0.0, 0.05), (12, 0.5, 0.2), (12, 0.0, 0.01)]
)
def test_the_standard_error_is_the_spread_over_new_fakes(features, copied, threshold):
    # Punished by chance (few features), punished for copies, and not punished.
    rng = np.random.default_rng(1)
    real, train = (np.abs(rng.normal(size=(400, features))) for _ in range(2))
    metric = MemorisationInformedFrechetDistance(threshold=threshold)
    reference = metric.reference(*(ImageSet(torch.from_numpy(x)) for x in (real, train)))
    found = []
    for _ in range(150):
        fake = np.abs(rng.normal(size=(200, features)) + 0.4)
        copies = rng.binomial(200, copied)  # each image is a copy or not
        fake[:copies] = train[rng.permutation(400)[:copies]]
        images = ImageSet(torch.from_numpy(fake))
        found.append(metric.values(real=reference, fake=images, rng=Rng(0))["mifd"])
    typical = np.sqrt(np.mean([one.standard_error**2 for one in found]))
    ratio = typical / np.std([one.value for one in found], ddof=1)
    assert 0.8 < ratio < 1.25, ratio
    punished = found[0].details["cosine_distance"] < threshold
    assert punished == (threshold > 0.01)


def test_there_is_no_error_beside_the_threshold_or_of_few_images():
    rng = np.random.default_rng(0)
    real, train, fake = (np.abs(rng.normal(size=(60, 8))) for _ in range(3))
    mean = measured(real, train, fake).details["cosine_distance"]
    for threshold in (mean * 1.001, mean * 0.999):
        assert measured(real, train, fake, threshold=threshold).standard_error is None
    far = measured(real, train, fake, threshold=1e-6)
    images = [ImageSet(torch.from_numpy(x)) for x in (real, fake)]
    plain = FrechetDistance()
    wanted = plain.values(real=plain.reference(images[0]), fake=images[1], rng=Rng(0))["fd"]
    assert far[:2] == pytest.approx(wanted[:2], rel=1e-12)
    assert measured(real, train, fake[:8]).standard_error is None
