"""P(A better than B at n): numbers by hand, every draw there is, symmetry, and intervals."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coequal.statistics.better import (
    BY_LOGIT,
    BY_SCORE,
    better,
    pair_z,
    probability_better,
    search_influences,
    standard_error,
)
from coequal.statistics.rates import newcombe
from coequal.statistics.search import Search
from coequal.statistics.spacings import TooFewSettings

FAILED = math.nan
measured = st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.5, 7.0, math.inf]), min_size=2, max_size=7)


def _search(*scores: float, budget: int = 1) -> Search:
    return Search(np.array(scores), budget)


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_one_setting_by_hand():
    # (1 < 2), (1 < 3), (4 > 2), (4 > 3): 2 of 4.
    assert probability_better(_search(1, 4), _search(2, 3)) == 0.5
    # (1,2) wins, (1,failed) wins, (failed,2) loses, (failed,failed) ties: (1 + 1 + 0 + .5) / 4.
    assert probability_better(_search(1, FAILED), _search(2, FAILED)) == 5 / 8
    assert probability_better(_search(FAILED), _search(FAILED)) == 0.5
    assert probability_better(_search(1), _search(FAILED)) == 1


def test_two_settings_by_hand():
    # Without replacement both searches find their best: 1 < 2.
    assert probability_better(_search(1, 4, budget=2), _search(2, 3, budget=2)) == 1
    # Of three settings each. A's pairs end at 1, 1, 4; B's at 2, 2, failed: the 1 always wins, the
    # 4 only against failed: (6 + 1) / 9.
    found = probability_better(_search(4, 1, 6, budget=2), _search(2, FAILED, FAILED, budget=2))
    assert found == pytest.approx(7 / 9)
    # B's pairs end at failed in one of three, A's at failed in one of three: half of that ninth.
    twins = _search(2, FAILED, FAILED, budget=2)
    assert probability_better(twins, _search(3, FAILED, FAILED, budget=2)) == pytest.approx(
        2 / 3 + 1 / 18
    )


def _by_all_draws(a: list[float], b: list[float], budgets: tuple[int, int]) -> float:
    bests = [
        [min(draw) for draw in combinations(s, n)] for s, n in zip((a, b), budgets, strict=True)
    ]
    return float(np.mean([(x < y) + 0.5 * (x == y) for x, y in product(*bests)]))


@given(measured, measured, st.integers(1, 7), st.integers(1, 7))
def test_agrees_with_every_draw_and_with_the_pair_turned_round(a, b, n, m):
    n, m = min(n, len(a)), min(m, len(b))
    left, right = Search(np.array(a), n), Search(np.array(b), m)
    found = probability_better(left, right)
    assert found == pytest.approx(_by_all_draws(a, b, (n, m)), abs=1e-12)
    assert probability_better(right, left) == pytest.approx(1 - found, abs=1e-12)
    assert pair_z(left, right) == pytest.approx(-pair_z(right, left))
    assert probability_better(left, left) == pytest.approx(0.5)


@given(measured, measured, st.integers(1, 5), st.randoms(use_true_random=False))
def test_order_and_scale_do_not_count_and_a_failure_more_never_helps(a, b, n, chance):
    n = min(n, len(a), len(b))
    left, right = Search(np.array(a), n), Search(np.array(b), n)
    found, z = probability_better(left, right), pair_z(left, right)
    order = list(range(len(a)))
    chance.shuffle(order)
    assert probability_better(Search(left.scores[order], n), right) == found
    if len(a) == len(b):  # the i-th of both are one draw: they move together
        turned = Search(left.scores[order], n), Search(right.scores[order], n)
        assert pair_z(*turned) == pytest.approx(z, abs=1e-9)
    scaled = Search(np.array(a) * 4, n), Search(np.array(b) * 4, n)
    assert (probability_better(*scaled), pair_z(*scaled)) == (found, z)
    assert probability_better(Search(np.array([*a, math.inf]), n), right) <= found + 1e-12


def test_what_is_chosen_by_validation_is_compared_on_test():
    # A's validation prefers its 4, which loses to 2 and 3.
    a = Search(np.array([1.0, 4.0]), 2, np.array([5.0, 3.0]))
    assert probability_better(a, _search(2, 3, budget=2)) == 0
    # Equal on validation: either, half of the time.
    even = Search(np.array([1.0, 4.0]), 2, np.array([5.0, 5.0]))
    assert probability_better(even, _search(2, 3, budget=2)) == 0.5


def test_standard_error_by_hand():
    # h_A = (1, 0) has variance 1/2 (ddof 1) over 2: 1/4; h_B = (1/2, 1/2) adds nothing.
    assert standard_error(_search(1, 4), _search(2, 3)) == 0.5
    with pytest.raises(TooFewSettings, match="two settings"):
        standard_error(_search(1), _search(2, 3))


def test_standard_error_is_delongs_at_one_setting():
    rng = _rng(1)
    a, b = rng.normal(size=15), rng.normal(0.5, 1, size=25)  # not paired
    table = a[:, None] < b[None, :]
    delong = table.mean(axis=1).var(ddof=1) / 15 + table.mean(axis=0).var(ddof=1) / 25
    assert standard_error(Search(a), Search(b)) == pytest.approx(math.sqrt(delong))


def test_scores_that_never_meet_have_an_infinite_z_and_equal_ones_none():
    low, high = Search(np.arange(20.0), 2), Search(np.arange(20.0) + 50, 2)
    assert (pair_z(low, high), pair_z(high, low)) == (math.inf, -math.inf)
    failed = Search(np.full(20, FAILED), 2)
    assert pair_z(failed, failed) == 0


def test_settings_of_both_are_paired_where_there_are_as_many():
    # n = 1, A = (1, 4), B = (2, 3): each of A's influences is (1/2, -1/2), each of B's 0.
    # With A = (1, 4) and B = (2, 5) h_A = (1, 1/2): influences (1/4, -1/4); h_B = (1/2, 1): (-1/4,
    # 1/4). Paired they cancel; the same settings in the other order add up.
    assert standard_error(_search(1, 4), _search(2, 5)) == 0
    # sum of squares (1/2)^2 + (1/2)^2 = 1/2, over 2 (2 - 1).
    assert standard_error(_search(1, 4), _search(5, 2)) == pytest.approx(0.5)
    # Of different counts they are independent: as DeLong has it, below.


def test_better_picks_the_interval_that_covers():
    rng = _rng(2)
    a, b = rng.lognormal(4, 0.5, 50), rng.lognormal(4.1, 0.5, 50)
    small = better(Search(a, 10), Search(b, 10))
    assert small.method == BY_LOGIT
    assert 0 < small.low < small.probability < small.high < 1
    large = better(Search(a, 11), Search(b, 11))
    assert large.method == BY_SCORE
    assert large.high - large.low > small.high - small.low
    few = better(Search(a[:19], 1), Search(b[:19], 1))
    assert few.method == BY_SCORE
    # Of different sizes the harder one decides.
    assert better(Search(a, 2), Search(b[:19], 2)).method == BY_SCORE
    with pytest.raises(TooFewSettings, match="best of 26 from 50 settings"):
        better(Search(a, 26), Search(b, 1))


def test_the_logit_interval_by_hand():
    # A = 1..20, B = 10.5..29.5 in steps of 1, n = 1: A_i beats all B for i <= 10, and 20 - (i - 10)
    # of 20 beyond: sum = 10*20 + (19 + ... + 10) = 345 of 400, P = .8625.
    a, b = Search(np.arange(1.0, 21), 1), Search(np.arange(10.5, 30), 1)
    found = better(a, b)
    assert found.probability == pytest.approx(345 / 400)
    # h_A = 1 ten times, then .95 ... .5; h_B the same numbers from the other end, as the settings
    # that are good for A are good for B: se^2 = var(h_A + h_B) / 20.
    h = np.append(np.ones(10), np.arange(19, 9, -1) / 20)
    se = math.sqrt((h + h[::-1]).var(ddof=1) / 20)
    assert found.se == pytest.approx(se)
    middle, reach = math.log(345 / 55), 1.959964 * se / (0.8625 * 0.1375)
    ends = [1 / (1 + math.exp(-(middle + side * reach))) for side in (-1, 1)]
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-6)


def test_intervals_reach_the_end_where_one_model_always_wins():
    low, high = np.arange(30.0), np.arange(30.0) + 50
    clear = better(Search(low, 3), Search(high, 3))
    # Exactly: the page prints 1.00 for 1 and >0.99 for less.
    assert (clear.probability, clear.high) == (1, pytest.approx(1))
    assert probability_better(Search(high, 7), Search(low, 7)) == 0
    # What A may have below its best or B below its own counts: the lower end is far from 1.
    assert clear.method == BY_SCORE
    # Ten independent searches of three settings won: Newcombe's lower end for 10 against 10.
    assert clear.low == pytest.approx(newcombe(1, 10, 10).low)
    assert clear.low < 0.81
    assert better(Search(high, 3), Search(low, 3)).low < 1e-6
    # One of A's 30 loses to one of B's 30: P = 1 - 1/900, within half a setting (1/60) of 1.
    near = better(Search(np.append(low[:-1], 50.5), 1), Search(high, 1))
    assert near.probability == pytest.approx(1 - 1 / 900)
    assert near.method == BY_SCORE
    # All trials failed on both sides: nothing is known of the best.
    nothing = better(Search(np.full(6, FAILED), 3), Search(np.full(6, FAILED), 3))
    assert nothing.probability == 0.5
    # Two independent searches of three settings each.
    assert (nothing.low, nothing.high) == pytest.approx(newcombe(0.5, 2, 2))


def test_a_good_setting_more_pushes_another_one_out_of_the_retrained():
    # Four settings by validation 1, 2, 3, 4; the best two were trained again: fresh 10 and 20, own
    # 1 and 5. n = 2, values as they are. The worst half of the two is the second: own - fresh =
    # 5 - 20 = -15. Density n (1 - 1/2) = 1: retrained ones get (1 - 1/2)(-15), the others 7.5.
    by = np.array([1.0, 2.0, 3.0, 4.0])
    own = np.array([1.0, 5.0, np.nan, np.nan])
    scores = np.array([10.0, 20.0, 3.0, 4.0])
    plain = search_influences(Search(scores, 2, by), lambda values: values)
    found = search_influences(Search(scores, 2, by, own), lambda values: values)
    assert found - plain == pytest.approx([-7.5, -7.5, 7.5, 7.5])
    # With none or all of them retrained there is no border.
    for mark in (np.full(4, np.nan), np.ones(4)):
        edge = search_influences(Search(scores, 2, by, mark), lambda values: values)
        assert edge == pytest.approx(plain)
