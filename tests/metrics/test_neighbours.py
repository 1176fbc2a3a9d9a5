"""Precision, recall, density, coverage, 1-NN: fixed values, expectations, relations."""

import math

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet, MetricValue
from coequal.metrics.neighbours import Neighbours
from coequal.rng import Rng


def scores(real: torch.Tensor, fake: torch.Tensor, *k: int) -> dict[str, MetricValue]:
    metric = Neighbours(*k)
    reference = metric.reference(ImageSet(real))
    return dict(metric.values(real=reference, fake=ImageSet(fake), rng=Rng(0)))


def values(real: torch.Tensor, fake: torch.Tensor, *k: int) -> dict[str, float]:
    return {name: found.value for name, found in scores(real, fake, *k).items()}


def normal(seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((1000, 64)))


# Computed once with numpy in float64, all pairs at a time (shared/reference/metrics.md, section C).
KNOWN = {
    (1.0, 0.0): (
        (0.665, 0.632, 1.058667, 0.888),
        (0.775, 0.732, 1.062, 0.978),
        (0.501, 0.482, 0.520),
    ),
    (1.0, 0.3): (
        (0.502, 0.477, 0.619, 0.685),
        (0.624, 0.592, 0.6172, 0.827),
        (0.6745, 0.650, 0.699),
    ),
    (0.5, 0.0): ((1, 0, 167.061, 1), (1, 0, 124.589, 1), (0.5035, 0.007, 1)),
    (1.5, 0.0): ((0.001, 1, 0.000333, 0.001), (0.001, 1, 0.0002, 0.001), (0.5045, 0.999, 0.010)),
}


@pytest.mark.parametrize(("scale", "shift"), KNOWN)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_known_values(scale, shift, dtype):
    real, fake = normal(0).to(dtype), (normal(1) * scale + shift).to(dtype)
    known = KNOWN[scale, shift]
    for k, wanted in zip((3, 5), known[:2], strict=True):
        found = values(real, fake, k, k)
        names = ("precision", "recall", "density", "coverage")
        assert [found[name] for name in names] == pytest.approx(wanted, abs=6e-7)
    found = values(real, fake)
    one_nn = [found[name] for name in ("one_nn", "one_nn_real", "one_nn_fake")]
    assert one_nn == pytest.approx(known[2], abs=1e-9)
    # k = 3 for precision and recall, 5 for density and coverage.
    assert found["precision"] == pytest.approx(known[0][0])
    assert found["coverage"] == pytest.approx(known[1][3])


def test_six_points_by_hand():
    # On a line, real 0, 1, 3 and fake 0.5, 2.5, 30, with k = 1.
    # Radii: real 1, 1, 2; fake 2, 2, 27.5.
    # Fake 0.5 is in the balls of 0 and 1, 2.5 in that of 3, 30 in none: precision 2/3, density 3/3.
    # Reals 0, 1 are in the ball of 0.5, 3 in that of 2.5: recall 1, f1 = 2 (2/3) / (5/3) = 0.8.
    # The nearest fakes of the reals are at 0.5: coverage 1, and no real one is told apart. All the
    # fakes are nearer to a real one, too: 0.5 (at 0.5, not 2), 2.5 (0.5, 2), 30 (27, 27.5).
    # Targets are (3 - 1) / (3 + 3 - 1) = 0.4 for both halves, which are 0: 0.4 off.
    # A fourth fake at 31 makes two of four right: halves 0 and 1/2, targets 2/6 and 3/6, so that
    # the first is off by 1/3 and the second by 0.
    real, fake = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.5], [2.5], [30.0]])
    found = values(real, fake, 1, 1)
    assert found == pytest.approx(
        {
            "precision": 2 / 3,
            "recall": 1,
            "f1": 0.8,
            "density": 1,
            "coverage": 1,
            "one_nn": 0,
            "one_nn_real": 0,
            "one_nn_fake": 0,
            "one_nn_worst": 0.4,
        }
    )
    found = values(real, torch.cat([fake, torch.tensor([[31.0]])]), 1, 1)
    assert found["one_nn_fake"] == 1 / 2
    assert found["one_nn"] == pytest.approx(1 / 4)
    assert found["one_nn_worst"] == pytest.approx(1 / 3)


def many(count: int, repeats: int, scale: float = 1.0) -> list[dict[str, float]]:
    """Scores of new real and fake images each time."""
    rng = Rng(3)
    return [
        values(rng.normal(count, 4), scale * rng.normal(count, 4), 3, 3) for _ in range(repeats)
    ]


