"""Expected best within a budget of cost: exact rationals, brute force, and the curve over n."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coequal.statistics.best_of import budget_curve, expected_best
from coequal.statistics.cost import best_distributions, cost_curve
from coequal.statistics.cost_intervals import MIN_SETTINGS, cost_intervals, effective_settings
from coequal.statistics.spacings import Spacings

SCORES, COSTS = np.array([3.0, 1, 4, 10]), np.array([2.0, 3, 1, 1])
BUDGETS = [1, 2, 3, 4, 5, 6]


def test_four_settings_as_published():
    # All 24 orders by hand; budget 1: the first is 4 (a quarter), or 10, or nothing fits: 34/4.
    without = [17 / 2, 25 / 4, 10 / 3, 9 / 4, 11 / 6, 3 / 2]
    assert cost_curve(SCORES, COSTS, BUDGETS, cap=10) == pytest.approx(without, abs=1e-12)


def test_the_whole_law_of_four_settings():
    # Budget 2: setting 1 costs 3 and ends the search wherever it comes. Nothing finishes: 1 first
    # (1/4). 3 is best: it comes first (1/4; any other before it leaves less than 2). Otherwise 4 if
    # it fits: 4 first (1/4), or 10 then 4 (1/12): 1/3; else 10: 10 first, then not 4: 1/6.
    (distribution,) = best_distributions(SCORES, COSTS, [2], cap=10)
    assert distribution.values.tolist() == [1, 3, 4, 10, 10]
    assert distribution.probabilities[:3] == pytest.approx([0, 1 / 4, 1 / 3], abs=1e-12)
    assert distribution.probabilities[3:].sum() == pytest.approx(1 / 6 + 1 / 4)
    assert distribution.mean == pytest.approx(25 / 4)
    assert [distribution.quantile(share) for share in (0.2, 0.25, 0.5, 0.6)] == [3, 3, 4, 10]


def brute_force(scores, costs, budget, cap):
    total, count = Fraction(0), 0
    for order in permutations(range(len(scores))):
        left, best = Fraction(budget), Fraction(cap)
        for i in order:
            left -= Fraction(costs[i])
            if left < 0:
                break
            best = min(best, Fraction(scores[i]))
        total, count = total + best, count + 1
    return float(total / count)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 9)), min_size=1, max_size=5),
    st.integers(1, 30),
)
def test_agrees_with_every_order(pairs, budget):
    scores, costs = zip(*pairs, strict=True)
    found = cost_curve(np.array(scores, float), np.array(costs, float), [budget], cap=30)
    assert found[0] == pytest.approx(brute_force(scores, costs, budget, 30), abs=1e-9)


def test_equal_costs_are_the_curve_over_settings():
    rng = np.random.default_rng(0)
    scores = rng.lognormal(4, 0.6, 40)
    scores[::7] = np.nan
    for unit in (1.0, 1 / 3, 17.3e15):
        budgets = unit * (np.arange(1, 41) + 0.4)
        found = cost_curve(scores, np.full(40, unit), budgets, cap=500)
        assert found == pytest.approx(budget_curve(scores, cap=500), rel=1e-9)
        exactly = cost_curve(scores, np.full(40, unit), unit * np.arange(1, 41), cap=500)
        assert exactly == pytest.approx(found, rel=1e-9)


def test_the_two_ends():
    scores, costs = np.array([5.0, 2, np.nan]), np.array([2.0, 4, 3])
    assert cost_curve(scores, costs, [1.9, 9, 20], cap=7) == pytest.approx([7, 2, 2])


def test_a_failure_costs_what_it_spent():
    # Budget 2. Cheap failure (1): fails first, then the good one (1) still fits: always 4.
    scores = np.array([4.0, np.nan])
    assert cost_curve(scores, np.array([1.0, 1]), [2], cap=10)[0] == pytest.approx(4)
    # Dear failure (2): first in half of the orders, and then nothing is left.
    assert cost_curve(scores, np.array([1.0, 2]), [2], cap=10)[0] == pytest.approx(7)


def test_many_tiny_costs_do_not_make_the_grid_fine():
    # Sixty failures at once and forty runs a million times as dear: a budget of 10 runs (and what
    # failed meanwhile) finds what 10 of 40 settings find, failures being all but free.
    rng = np.random.default_rng(6)
    scores = np.r_[np.full(60, np.nan), rng.lognormal(4, 0.6, 40)]
    costs = np.r_[np.full(60, 1.0), np.full(40, 1e6)]
    found = cost_curve(scores, costs, [10e6 + 60], cap=500)[0]
    assert found == pytest.approx(expected_best(scores[60:], 10, cap=500), rel=1e-9)


def test_settings_that_cost_nothing():
    # A failure at once costs nothing and changes nothing.
    scores, costs = np.array([4.0, np.nan]), np.array([1.0, 0])
    assert cost_curve(scores, costs, [1], cap=10)[0] == pytest.approx(4)
    # One that succeeds at once: tried first, it is what a budget of a half can have; after the
    # dear one, nothing is: (6 + 10) / 2.
    assert cost_curve(np.array([4.0, 6]), costs, [0.5], cap=10)[0] == pytest.approx(8)


def test_the_search_looks_at_validation():
    # Budget 2 buys both; validation prefers the second, whose test score is 5.
    found = best_distributions(
        np.array([3.0, 5]), np.ones(2), [1, 2], cap=9, choose_by=np.array([2.0, 1])
    )
    assert [distribution.mean for distribution in found] == pytest.approx([4, 5])


def test_rounding_costs_little():
    # Random real costs against 20,000 random orders: within four standard errors.
    rng = np.random.default_rng(1)
    scores, costs = rng.lognormal(4, 0.6, 30), rng.lognormal(0, 0.5, 30)
    budget = 0.2 * costs.sum()
    best = np.empty(20_000)
    for k in range(len(best)):
        order = rng.permutation(30)
        fits = np.cumsum(costs[order]) <= budget
        best[k] = scores[order][fits].min(initial=500)
    error = best.std() / np.sqrt(len(best))
    (distribution,) = best_distributions(scores, costs, [budget], cap=500)
    assert abs(distribution.mean - best.mean()) < 4 * error + 0.001 * distribution.mean
    squares = distribution.probabilities @ (distribution.values - distribution.mean) ** 2
    assert squares**0.5 == pytest.approx(best.std(), rel=0.05)
    assert distribution.probabilities.sum() == pytest.approx(1)


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_more_budget_is_never_worse_and_order_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    scores, costs = rng.lognormal(4, 0.6, 12), rng.lognormal(0, 0.7, 12)
    scores[rng.random(12) < 0.2] = np.inf
    budgets = np.geomspace(0.1, 1.1, 8) * costs.sum()
    curve = cost_curve(scores, costs, budgets, cap=900)
    # Costs are rounded, each budget's to a grid of its own.
    assert np.all(np.diff(curve) <= 0.01 * curve[:-1])
    mixed = rng.permutation(12)
    turned = cost_curve(scores[mixed], costs[mixed], budgets[::-1], cap=900)
    assert turned[::-1] == pytest.approx(curve, rel=1e-9)


def test_effective_settings():
    # Mean 2, variance 1: 20/2 + (1/4 - 1)/2 = 9.625.
    assert effective_settings(np.array([1.0, 3]), 20) == pytest.approx(9.625)


def test_each_budget_gets_the_interval_that_suits_it():
    rng = np.random.default_rng(2)
    scores, costs = rng.lognormal(4, 0.6, 60), rng.lognormal(0, 0.5, 60)
    budgets = np.array([0.05, 0.1, 0.3, 0.5, 0.6]) * costs.sum()
    found = cost_intervals(scores, costs, budgets, cap=500, floor=0, rng=rng)
    methods = [interval.method.split()[0] for interval in found]
    assert methods == ["resampled", "resampled", "spacings", "spacings", "refused"]
    assert "half" in found[-1].reason
    curve = cost_curve(scores, costs, budgets, cap=500)
    for interval, mean in zip(found[:-1], curve, strict=False):
        assert 0 <= interval.low < mean < interval.high <= 500
    few = cost_intervals(scores[:10], costs[:10], [1.0], cap=500, floor=0, rng=rng)
    assert (few[0].low, few[0].method) == (None, "refused")
    assert str(MIN_SETTINGS) in few[0].reason


def test_the_same_generator_gives_the_same_intervals():
    rng = np.random.default_rng(3)
    scores, costs = rng.lognormal(4, 0.6, 30), rng.lognormal(0, 0.5, 30)
    budgets = np.array([0.1, 0.3]) * costs.sum()

    def intervals(seed):
        return cost_intervals(
            scores, costs, budgets, cap=500, floor=0, rng=np.random.default_rng(seed), draws=200
        )

    assert intervals(0) == intervals(0)
    assert intervals(0)[0] != intervals(1)[0]
    assert intervals(0)[1] != intervals(1)[1]


def test_spacings_at_the_effective_number_are_rescaled_to_the_curve():
    # All costs 1, budget 9: 9 - 1/2 settings, between the expected best of 8 and of 9; the curve
    # itself is at 9. Distances from the floor of 2 are rescaled.
    scores = 2 + np.random.default_rng(4).lognormal(4, 0.6, 30)
    about = {"cap": 500.0, "floor": 2.0}
    rng = np.random.default_rng(5)
    (found,) = cost_intervals(scores, np.ones(30), [9.0], rng=rng, **about)
    cells = Spacings(30, np.random.default_rng(5), draws=4000).at(8.5)
    eight, nine = (expected_best(scores, n, cap=500) for n in (8, 9))
    factor = (nine - 2) / ((eight + nine) / 2 - 2)
    low, high = cells.expected_best(scores, **about)
    assert found.low == pytest.approx(2 + factor * (low - 2), rel=1e-6)
    assert found.high == pytest.approx(2 + factor * (high - 2), rel=1e-6)


@pytest.mark.parametrize(
    ("costs", "budgets", "match"),
    [
        ([1.0], [1.0], "cost for every setting"),
        ([1.0, -1], [1.0], "finite cost"),
        ([1.0, np.nan], [1.0], "finite cost"),
        ([1.0, 1], [0.0], "above 0"),
    ],
)
def test_impossible_costs_are_refused(costs, budgets, match):
    with pytest.raises(ValueError, match=match):
        best_distributions(np.array([1.0, 2]), np.array(costs), budgets, cap=10)
