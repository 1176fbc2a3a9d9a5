"""Interquartile mean, Yuen's interval, and the median's interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coequal.statistics.trimmed import (
    interquartile_mean,
    median_interval,
    yuen_interval,
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


def test_no_interval_of_four():
    with pytest.raises(ValueError, match="at least 5 runs, got 4"):
        yuen_interval(np.arange(4.0))


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


def test_no_interval_without_spread():
    # Of ten, the middle six and one more at each side are equal: s_w is 0, which says nothing of
    # how far the mean may be off.
    assert yuen_interval(np.array([1.0, 2, *[5] * 7, 9])) is None
    assert yuen_interval(np.array([1.0, 2, 4, *[5] * 6, 9])) is not None


def test_failures_are_the_worst_of_an_order():
    # Ten runs: x2 and x9; two failures put an end at infinity, one does not.
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, np.inf, np.inf])
    assert median_interval(values) == (2, np.inf)
    assert median_interval(np.sort(np.r_[0.0, values[:-1]])) == (1, 8)


@given(st.lists(st.floats(-10, 10), min_size=5, max_size=15), st.floats(-5, 5))
def test_shifting_the_values_shifts_the_interval(values, shift):
    here, there = yuen_interval(np.array(values)), yuen_interval(np.array(values) + shift)
    if here is None or there is None:  # a shift may round a tiny spread away
        return
    assert there == pytest.approx((here.low + shift, here.high + shift), abs=1e-6)
    assert here.low <= interquartile_mean(np.array(values)) <= here.high
