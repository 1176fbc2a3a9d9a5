"""Interquartile mean, Yuen's interval and test, and the median's interval."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from coequal.statistics.trimmed import (
    interquartile_mean,
    median_interval,
    yuen_difference,
    yuen_interval,
    yuen_test,
)


def test_interquartile_mean_leaves_out_whole_runs():
    # floor(5/4) = 1 at each end: (2 + 4 + 8) / 3; fractional ends would give 23/5.
    assert interquartile_mean(np.array([16.0, 1, 8, 2, 4])) == pytest.approx(14 / 3)
    # Fewer than four: nothing is left out.
    assert interquartile_mean(np.array([1.0, 2, 6])) == 3
    assert interquartile_mean(np.full(7, 0.1)) == 0.1  # exactly, although 0.1 has no exact sum


def test_yuen_interval_by_hand():
    # 1..8: g 2, h 4, mean 9/2. Winsorised 3 3 3 4 5 6 6 6: squares about 4.5: 6 x 2.25 + 2 x .25
    # = 14, s_w^2 = 14/7 = 2; se = sqrt(2) / (1/2 sqrt(8)) = 1; t(3) .975 = 3.18245.
    found = yuen_interval(np.arange(1.0, 9))
    assert found == pytest.approx((4.5 - 3.18245, 4.5 + 3.18245), abs=1e-5)
    assert found == pytest.approx((1.3176, 7.6824), abs=1e-4)


def test_no_interval_and_no_test_of_four():
    four, five = np.arange(4.0), np.arange(5.0)
    with pytest.raises(ValueError, match="at least 5 runs, got 4"):
        yuen_interval(four)
    with pytest.raises(ValueError, match="got 5 and 4"):
        yuen_test(five, four)


@pytest.mark.parametrize(
    ("runs", "rank"), [(6, 1), (8, 1), (9, 2), (10, 2), (20, 6), (50, 18), (100, 40)]
)
def test_median_interval_is_between_the_known_order_statistics(runs, rank):
    # Published: 10 runs x2, x9; 20: x6, x15; 50: x18, x33; 100: 40, 61. 6 runs: 2 x 2^-6 = .031.
    # 8: P(Bin <= 1) = 9/256 = .035, so the extremes; 9: 10/512 = .0195, so the second ones.
    values = np.random.default_rng(0).permutation(np.arange(1.0, runs + 1))
    assert median_interval(values) == (rank, runs + 1 - rank)


def test_no_median_interval_below_six():
    # Five runs: all on one side with chance 2 x 2^-5 = .0625 > .05.
    for runs in range(1, 6):
        assert median_interval(np.arange(float(runs))) is None


def test_yuen_test_by_hand():
    # A = 1..8 as above: d = 7 x 2 / (4 x 3) = 7/6. B = 3, 5, .. 17: s_w^2 = 8, d = 14/3, mean 10.
    # t = 5.5 / sqrt(35/6); degrees (35/6)^2 / ((7/6)^2 / 3 + (14/3)^2 / 3) = 75/17.
    a, b = np.arange(1.0, 9), np.arange(3.0, 18, 2)
    t, degrees, p_value = yuen_test(a, b)
    assert (t, degrees) == pytest.approx((5.5 / math.sqrt(35 / 6), 75 / 17))
    assert p_value == pytest.approx(2 * student.sf(t, degrees))
    half = student.ppf(0.975, degrees) * math.sqrt(35 / 6)
    assert yuen_difference(a, b) == pytest.approx((-5.5 - half, -5.5 + half))
    assert yuen_test(b, a) == pytest.approx((t, degrees, p_value))


def test_one_side_without_spread_leaves_the_others_error():
    # d_B = 0: the error and the degrees of freedom of A alone, sqrt(7/6) and h - 1 = 3.
    a, b = np.arange(1.0, 9), np.full(6, 0.1)
    assert yuen_test(a, b)[:2] == pytest.approx((4.4 / math.sqrt(7 / 6), 3))


def test_two_models_that_always_fail_do_not_differ():
    at_cap = np.full(7, np.log(500))
    assert yuen_test(at_cap, np.full(10, np.log(500)))[2] == 1
    assert yuen_test(at_cap, np.full(7, np.log(499)))[2] == 0  # no spread, yet apart
    apart = np.log(500) - np.log(499)
    assert yuen_difference(at_cap, np.full(7, np.log(499))) == (apart, apart)


@given(st.lists(st.floats(-10, 10), min_size=5, max_size=15), st.floats(-5, 5))
def test_shifting_the_values_shifts_the_interval(values, shift):
    here, there = yuen_interval(np.array(values)), yuen_interval(np.array(values) + shift)
    assert there == pytest.approx((here.low + shift, here.high + shift), abs=1e-6)
    assert here.low <= interquartile_mean(np.array(values)) <= here.high
