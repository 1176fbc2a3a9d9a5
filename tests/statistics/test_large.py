"""Searches of hundreds of settings: sums without tables, fewer cells, simulated searches."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coequal.statistics import cost, orders, sensitivity, spacings
from coequal.statistics import cost_intervals as cost_interval_module
from coequal.statistics.best_of import expected_best
from coequal.statistics.cost import cost_curve
from coequal.statistics.cost_intervals import cost_intervals
from coequal.statistics.ranks import rank_curves, ranked_budgets
from coequal.statistics.search import Search, weights
from coequal.statistics.spacings import Spacings
from coequal.statistics.wins import beats, mass_below


def at(patch: pytest.MonkeyPatch, large: int) -> None:
    for module in (cost, cost_interval_module, spacings):
        patch.setattr(module, "MAX_EXACT_SETTINGS", large)


def search(seed: int, settings: int = 300, budget: float = 30) -> Search:
    """With failures, ties, and a validation that is not the test."""
    rng = np.random.default_rng(seed)
    scores = np.round(np.exp(rng.normal(3, 0.5, settings)), 1)
    scores[rng.random(settings) < 0.1] = np.nan
    return Search(scores, budget, np.round(scores * np.exp(rng.normal(0, 0.1, settings)), 1))


@pytest.mark.parametrize("budget", [1, 2, 17, 150, 299, 300])
def test_weights_of_many_settings_are_those_from_whole_numbers(budget):
    total = math.comb(300, budget)
    wanted = [math.comb(300 - rank, budget - 1) / total for rank in range(1, 301)]
    assert weights(300, budget) == pytest.approx(wanted, rel=1e-12, abs=1e-300)


scores = st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.5, math.inf]), min_size=1, max_size=9)


@given(scores, scores, st.integers(0, 10**6))
def test_masses_below_are_sums_over_the_table_of_who_beats_whom(a, b, seed):
    left, right = np.array(a), np.array(b)
    masses = np.random.default_rng(seed).random(len(a))
    found = mass_below(left, masses, right)
    assert found == pytest.approx(masses @ beats(left, right), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("budget", [1, 6, 75])
def test_the_interval_by_spacings_is_the_same_but_for_its_draws(monkeypatch, budget):
    a = search(3, budget=budget)

    def both() -> list[float]:
        cells = Spacings(a.settings, np.random.default_rng(0)).at(budget)
        return [*cells.expected_best(a.scores, floor=0, cap=500, choose_by=a.choose_by)]

    found = both()
    at(monkeypatch, 300)
    wanted = both()
    # 4,000 draws: about 1 % of an interval's width on each end.
    assert found == pytest.approx(wanted, abs=0.03 * (wanted[1] - wanted[0]))


def test_cells_left_out_have_no_mass(monkeypatch):
    at(monkeypatch, 100)
    drawn = Spacings(5000, np.random.default_rng(0), draws=300, least=500)
    cells = drawn.at(500)
    # 1.2 x 40 x 5000 / 500 + 100 = 580 of 5001 cells.
    assert cells.masses.shape == (300, 580)
    assert cells.masses.sum(axis=1) == pytest.approx(np.ones(300), rel=1e-12)
    assert cells.settings == 5000
    # The first gap x is Beta(1, 5000): E[1 - (1 - x)^500] = 500 / 5500 = 1/11.
    assert cells.masses[:, 0].mean() == pytest.approx(1 / 11, rel=0.2)
    with pytest.raises(ValueError, match="at least 500"):
        drawn.at(499)
    # 50 megabytes: 6,250,000 / 580; all cells of a smaller budget: 6,250,000 / 5001.
    assert (spacings.max_draws(5000, 500), spacings.max_draws(5000)) == (10775, 1249)


def test_searches_in_random_orders_agree_with_the_closed_form(monkeypatch):
    a = search(5, 240)
    costs = np.exp(np.random.default_rng(6).normal(0, 0.3, 240))
    costs[np.isnan(a.scores)] *= 0.2
    budgets = [m * costs.mean() for m in (0.7, 1, 3, 12, 40, 110)]
    known = {"cap": 500.0, "choose_by": a.choose_by}
    rng = np.random.default_rng(7)
    found = cost_curve(a.scores, costs, budgets, rng=rng, **known)
    many = orders.reached_in_orders(np.ones(240), [12.0], rng, orders=400)[0]
    at(monkeypatch, 240)
    wanted = cost_curve(a.scores, costs, budgets, **known)
    # 16 orders of 240 settings: 3,840 / n nearly independent searches of n, each off by about 50 %
    # at n = 1 and by less beyond.
    assert found == pytest.approx(wanted, rel=0.06)
    # All cost 1, so 12 are tried: the best is among the first r with 1 - C(240-r, 12) / C(240, 12).
    chances = np.cumsum(weights(240, 12))
    assert many == pytest.approx(chances, abs=0.01)
    assert expected_best(a.scores, 12, **known) > 0


def test_intervals_of_cost_are_like_those_of_smaller_searches(monkeypatch):
    a = search(8, 220)
    costs = np.exp(np.random.default_rng(9).normal(0, 0.2, 220))
    total = costs.sum()
    budgets = [0.05 * total, 0.2 * total, 0.6 * total]
    known = {"cap": 500.0, "floor": 0.0, "choose_by": a.choose_by}
    found = cost_intervals(a.scores, costs, budgets, rng=np.random.default_rng(1), **known)
    at(monkeypatch, 220)
    wanted = cost_intervals(a.scores, costs, budgets, rng=np.random.default_rng(1), **known)
    assert [one.method for one in found] == [one.method for one in wanted]
    for one, other in zip(found[:2], wanted[:2], strict=True):
        assert one.low == pytest.approx(other.low, rel=0.1)
        assert one.high == pytest.approx(other.high, rel=0.1)
    assert found[2].low is None


def test_more_settings_than_a_table_holds_need_an_rng():
    scores = np.arange(1.0, 302)
    with pytest.raises(ValueError, match="give an rng"):
        cost_curve(scores, np.ones(301), [5.0], cap=500)


def test_a_search_that_goes_round_sees_each_setting_once():
    # Ranks 2 0 1 in this order, each costs 1: a budget of 2 tries two, one of 9 tries all three.
    order = orders.Order(np.array([2, 0, 1]), np.ones(3))
    assert order.best(2.0).tolist() == [0, 0, 1]
    assert order.best(9.0).tolist() == [0, 0, 0]
    assert order.best(0.5).tolist() == [3, 3, 3]  # nothing finishes
    assert order.best(1.0, apart=2).tolist() == [2, 1]


def test_ranks_of_large_searches_are_taken_at_a_selection():
    assert ranked_budgets(250) == tuple(range(1, 251))
    found = ranked_budgets(6000)
    assert found[:30] == tuple(range(1, 31))
    assert (found[-1], len(found)) == (6000, 100)
    scores = {
        name: np.exp(np.random.default_rng(k).normal(3, 1, 600)) for k, name in enumerate("ab")
    }
    ranks = rank_curves(scores, cap=1e4)
    assert ranks.budgets[-1] == 300
    at_300 = expected_best(scores["a"], 300, cap=1e4)
    assert ranks.expected[0][-1] == pytest.approx(at_300, rel=1e-12)


def test_permutations_in_portions_are_the_same_permutations(monkeypatch):
    rng = np.random.default_rng(3)
    values = rng.random(50)
    drawn = {
        "rate": sensitivity.Numeric(values, 0, 1),
        "norm": sensitivity.Categorical(tuple("ab"[int(x > 0.5)] for x in rng.random(50))),
    }
    scores = values + rng.normal(0, 0.5, 50)
    whole = sensitivity.influences(scores, drawn, rng=np.random.default_rng(1))
    monkeypatch.setattr(sensitivity, "MAX_RANKS_IN_MEMORY", 333)  # six permutations at a time
    assert sensitivity.influences(scores, drawn, rng=np.random.default_rng(1)) == whole
