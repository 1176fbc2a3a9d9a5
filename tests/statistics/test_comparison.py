"""Which settings differ by their re-runs: all of them, or the pairs that a study names."""

import math

import numpy as np
import pytest

from coequal.statistics.comparison import compare, effects
from coequal.statistics.rank_test import mann_whitney

NAN = math.nan


def test_compare_finds_the_worse_setting_and_keeps_twins():
    rng = np.random.default_rng(0)
    scores = {name: rng.lognormal(3, 0.05, 10) for name in ("a", "b")}
    scores["c"] = 1.5 * rng.lognormal(3, 0.05, 10)
    scores["few"] = np.array([1.0, 1, 1, 1])
    found = compare(scores)
    assert set(found.tier) == {"a", "b"}
    assert found.beaten == ("c",)
    assert found.not_compared == ("few",)
    assert {pair.worse for pair in found.differences if pair.shown} == {"c"}
    # c is entirely apart from both: 2 of C(20, 10) = 184,756 choices of ranks, times 3 pairs.
    assert found.differences[0].wins == 1
    assert found.differences[0].p_value == pytest.approx(2 / 184_756)
    assert found.differences[0].adjusted == pytest.approx(6 / 184_756)
    adjusted = [pair.adjusted for pair in found.differences]
    assert adjusted == sorted(adjusted)


def test_compare_counts_failures_as_worst_and_lets_them_be_as_bad_as_they_like():
    good = np.arange(10.0, 20)
    lucky = np.r_[np.arange(4.5, 10), NAN, np.inf, 1e9, 50]
    # Of 100 pairs `lucky` wins the 60 of its good runs, and loses 40.
    found = compare({"good": good, "lucky": lucky})
    (pair,) = found.differences
    assert (pair.better, pair.wins) == ("lucky", pytest.approx(0.6))
    assert not pair.shown
    # Of 20 ranks it has 1 to 6 and the last four: how bad those four are changes nothing.
    assert found == compare({"good": good, "lucky": np.r_[lucky[:6], 99, 99, 98, 97]})


def test_compare_is_the_same_in_any_order_and_for_twins():
    rng = np.random.default_rng(2)
    scores = {name: rng.lognormal(3, 0.3, 8) for name in "abcd"}
    turned = {name: scores[name][::-1] for name in reversed(scores)}
    assert compare(scores) == compare(turned)
    twins = compare({"a": scores["a"], "b": scores["a"]})
    assert twins.tier == ("a", "b")
    assert twins.differences[0].p_value == 1
    assert compare({}).tier == ()


def test_so_few_runs_that_nothing_can_be_shown():
    # Five against five: p is at least 2 / C(10, 5) = 2/252 = .0079. One pair takes .05, eight
    # settings .05 / 28 = .0018, which 2 / C(14, 7) = 2/3432 is below.
    five = {str(k): np.arange(5.0) + 10 * k for k in range(8)}
    assert not compare(five).could_separate
    assert compare({name: five[name] for name in "01"}).could_separate
    assert compare({str(k): np.arange(7.0) + 10 * k for k in range(8)}).could_separate


def test_planned_comparisons_by_hand():
    # On the log: 0 .. 7, and ln 2 more; of 8 x 8 differences between -7 and 7 the median is 0.
    # One comparison: 5 %. P(U <= 13) = .0249 and P(U <= 14) = .0325 of 8 and 8 runs (published
    # tables: 13), so the interval ends at the 14th lowest and the 14th highest difference. There
    # are 1 of -7, 2 of -6, 3 of -5, 4 of -4: ten; the next five are -3, so the 14th is -3.
    base = np.exp(np.arange(8.0))
    (only,) = effects({"a": 2 * base, "b": base}, {"a": "b"})
    assert (only.name, only.against) == ("a", "b")
    assert only.change == pytest.approx(2)
    assert only.interval == pytest.approx((2 * math.exp(-3), 2 * math.exp(3)))
    assert only.adjusted == only.p_value == mann_whitney(2 * base, base)
    assert not only.shown
    linear = effects({"a": np.arange(8.0) - 5, "b": np.arange(8.0)}, {"a": "b"}, scale="linear")
    assert (linear[0].change, linear[0].interval) == (-5, (-8, -2))


def test_the_family_is_all_that_was_planned():
    rng = np.random.default_rng(0)
    runs = {name: rng.normal(100, 3, 10) for name in "abcdefgh"}
    runs["a"] = runs["a"] - 6
    (planned,) = effects(runs, {"a": "b"})
    every = next(d for d in compare(runs).differences if {d.better, d.worse} == {"a", "b"})
    assert planned.p_value == pytest.approx(every.p_value)
    assert planned.adjusted < every.adjusted
    two = effects(runs, {"a": "b", "c": "b"})
    assert two[0].adjusted == pytest.approx(min(1, 2 * two[0].p_value))
    assert planned.change < 1
    assert planned.wins > 0.5
    # A comparison whose runs are still missing counts all the same, in p-values and intervals.
    missing = effects({name: runs[name] for name in "ab"}, {"a": "b", "c": "b"})
    assert missing == two[:1]
    assert missing[0].interval.low < planned.interval.low


def test_a_base_may_have_more_runs_than_its_changes():
    # 38 changes take p <= .05 / 38 = .0013. Five runs against five can't reach it (2/252), nor
    # have an interval; five against 31 can: 2 / C(36, 5) = 2/376,992.
    rng = np.random.default_rng(1)
    pairs = {str(k): "base" for k in range(38)}
    arms = {str(k): rng.normal(60, 1, 5) for k in range(38)}
    few = effects(arms | {"base": rng.normal(100, 3, 5)}, pairs)
    many = effects(arms | {"base": rng.normal(100, 3, 31)}, pairs)
    assert {(e.shown, e.interval, e.smallest_gain) for e in few} == {(False, None, None)}
    assert all(e.shown and e.smallest_gain < 1 for e in many)
    assert many[0].adjusted == pytest.approx(38 * 2 / 376_992)


def test_failures_may_decide_a_change():
    good, failed = np.arange(10.0, 20), np.full(10, NAN)
    (worse,) = effects({"a": failed, "b": good}, {"a": "b"})
    assert (worse.change, worse.interval) == (math.inf, (math.inf, math.inf))
    assert (worse.shown, worse.wins, worse.smallest_gain) == (True, 0, None)
    (both,) = effects({"a": failed, "b": failed}, {"a": "b"})
    assert math.isnan(both.change)
    assert (both.interval, both.p_value) == ((0, math.inf), 1)