def test_expectations_for_a_perfect_generator():
    # All 2n images are exchangeable. So a fake one is in the ball of a real one, whose edge is the
    # k-th of n - 1 others, with chance k / n: density n (k / n) / k = 1. A real image is uncovered
    # if the k nearest of the other 2n - 1 are real: coverage 1 - prod_i (n - i) / (2n - i).
    # And the nearest is of the own kind with chance (n - 1) / (2n - 1).
    n, k, repeats = 40, 3, 200
    covered = 1 - math.prod((n - i) / (2 * n - i) for i in range(1, k + 1))
    wanted = {"density": 1.0, "coverage": covered, "one_nn": (n - 1) / (2 * n - 1)}
    found = many(n, repeats)
    for name, value in wanted.items():
        drawn = [scores_[name] for scores_ in found]
        error = np.std(drawn) / repeats**0.5
        assert np.mean(drawn) == pytest.approx(value, abs=3.5 * error), name
        assert error < 0.02


def test_standard_errors_are_those_of_new_generated_images():
    rng = Rng(4)
    real = rng.normal(100, 4)
    found = [scores(real, rng.normal(100, 4) + 0.3) for _ in range(150)]
    for name, (low, high) in {
        "precision": (0.85, 1.15),
        "density": (0.85, 1.15),
        "coverage": (0.9, 2.0),  # the jackknife: not too small
        "one_nn": (0.9, 1.6),
        "one_nn_real": (0.9, 1.6),
        "one_nn_fake": (0.9, 1.6),
    }.items():
        spread = np.std([score[name].value for score in found], ddof=1)
        claimed = np.mean([score[name].standard_error for score in found])
        assert low < claimed / spread < high, (name, claimed / spread)
    assert found[0]["recall"].standard_error is None
    assert found[0]["f1"].standard_error is None


def test_the_jackknife_leaves_out_one_image_at_a_time():
    real, fake = Rng(0).normal(30, 3), Rng(1).normal(25, 3)
    found = scores(real, fake)
    without = [values(real, torch.cat([fake[:i], fake[i + 1 :]])) for i in range(len(fake))]
    for name in ("coverage", "one_nn", "one_nn_real", "one_nn_fake"):
        left = np.array([scores_[name] for scores_ in without])
        wanted = np.sqrt((len(fake) - 1) / len(fake) * np.sum((left - left.mean()) ** 2))
        assert found[name].standard_error == pytest.approx(wanted, rel=1e-9), name


def test_order_rotation_and_shift_change_nothing():
    real, fake = Rng(0).normal(200, 10).double(), 0.8 * Rng(1).normal(200, 10).double()
    turn = torch.linalg.qr(Rng(2).normal(10, 10).double()).Q
    found = values(real, fake)
    assert values(real.flip(0), fake[Rng(3).permutation(200)]) == pytest.approx(found, rel=1e-12)
    assert values(real @ turn + 7, fake @ turn + 7) == pytest.approx(found, rel=1e-12)


def test_swapping_real_and_fake_swaps_precision_and_recall():
    real, fake = Rng(0).normal(200, 10), 0.8 * Rng(1).normal(200, 10)
    one, other = values(real, fake), values(fake, real)
    assert one["precision"] == other["recall"] > one["recall"] == other["precision"]
    assert one["one_nn_real"] == other["one_nn_fake"] != one["one_nn_fake"]
    assert one["one_nn"] == pytest.approx(other["one_nn"])
    assert one["f1"] == pytest.approx(other["f1"])


def test_a_collapse_has_precision_and_no_recall():
    real = Rng(0).normal(300, 10)
    found = values(real, real[:1] + 0.01 + 0.001 * Rng(1).normal(300, 10))
    assert found["precision"] == 1
    assert found["recall"] == 0
    assert found["coverage"] < 0.1
    assert found["one_nn_fake"] == 1


def test_copies_of_the_real_images():
    # Each image has its copy at distance 0: nearer than any other, so 1-NN is 0. All balls hold
    # their own k neighbours' copies, one on the edge, and the centre's: density (k + 1) / k.
    real = Rng(0).normal(150, 600)
    found = values(real, real.clone(), 4, 4)
    assert {found[name] for name in ("precision", "recall", "f1", "coverage")} == {1}
    assert found["density"] == 5 / 4
    assert {found[name] for name in ("one_nn", "one_nn_real", "one_nn_fake")} == {0}


def test_equal_images_lie_on_the_edge_of_balls_of_radius_zero():
    same = torch.full((20, 5), 0.3)
    found = values(same, same.clone())
    assert {found[name] for name in ("precision", "recall", "coverage")} == {1}
    assert found["density"] == 4  # 20 balls over k = 5
    assert {found[name] for name in ("one_nn", "one_nn_real", "one_nn_fake")} == {0.5}  # all ties
    apart = values(same, same + 1)
    assert {apart[name] for name in ("precision", "recall", "f1", "density", "coverage")} == {0}
    assert apart["one_nn"] == 1


