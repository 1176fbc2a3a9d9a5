"""Re-runs: who is an outlier, and what is printed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coequal.statistics.rates import wilson
from coequal.statistics.reruns import describe, find_outliers, selection_gap

NAN = float("nan")
TEN = np.array([10, 10.2, 9.8, 10.1, 9.9, 10.3, 9.7, 16, 40, NAN])
CAP = 500.0


def test_the_rule_by_hand():
    # Pass 1, nine finite runs: median 10.1, s = .02965 on the log: 16 (z 15.5) and 40 are flagged.
    # Pass 2, seven runs: median 10.0, s .02936; 10.3 is 1.0 s above: nothing new.
    found = find_outliers(TEN)
    assert found.flagged == (False,) * 7 + (True,) * 3
    assert (found.mark, found.centre) == ("**", True)  # 3 of 10


def test_passes_go_on_until_nothing_changes():
    # Pass 1: median 10.3; |log x / 10.3| sorted 0 .0192 .0196 .0396 .0599 ..: s = 1.4826 x .0599
    # = .0888, so 15.9 lies .434 / .0888 = 4.9 s above: only the thousands are flagged.
    # Pass 2, seven runs: median 10.1; 0 .0196 .0200 .0388 ..: s = .0575, and 15.9 is 7.9 s above.
    scores = np.array([9.5, 9.7, 9.9, 10.1, 10.3, 10.5, 15.9, 1000, 1000])
    assert find_outliers(scores).flagged == (False,) * 6 + (True,) * 3


def test_both_conditions_are_needed_and_a_good_run_is_never_flagged():
    # 1.49 times the median is far out in s, but under 1.5; 1.51 is over.
    tight = [10, 10.01, 9.99, 10.02, 9.98]
    assert find_outliers(np.array([*tight, 14.9])).mark == ""
    assert find_outliers(np.array([*tight, 15.2])).flagged == (False,) * 5 + (True,)
    # Twice the median within 5 s of a wide set is none either: s = 1.4826 x log 2 = 1.03.
    assert find_outliers(np.array([5.0, 10, 20, 40, 80])).mark == ""
    # On the log -.2 -.1 0 .1 .2 .9: median .05, s = 1.4826 x .15 = .222; .9 is 3.8 s above: kept.
    logs = np.array([-0.2, -0.1, 0, 0.1, 0.2, 0.9])
    assert find_outliers(10 * np.exp(logs)).mark == ""
    assert find_outliers(np.array([*tight, 0.1])).mark == ""


def test_equal_runs_have_the_smallest_spread_not_none():
    # s is at least 1e-4: a run 1.5 times as bad is flagged, the equal ones are not.
    assert find_outliers(np.array([3.0, 3, 3, 3, 4.6])).flagged == (False,) * 4 + (True,)


@pytest.mark.parametrize(
    ("failed", "mark", "centre"),
    [(0, "", True), (1, "*", True), (2, "**", True), (4, "**", True), (5, "**", False)],
)
def test_marks_begin_at_one_run_and_at_a_fifth(failed, mark, centre):
    scores = np.r_[np.linspace(10, 10.5, 10 - failed), np.full(failed, np.inf)]
    found = find_outliers(scores)
    assert (found.mark, found.centre, sum(found.flagged)) == (mark, centre, failed)


def test_on_the_linear_scale_scores_may_be_negative():
    # Precisions .8 .79 .81 .8 .82 and .3, negated: median -.8, s = 1.4826 x .01; -.3 is .5 above,
    # which is more than 5 s and more than half of .8.
    precision = -np.array([0.80, 0.79, 0.81, 0.80, 0.82, 0.30])
    assert find_outliers(precision, scale="linear").flagged == (False,) * 5 + (True,)
    half = -np.array([0.80, 0.79, 0.81, 0.80, 0.82, 0.45])  # .35 above: less than half of .8
    assert find_outliers(half, scale="linear").mark == ""
    with pytest.raises(ValueError, match="linear scale"):
        find_outliers(precision)
    with pytest.raises(ValueError, match="at least one run"):
        find_outliers(np.array([]))


def test_everything_that_is_printed_of_ten_runs():
    found = describe(TEN, cap=CAP)
    assert (found.runs, found.failed, found.kept) == (10, 1, 7)
    assert found.failure_rate == wilson(1, 10)
    # 9.7 .. 10.3 in steps of .1: mean 10, sum of squares 2 (.01 + .04 + .09) = .28, sd sqrt(.28/6).
    assert found.mean == pytest.approx(10)
    assert found.sd == pytest.approx(math.sqrt(0.28 / 6))
    # Of all ten, two left out at each end: 9.9 10 10.1 10.2 10.3 16, on the log.
    middle = [9.9, 10, 10.1, 10.2, 10.3, 16]
    assert found.iqm == pytest.approx(math.exp(np.mean(np.log(middle))))
    assert found.iqm_interval.low < found.iqm < found.iqm_interval.high
    # Sorted: 9.7 9.8 9.9 10 10.1 10.2 10.3 16 40 failed: median 10.15, ends x2 and x9.
    assert found.median == pytest.approx(10.15)
    assert found.median_interval == (9.8, 40)
    # Three of ten stand apart: the median leads.
    assert (found.headline, found.scale) == ("median", "log")


def test_on_the_linear_scale_the_centre_is_no_power():
    # 1..8: interquartile mean (3+4+5+6)/4, Yuen's interval as worked out in test_trimmed.
    found = describe(np.arange(1.0, 9), cap=CAP, scale="linear")
    assert found.iqm == 4.5
    assert found.iqm_interval == pytest.approx((1.3176, 7.6824), abs=1e-4)
    assert found.scale == "linear"
    logged = describe(np.arange(1.0, 9), cap=CAP)
    assert logged.iqm == pytest.approx((3 * 4 * 5 * 6) ** 0.25)


@pytest.mark.parametrize(
    ("runs", "headline", "has_iqm", "has_median"),
    [
        (1, "points", False, False),
        (4, "points", False, False),
        (5, "iqm", True, False),
        (6, "iqm", True, True),
    ],
)
def test_what_so_many_runs_allow(runs, headline, has_iqm, has_median):
    found = describe(np.linspace(10, 11, runs), cap=CAP)
    assert found.headline == headline
    assert (found.iqm_interval is not None) == has_iqm
    assert (found.median_interval is not None) == has_median
    assert (found.sd is None) == (runs == 1)


def test_the_median_leads_from_one_flagged_run_on():
    # The same nine runs with a tenth like them, or three times as bad.
    nine = np.linspace(10, 11, 9)
    assert describe(np.r_[nine, 10.5], cap=CAP).headline == "iqm"
    found = describe(np.r_[nine, 30], cap=CAP)
    assert (found.outliers.mark, found.headline) == ("*", "median")
    assert (found.centre, found.centre_interval) == (found.median, found.median_interval)


def test_five_runs_with_a_failure_show_points():
    # The median leads, but five runs give it no interval.
    assert describe(np.array([1.0, 1, 1, 1, NAN]), cap=CAP).headline == "points"


def test_where_most_fail_there_is_no_centre():
    found = describe(np.array([10.0, 11, NAN, NAN, NAN, np.inf]), cap=CAP)
    assert (found.mean, found.sd, found.outliers.centre) == (None, None, False)
    # The median lies between two failures; its interval of six runs between the extremes.
    assert (found.median, found.median_interval) == (np.inf, (10, np.inf))
    assert describe(np.full(6, NAN), cap=CAP).iqm == pytest.approx(CAP)


def test_the_cap_holds_for_means_and_not_for_medians():
    # Sorted 10 x4, 600 700, failed x4: the median is that of 600 and 700, beyond the cap of 50.
    scores = np.array([10.0, 10, 10, 10, 600, 700, NAN, NAN, NAN, NAN])
    found = describe(scores, cap=50)
    assert found.median == 650
    # The middle six are 10 10, then the cap four times.
    assert found.iqm == pytest.approx(math.exp((2 * math.log(10) + 4 * math.log(50)) / 6))
    with pytest.raises(ValueError, match="linear scale"):
        describe(np.array([1.0, 2]), cap=0)


def test_at_the_cap_there_is_no_interval_of_no_width():
    # Runs a little worse than the cap of 450 and alike: none is flagged, and the IQM is the cap.
    scores = np.array([440.0, *np.linspace(500, 520, 9)])
    found = describe(scores, cap=450)
    assert (found.outliers.mark, found.at_cap, found.iqm_interval) == ("", True, None)
    assert found.iqm == pytest.approx(450)
    # So the median leads, of the runs as they are: 500 502.5 .. 520 with 440 below.
    assert (found.headline, found.median) == ("median", 508.75)
    assert found.median_interval == (500, 517.5)
    assert not describe(scores, cap=505).at_cap
    # Equal runs that no cap has made equal are not at the cap, and have no interval either.
    equal = describe(np.full(10, 12.0), cap=math.inf)
    assert (equal.at_cap, equal.iqm_interval, equal.headline) == (False, None, "iqm")


@given(st.lists(st.floats(0.1, 400) | st.just(NAN), min_size=1, max_size=14), st.floats(0.01, 100))
def test_units_change_no_flag_and_scale_every_number(scores, factor):
    small, large = np.array(scores), np.array(scores) * factor
    here, there = describe(small, cap=CAP), describe(large, cap=CAP * factor)
    assert there.median == pytest.approx(here.median * factor)
    assert there.iqm == pytest.approx(here.iqm * factor)
    assert there.failure_rate == here.failure_rate
    assert find_outliers(small[::-1]).flagged == find_outliers(small).flagged[::-1]


def test_selection_gap():
    # The search saw 9; the re-runs' centre is 12: 3 too good, a quarter.
    reruns = describe(np.full(6, 12.0), cap=CAP)
    found = selection_gap(9.0, reruns)
    assert (found.search, found.rerun) == (9, pytest.approx(12))
    assert found.difference == pytest.approx(-3)
    assert found.relative == pytest.approx(-0.25)
    linear = describe(np.full(6, -0.5), cap=0, scale="linear")
    assert selection_gap(-0.7, linear).relative is None
    # One run of six stands apart: the median 12 is what is compared, not the mean.
    outlier = describe(np.array([11.0, 12, 12, 12, 12, 90]), cap=CAP)
    assert selection_gap(9.0, outlier).rerun == 12
    failed = describe(np.full(6, NAN), cap=CAP)
    assert selection_gap(9.0, failed).relative is None
    with pytest.raises(ValueError, match="finite"):
        selection_gap(NAN, reruns)
