"""The best of n settings: numbers by hand, exact rationals over all draws, and a bootstrap."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coequal.statistics.best_of import (
    best_distribution,
    budget_curve,
    expected_best,
    influences,
    standard_error,
)
from coequal.statistics.search import Search, weights

THREE = np.array([1.0, 2.0, 4.0])
FAILED = math.inf
searches = st.lists(st.floats(0.1, 1e3) | st.just(FAILED), min_size=1, max_size=12)


def test_three_settings_by_hand():
    # n=1: (1+2+4)/3. n=2: pairs {1,2} {1,4} {2,4}: (1+1+2)/3. n=3: 1.
    assert [expected_best(THREE, n, cap=4) for n in (1, 2, 3)] == pytest.approx([7 / 3, 4 / 3, 1])


def test_quantiles_by_hand():
    # n=2: 1 in two of three pairs, 2 in one.
    distribution = best_distribution(THREE, 2, cap=4)
    assert distribution.probabilities == pytest.approx([2 / 3, 1 / 3, 0])
    assert [distribution.quantile(share) for share in (0.1, 2 / 3, 0.7, 1)] == [1, 1, 2, 2]


def test_a_failure_counts_as_the_cap_and_never_vanishes():
    for failed in (np.nan, np.inf):
        scores = np.array([1.0, 2.0, failed])
        assert expected_best(scores, 1, cap=4) == pytest.approx(7 / 3)
    assert expected_best(np.array([np.nan, np.nan]), 2, cap=9) == 9


def test_without_a_cap_means_are_infinite_and_quantiles_exist():
    distribution = best_distribution(np.array([1.0, np.nan]), 1)
    assert (distribution.mean, distribution.quantile(0.5), distribution.quantile(0.6)) == (
        math.inf,
        1,
        math.inf,
    )
    # Both settings tried: the failure has no chance, and the mean is finite again.
    assert best_distribution(np.array([1.0, np.nan]), 2).mean == 1


def test_a_score_above_the_cap_counts_as_the_cap():
    assert expected_best(np.array([1.0, 100.0]), 1, cap=5) == 3


def test_the_search_looks_at_validation_and_reports_test():
    # Validation prefers the second setting, whose test score is 5.
    validation, test = np.array([2.0, 1.0]), np.array([3.0, 5.0])
    assert expected_best(test, 2, cap=9, choose_by=validation) == 5
    assert expected_best(test, 1, cap=9, choose_by=validation) == 4
    # A failure on validation is chosen last, whatever stands beside it.
    assert expected_best(test, 2, cap=9, choose_by=np.array([2.0, np.nan])) == 3


def _brute_force(scores: list[float], looked_at: list[float], budget: int) -> Fraction:
    """Mean over all draws; of the equally good settings of a draw each counts alike."""
    total, count = Fraction(0), 0
    for draw in combinations(range(len(scores)), budget):
        best = min(looked_at[i] for i in draw)
        chosen = {i for i in draw if looked_at[i] == best}
        total += sum(Fraction(scores[i]) for i in chosen) / len(chosen)
        count += 1
    return total / count


@pytest.mark.parametrize("looked_at", [None, [3, 1, 5, 2, 4], [1, 1, 2, 2, 2], [7, 7, 7, 7, 7]])
def test_agrees_with_every_draw_there_is(looked_at):
    scores = [4.0, 1.5, 9.0, 1.5, 30.0]
    chosen_by = None if looked_at is None else np.array(looked_at, dtype=float)
    for budget in range(1, 6):
        # A cap of 9 makes 30 a 9; with none of `looked_at` it is also chosen by.
        exact = _brute_force([min(score, 9.0) for score in scores], looked_at or scores, budget)
        found = expected_best(np.array(scores), budget, cap=9.0, choose_by=chosen_by)
        assert found == pytest.approx(float(exact), rel=1e-14)


@pytest.mark.parametrize("settings", [1, 2, 5, 8])
def test_weights_are_exact(settings):
    for budget in range(1, settings + 1):
        counts = np.zeros(settings)
        for chosen in combinations(range(settings), budget):
            counts[min(chosen)] += 1
        assert weights(settings, budget) == pytest.approx(counts / counts.sum(), abs=1e-15)
        exact = [
            Fraction(settings - i, settings) ** budget
            - Fraction(settings - i - 1, settings) ** budget
            for i in range(settings)
        ]
        found = weights(settings, budget, replacement=True)
        assert found == pytest.approx([float(w) for w in exact], abs=1e-15)


def test_a_budget_between_whole_numbers_lies_between_them():
    # B = 2, n = 1.5: the better one is found unless all draws miss it: 1 - (1/2)^1.5 = 0.6464466.
    assert weights(2, 1.5, replacement=True) == pytest.approx([0.6464466, 0.3535534])


def test_standard_error_by_hand():
    # n=1: variance 7/3 (ddof 1) of (1,2,4), over 3: sqrt(7)/3.
    assert standard_error(THREE, 1, cap=4) == pytest.approx(math.sqrt(7) / 3)
    # n=2: steps 2*(2/3)*1 = 4/3 and 2*(1/3)*2 = 4/3, so A = (8/3, 4/3, 0), mean 4/3.
    assert influences(THREE, 2) == pytest.approx([-4 / 3, 0, 4 / 3])
    assert standard_error(THREE, 2, cap=4) == pytest.approx(math.sqrt(32 / 9 / 6))
    with pytest.raises(ValueError, match="cap"):
        standard_error(np.array([1.0, np.nan]), 1, cap=math.inf)
    with pytest.raises(ValueError, match="two settings"):
        standard_error(np.array([1.0]), 1, cap=5)


@pytest.mark.parametrize("split_noise", [0, 0.3])
def test_standard_error_is_the_spread_between_searches(split_noise):
    # 400 searches of 100, n = 3: their spread is known to 3.5 %, the mean standard error better.
    rng = np.random.default_rng(6)
    content = rng.lognormal(4, 0.6, (400, 100))
    looked_at, test = content * rng.lognormal(0, split_noise, (2, 400, 100))
    about = [{"cap": 1e6, "choose_by": row} for row in looked_at]
    bests = [expected_best(row, 3, **given) for row, given in zip(test, about, strict=True)]
    errors = [standard_error(row, 3, **given) for row, given in zip(test, about, strict=True)]
    assert np.mean(errors) == pytest.approx(np.std(bests), rel=0.1)
    assert influences(test[0], 3, choose_by=looked_at[0]).sum() == pytest.approx(0, abs=1e-9)


@given(searches)
def test_a_larger_budget_is_never_worse(scores):
    curve = budget_curve(np.array(scores), cap=2e3)
    assert np.all(np.diff(curve) <= 1e-9)
    assert curve[-1] == pytest.approx(min(min(scores), 2e3))


@given(searches, st.integers(1, 12))
def test_one_failure_more_is_never_better(scores, budget):
    measured, budget = np.array(scores), min(budget, len(scores))
    found = expected_best(measured, budget, cap=2e3)
    assert expected_best(np.append(measured, FAILED), budget, cap=2e3) >= found - 1e-9


@given(searches, st.integers(1, 12), st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_scale_carries_over_and_order_does_not_count(scores, budget, factor, chance):
    measured, budget = np.array(scores), min(budget, len(scores))
    distribution = best_distribution(measured, budget, cap=2e3)
    scaled = best_distribution(measured * factor, budget, cap=2e3 * factor)
    assert scaled.mean == pytest.approx(factor * distribution.mean)
    assert scaled.quantile(0.5) == pytest.approx(factor * distribution.quantile(0.5))
    shuffled = list(scores)
    chance.shuffle(shuffled)
    assert best_distribution(np.array(shuffled), budget, cap=2e3).mean == distribution.mean


def test_search_knows_its_ratio_and_its_order():
    search = Search(np.array([3.0, 1.0, np.nan]), 2, np.array([1.0, 2.0, 3.0]))
    assert (search.settings, search.ratio) == (3, 2 / 3)
    # Pairs by validation: {0,1} and {0,2} choose 0, {1,2} chooses 1.
    assert search.choice_probabilities() == pytest.approx([2 / 3, 1 / 3, 0])
    turned = Search(search.scores[::-1], 2, np.array([3.0, 2.0, 1.0])).in_order()
    assert turned.scores.tolist()[:2] == [3, 1]


@pytest.mark.parametrize(("settings", "budget"), [(0, 1), (3, 0), (3, 4), (3, 1.5), (3, math.nan)])
def test_impossible_budgets_are_refused(settings, budget):
    with pytest.raises(ValueError, match="setting"):
        weights(settings, budget)