@pytest.mark.parametrize(("k", "changed"), [((2, 5), "precision"), ((3, 4), "density")])
def test_k_matters(k, changed):
    real, fake = Rng(0).normal(200, 10), Rng(1).normal(200, 10)
    assert values(real, fake, *k)[changed] != values(real, fake)[changed]


MANY = "needs at least {} {} images, got {}"
FEW = {  # real and generated images, k = 3 and 5: what there is none of, and why
    (4, 4): dict.fromkeys(["density", "coverage"], MANY.format(6, "real", 4)),
    (9, 3): dict.fromkeys(["recall", "f1"], MANY.format(4, "generated", 3)),
    (5, 2): {
        **dict.fromkeys(["density", "coverage"], MANY.format(6, "real", 5)),
        **dict.fromkeys(["recall", "f1"], MANY.format(4, "generated", 2)),
    },
    (9, 1): {
        **dict.fromkeys(["recall", "f1"], MANY.format(4, "generated", 1)),
        **dict.fromkeys(["one_nn", "one_nn_fake", "one_nn_worst"], MANY.format(2, "generated", 1)),
    },
}


@pytest.mark.parametrize("counts", FEW)
def test_numbers_that_need_more_images_say_so_and_leave_the_others_alone(counts):
    found = scores(Rng(0).normal(counts[0], 4), Rng(1).normal(counts[1], 4))
    assert len(found) == 9
    for name, value in found.items():
        if name in FEW[counts]:
            assert math.isnan(value.value)
            assert value.details == {"undefined": FEW[counts][name]}
        else:
            assert math.isfinite(value.value)


def test_settings_are_checked():
    with pytest.raises(ValueError, match="density_k must be a whole number of at least 1, got 0"):
        Neighbours(density_k=0)


@pytest.mark.parametrize(("reals", "fakes"), [(100, 500), (500, 100), (200, 200)])
def test_equal_laws_are_at_the_targets_whatever_the_counts(reals, fakes):
    # Of the other m + n - 1 images, m - 1 are of a real image's kind, and all are exchangeable.
    rng, repeats = Rng(5), 60
    found = [scores(rng.normal(reals, 8), rng.normal(fakes, 8)) for _ in range(repeats)]
    whole = reals + fakes - 1
    targets = {
        "density": (1.0, None),
        "one_nn": ((whole - 1) / (2 * whole), None),
        "one_nn_real": ((reals - 1) / whole, (reals - 1) / whole),
        "one_nn_fake": ((fakes - 1) / whole, (fakes - 1) / whole),
    }
    for name, (wanted, stated) in targets.items():
        drawn = [row[name].value for row in found]
        error = np.std(drawn) / repeats**0.5
        assert np.mean(drawn) == pytest.approx(wanted, abs=3.5 * error), name
        assert {row[name].target for row in found} == {stated}


FAR_APART = [  # real and generated images by mode; coverage, density, 1-NN real and fake
    # Worked out by hand for k = 5, C binomial coefficients, r real and f fake images in a mode:
    # a real one is uncovered if its 5 nearest of r - 1 + f others are real, C(r - 1, 5) of
    # C(r - 1 + f, 5); each fake in a mode with real ones lies in 5 balls on average; the nearest of
    # r - 1 + f others is real for (r - 1) of them.
    ([500], [500], 0.9692, 1.0, 0.4995, 0.4995),
    ([1000], [200], 0.5991, 1.0, 0.8332, 0.1660),
    ([100] * 10, [200] * 5 + [0] * 5, 0.4981, 1.0, 0.6656, 0.6656),
    ([200] * 5 + [0] * 5, [100] * 10, 0.8716, 0.5, 0.6656, 0.6656),
    ([100] * 10, [910] + [10] * 9, 0.4490, 1.0, 0.8272, 0.8272),
]


@pytest.mark.parametrize("case", FAR_APART, ids=lambda case: f"{len(case[0])} modes")
def test_modes_that_are_far_apart(case):
    by_mode, wanted = case[:2], case[2:]
    rng, names = Rng(8), ("coverage", "density", "one_nn_real", "one_nn_fake")
    drawn = []
    for _ in range(12):
        real, fake = (
            torch.cat([100.0 * mode + rng.normal(count, 4) for mode, count in enumerate(counts)])
            for counts in by_mode
        )
        found = values(real, fake)
        drawn.append([found[name] for name in names])
    errors = np.std(drawn, axis=0, ddof=1) / 12**0.5
    for mean, error, value in zip(np.mean(drawn, axis=0), errors, wanted, strict=True):
        assert mean == pytest.approx(value, abs=4 * error + 5e-5)
