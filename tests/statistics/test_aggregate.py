"""Ranks over budgets; interquartile mean, profile and improvement over datasets."""

import numpy as np
import pytest

from coequal.statistics.aggregate import (
    MIN_RUNS,
    interquartile_mean,
    normalise,
    performance_profile,
)
from coequal.statistics.ranks import Flip, rank_curves
from coequal.statistics.rates import mean_rate, wilson

NAN = float("nan")


def chance():
    return np.random.default_rng(0)


def test_a_gambler_overtakes_a_steady_model():
    # Gambler 1 and three failures (cap 9), steady 4 4 4 4. One setting: 7 against 4. Two: 1 in half
    # of the pairs, else 9: 5 against 4. Of eight settings with two of 1, up to four are drawn:
    # three: C(6,3)/C(8,3) = 20/56 miss: 1 + 8 x 5/14 = 27/7 < 4.
    gambler = np.array([1.0, NAN, NAN, NAN] * 2)
    steady = np.full(8, 4.0)
    found = rank_curves({"steady": steady, "gambler": gambler}, cap=9)
    assert found.models == ("gambler", "steady")
    assert found.budgets == (1, 2, 3, 4)
    assert found.expected[0][:3] == pytest.approx((7, 1 + 8 * 15 / 28, 27 / 7))
    assert found.ranks == ((2, 2, 1, 1), (1, 1, 2, 2))
    assert found.flips == (Flip(3, "gambler", "steady"),)


def test_twins_share_their_rank_and_never_flip():
    scores = np.random.default_rng(1).lognormal(3, 1, 12)
    found = rank_curves({"a": scores, "b": scores[::-1], "c": scores + 1}, cap=1e4)
    assert found.ranks[0] == found.ranks[1] == (1.5,) * 6
    assert found.ranks[2] == (3,) * 6
    assert found.flips == ()


def test_a_tie_on_the_way_is_no_flip():
    # Differences -3 3 1 0 0 -3 of the sorted scores. One setting: -2/6. Two, weights 5 4 3 2 1 0 of
    # 15: -15 + 12 + 3 = 0. Three, weights 10 6 3 1 of 20: -30 + 18 + 3 < 0. A never falls behind.
    a, b = np.array([7.0, 23, 31, 40, 50, 57]), np.arange(10.0, 61, 10)
    for factor in (0.1, 0.3, 0.7, 1, 1.1, 3, 7):  # rounding falls to either side of the tie
        found = rank_curves({"a": factor * a, "b": factor * b}, cap=1000)
        assert found.expected[0][1] == pytest.approx(found.expected[1][1])
        assert found.flips == ()


def test_budgets_end_at_half_of_the_smallest_search():
    found = rank_curves({"a": np.arange(1.0, 4), "b": np.arange(1.0, 21)}, cap=50)
    assert found.budgets == (1,)
    with pytest.raises(ValueError, match="settings of each"):
        rank_curves({"a": np.array([])}, cap=1)


def test_ranks_look_at_validation():
    # Validation prefers A's second setting, whose test score is 5.
    scores = {"a": np.array([3.0, 5, 9, 9]), "b": np.full(4, 4.0)}
    looked_at = {"a": np.array([2.0, 1, 3, 3]), "b": np.ones(4)}
    found = rank_curves(scores, cap=9, choose_by=looked_at)
    # Pairs of A by validation: 5 in three of six, 3 in two, 9 in one: (15 + 6 + 9)/6.
    assert found.expected[0][1] == pytest.approx(5)
    # By test: 3 in three, 5 in two, 9 in one.
    assert rank_curves(scores, cap=9).expected[0][1] == pytest.approx(28 / 6)


def test_normalise():
    found = normalise(np.array([2.0, 10, 6, 30, NAN]), cap=10, floor=2)
    assert found.tolist() == [1, 0, 0.5, 0, 0]
    # Negated precision: cap 0, floor -1.
    assert normalise(np.array([-0.8]), cap=0, floor=-1) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="above the floor"):
        normalise(np.ones(2), cap=1, floor=1)


