"""The exact rank test, the interval that inverts it, and the gain that it would have shown."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm, rankdata

from coequal.statistics.rank_test import (
    MAX_EXACT_RUNS,
    critical_rank,
    difference_interval,
    mann_whitney,
    median_difference,
    share_of_wins,
    smallest_gain,
)


def test_by_hand():
    # Ranks of A 1 2 4 of 6: sum 7. Of the 20 choices of three ranks two have a sum of 7 or less
    # (6 and 7), and two as large as 14 or more: p = 4/20.
    assert mann_whitney(np.array([1.0, 2, 4]), np.array([3.0, 5, 6])) == pytest.approx(0.2)
    with pytest.raises(ValueError, match="both sides"):
        mann_whitney(np.array([]), np.array([1.0]))


@given(
    st.lists(st.integers(0, 4) | st.just(math.nan), min_size=1, max_size=5),
    st.lists(st.integers(0, 4) | st.just(math.inf), min_size=1, max_size=5),
)
def test_ties_and_failures_are_exact(first, second):
    a, b = np.array(first, dtype=float), np.array(second, dtype=float)
    pooled = np.r_[a, b]
    ranks = rankdata(np.where(np.isfinite(pooled), pooled, 99))
    middle = len(a) * (len(pooled) + 1) / 2
    seen = abs(ranks[: len(a)].sum() - middle)
    sums = [sum(chosen) for chosen in combinations(ranks, len(a))]
    wanted = np.mean([abs(total - middle) >= seen - 1e-9 for total in sums])
    assert mann_whitney(a, b) == pytest.approx(wanted)


@pytest.mark.parametrize("sizes", [(5, 5), (10, 10), (10, 62), (7, 3)])
def test_without_ties_it_is_scipys(sizes):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=sizes[0]), rng.normal(0.7, 1, sizes[1])
    assert mann_whitney(a, b) == pytest.approx(mannwhitneyu(a, b, method="exact").pvalue)


def test_large_samples_are_approximated():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=MAX_EXACT_RUNS + 1), rng.normal(0.4, 1, MAX_EXACT_RUNS + 10)
    exact = mannwhitneyu(a, b, method="exact").pvalue
    assert mann_whitney(a, b) == pytest.approx(exact, rel=0.05)
    assert mann_whitney(np.ones(60), np.ones(60)) == 1
    # Of 50 and 60 runs, and of 51 and 60, almost the same rank is critical.
    near = [critical_rank(size, 60, 0.05) for size in (50, 51)]
    assert near[1] - near[0] == pytest.approx((near[0]) / 50, abs=4)


@given(
    st.lists(st.floats(-5, 5), min_size=4, max_size=9, unique=True),
    st.lists(st.floats(-5, 5), min_size=4, max_size=9, unique=True),
    st.sampled_from([0.05, 0.2]),
)
@example([0.0, 1.0, 2.0, 0.25, 0.125, 0.0625, 2.5e-19], [0.0, 1.0, 0.25, 0.125, 0.0625], 0.2)
def test_the_interval_holds_what_the_test_does_not_reject(first, second, level):
    a, b = np.array(first), np.array(second)
    ends = difference_interval(a, b, level)
    if ends is None:
        return
    inside = (ends.low + ends.high) / 2
    if not _tied(a - inside, b) and ends.low < ends.high:
        assert mann_whitney(a - inside, b) > level
    for beyond in (ends.low - 1, ends.high + 1):
        differences = np.subtract.outer(a - beyond, b)
        if np.all(np.abs(differences) > 1e-9) and not _tied(a - beyond, b):
            moved = mann_whitney(a - beyond, b)
            assert moved <= level or abs(moved - level) < 1e-9 or _between(a, b, beyond, ends)


def _tied(a, b):
    """Ties have another distribution. They may come of rounding: 1e-19 - 1 is 0 - 1."""
    return len(np.unique(np.concatenate([a, b]))) < len(a) + len(b)


def _between(a, b, beyond, ends) -> bool:
    """Whether no pair's difference lies between `beyond` and the end that is next to it."""
    differences = np.subtract.outer(a, b).ravel()
    low, high = sorted((beyond, ends.low if beyond < ends.low else ends.high))
    return not np.any((differences > low) & (differences < high))


def test_failures_in_differences():
    a, b = np.array([1.0, 2, math.nan]), np.array([4.0, math.inf])
    # -3 -2 and inf against 4; -inf -inf against the failure; two failures are left out.
    assert median_difference(a, b) == -3
    assert share_of_wins(a, b) == pytest.approx(4.5 / 6)
    assert math.isnan(median_difference(a[2:], b[1:]))
    # Six and six runs, one failure each: rank 6 at 5 % (published: U of 5 is critical). Of 36
    # pairs five are -inf, five inf, and the pair of failures counts against both ends.
    six = np.r_[np.arange(5.0), math.inf]
    assert critical_rank(6, 6, 0.05) == 6
    assert difference_interval(six, six, 0.05) == (-math.inf, math.inf)


def test_so_few_runs_have_no_interval():
    # 2 / C(6, 3) = .1: three and three runs reach 10 %, not 5 %.
    three = np.arange(3.0)
    assert difference_interval(three, three, 0.05) is None
    assert difference_interval(three, three, 0.1) == (-2, 2)


def test_the_smallest_gain_grows_with_spread_and_with_comparisons():
    a = b = norm.ppf((np.arange(10) + 0.5) / 10)
    gain = smallest_gain(a, b, 0.05, 0.8)
    # Two normal samples of ten: 80 % power at (1.96 + .84) sqrt(2/10 x pi/3) = 1.28, by the
    # efficiency 3/pi of the test, for many runs; ten need a little more.
    assert gain == pytest.approx(1.28, rel=0.15)
    assert smallest_gain(3 * a, 3 * b, 0.05, 0.8) == pytest.approx(3 * gain)
    assert smallest_gain(a + 7, b, 0.05, 0.8) == pytest.approx(gain)  # wherever they lie
    assert smallest_gain(a, b, 0.05 / 38, 0.8) > gain
    assert smallest_gain(a[:3], b[:3], 0.05, 0.8) is None  # 2/20 is the least p-value
    failing = np.r_[a[:6], np.full(4, math.inf)]
    assert smallest_gain(failing, b, 0.05, 0.8) is None  # loses 40 % of pairs whatever the gain
