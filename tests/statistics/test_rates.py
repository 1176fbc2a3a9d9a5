"""Intervals of rates: numbers of the reference, exact coverage, and what one run each gives."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coequal.statistics.rates import (
    Interval,
    Z,
    clustered_rate,
    mean_rate,
    newcombe,
    wilson,
)


@pytest.mark.parametrize(
    ("failures", "total", "low", "high"),
    [
        (0, 10, 0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (0, 50, 0, 0.0713),
        (5, 50, 0.0435, 0.2136),
        (10, 50, 0.1124, 0.3304),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_wilson_as_published(failures, total, low, high):
    assert wilson(failures, total) == pytest.approx((low, high), abs=5e-5)
    # Failing is the mirror image of not failing.
    other = wilson(total - failures, total)
    assert other == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_wilsons_end_without_failures_has_a_closed_form():
    # Both roots of (0 - t)^2 = z^2 t (1-t) / n: 0 and z^2 / (n + z^2).
    assert wilson(0, 7) == (0.0, pytest.approx(Z**2 / (7 + Z**2)))


@given(st.integers(1, 60), st.data())
def test_wilson_lies_within_0_and_1_around_the_rate(total, data):
    failures = data.draw(st.integers(0, total))
    low, high = wilson(failures, total)
    assert 0 <= low <= failures / total <= high <= 1


@pytest.mark.parametrize(("failures", "total"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(failures, total):
    with pytest.raises(ValueError, match="failures"):
        wilson(failures, total)


def test_clusters_of_one_trial_are_wilsons():
    assert clustered_rate([1, 0, 0, 1, 0], [1] * 5) == pytest.approx(wilson(2, 5))


def test_without_failures_the_clusters_count():
    # Eight models share 20 settings: 0 of 160 says what 0 of 20 says; all failed, too.
    assert clustered_rate([0] * 20, [8] * 20) == pytest.approx(wilson(0, 20))
    assert clustered_rate([8] * 20, [8] * 20) == pytest.approx(wilson(20, 20))
    # Clusters of 1 and 3: four trials over (1 + 9) / 4 of effect.
    assert clustered_rate([0, 0], [1, 3]) == pytest.approx(wilson(0, 1.6))
    assert clustered_rate([2], [8]) == pytest.approx(wilson(0.25, 1))


def test_a_design_effect_by_hand():
    # Two of four clusters of two trials fail whole: p = 1/2, squares of (y - 1) four times 1;
    # variance 4/3 x 4 / 64 = 1/12, of independent trials 1/32, so 8/3, at the most 2. The mean of
    # it, with weight 2, and of 2 is 2: 8/2 = 4 trials. t .975 of 7 is 2.36462, of 3 3.18245.
    effective = 4 * (2.36462 / 3.18245) ** 2
    found = clustered_rate([2, 2, 0, 0], [2] * 4)
    assert found == pytest.approx(wilson(effective / 2, effective), abs=1e-5)
    # One failure in each of four clusters: no variance, an effect of 1 with weight 4 and of 2 with
    # weight 1: 1.2.
    effective = 8 / 1.2 * (2.36462 / 3.18245) ** 2
    found = clustered_rate([1, 1, 1, 1], [2] * 4)
    assert found == pytest.approx(wilson(effective / 2, effective), abs=1e-5)


def test_trials_that_fail_together_say_less():
    apart = clustered_rate([1] * 8 + [0] * 12, [8] * 20)
    together = clustered_rate([8] + [0] * 19, [8] * 20)
    assert together.high > apart.high > wilson(8, 160).high


@pytest.mark.parametrize(("failures", "trials"), [([], []), ([2], [1]), ([0], [0]), ([-1], [1])])
def test_impossible_clusters_are_refused(failures, trials):
    with pytest.raises(ValueError, match="clusters"):
        clustered_rate(failures, trials)


def test_newcombe_of_one_run_each_is_wilsons():
    # n = (1+1)/2 = 1 leaves V = t (1-t), Wilson's for one trial. All won: 1 - t = z^2 t.
    assert newcombe(1.0, 1, 1) == pytest.approx((1 / (1 + Z**2), 1))
    # One half: centre 1/2, half width z / (1+z^2) sqrt(1/4 + z^2/4).
    half = Z / (2 * math.sqrt(1 + Z**2))
    assert newcombe(0.5, 1, 1) == pytest.approx((0.5 - half, 0.5 + half))


@given(st.floats(0, 1), st.integers(1, 30), st.integers(1, 30))
def test_newcombe_solves_its_equation_and_turns_round(share, a, b):
    low, high = newcombe(share, a, b)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1
    for t in (low, high):
        if 0 < t < 1:
            more = ((a + b) / 2 - 1) * ((1 - t) / (2 - t) + t / (1 + t))
            assert abs(share - t) == pytest.approx(
                Z * math.sqrt(t * (1 - t) * (1 + more) / (a * b)), abs=1e-6
            )
    assert newcombe(1 - share, b, a) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_newcombe_has_a_width_where_all_runs_win():
    low, high = newcombe(1.0, 10, 10)
    assert 0.5 < low < 0.9
    assert high == 1


@pytest.mark.parametrize(("probability", "a", "b"), [(0.5, 0, 3), (1.2, 3, 3)])
def test_newcombe_refuses_what_is_no_probability(probability, a, b):
    with pytest.raises(ValueError, match="probability"):
        newcombe(probability, a, b)


def test_mean_rate_adds_the_distances_in_squares():
    # Rates .2 and .6, ends .1-.5 and .4-.7: down sqrt(.1^2 + .2^2) / 2, up sqrt(.3^2 + .1^2) / 2.
    found = mean_rate([0.2, 0.6], [Interval(0.1, 0.5), Interval(0.4, 0.7)])
    assert found == pytest.approx((0.4 - math.sqrt(0.05) / 2, 0.4 + math.sqrt(0.1) / 2))
    assert mean_rate([0.3], [Interval(0.1, 0.5)]) == pytest.approx((0.1, 0.5))