def test_interquartile_mean_has_fractional_ends():
    # Five runs: a quarter is 1.25 of them. (.75 x 2 + 4 + .75 x 8) / 2.5 = 23/5, published.
    found = interquartile_mean({"d": np.array([16.0, 1, 8, 2, 4])}, rng=chance())
    assert found.value == pytest.approx(23 / 5)
    assert interquartile_mean({"d": np.arange(1.0, 6)}, rng=chance()).value == pytest.approx(3)
    # 8 runs: whole ones, 3 4 5 6.
    assert interquartile_mean({"d": np.arange(1.0, 9)}, rng=chance()).value == pytest.approx(4.5)


def test_data_sets_weigh_the_same():
    # Two runs at 0 against six at 1: the lower half of the weight is all 0, the upper all 1.
    found = interquartile_mean({"a": np.zeros(2), "b": np.ones(6)}, rng=chance())
    assert found.value == pytest.approx(0.5)


def test_intervals_hold_the_value_repeat_and_are_refused_to_few_runs():
    rng = np.random.default_rng(2)
    scores = {name: rng.random(10) for name in "abc"}
    found = interquartile_mean(scores, rng=chance())
    assert found.low < found.value < found.high
    assert found == interquartile_mean(scores, rng=chance())
    turned = {name: scores[name] for name in reversed(scores)}
    assert found == interquartile_mean(turned, rng=chance())
    assert found != interquartile_mean(scores, rng=np.random.default_rng(1))
    few = interquartile_mean(scores | {"d": rng.random(MIN_RUNS - 1)}, rng=chance())
    assert (few.low, few.high) == (None, None)
    assert "fewer than 5 runs" in few.note


def test_percentiles_are_expanded_for_few_runs():
    # Five runs, one at 1: a resample has K ones, Bin(5, .2). Plain percentiles end at K = 3, for
    # P(K >= 3) = .058 and P(K >= 4) = .0067: (.75 x 0 + 1 + .75) / 2.5 = .7. Expanded, with t(4) =
    # 2.776 times sqrt(5/4), they leave .00095 out, and end at K = 4: 1.
    found = interquartile_mean({"d": np.array([0.0, 0, 0, 0, 1])}, rng=chance(), draws=20_000)
    assert (found.low, found.high) == pytest.approx((0, 1))


def test_the_bootstrap_resamples_within_each_data_set():
    # Both datasets without spread: nothing to resample, although they differ from each other.
    found = interquartile_mean({"a": np.zeros(6), "b": np.ones(6)}, rng=chance())
    assert (found.low, found.high) == pytest.approx((0.5, 0.5))


def test_profile_by_hand():
    # At .5: two of five and four of five: .6. At 0 all, above 1 none.
    scores = {"a": np.array([0.1, 0.2, 0.3, 0.5, 0.9]), "b": np.array([0.4, 0.5, 0.6, 0.7, 0.8])}
    found = performance_profile(scores, np.array([0.0, 0.5, 1.1]))
    assert found.fractions == pytest.approx((1, 0.6, 0))
    ends = mean_rate([0.4, 0.8], [wilson(2, 5), wilson(4, 5)])
    assert (found.low[1], found.high[1]) == pytest.approx(ends)
    # Where all agree there still is a width.
    assert found.low[0] < 0.9
    assert found.high[2] > 0.1
    assert found.levels == (0, 0.5, 1.1)
    few = performance_profile({"a": np.array([0.1, 0.2])}, np.array([0.15]))
    assert (few.fractions, few.low, few.high) == ((0.5,), None, None)
    assert few.note


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ValueError, match="at least one dataset"):
        interquartile_mean({}, rng=chance())
    with pytest.raises(ValueError, match="finite"):
        performance_profile({"d": np.array([NAN])}, np.zeros(1))
