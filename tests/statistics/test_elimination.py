"""Which models were not shown to be beaten."""

import math
from itertools import combinations

import numpy as np
import pytest

from coequal.statistics.best_of import expected_best
from coequal.statistics.better import pair_z, probability_better
from coequal.statistics.elimination import (
    BY_LOGIT,
    BY_PERMUTATION,
    PairTest,
    eliminate,
    pair_p_value,
    verdict,
)
from coequal.statistics.search import Search

FAILED = math.nan


def _good(rng: np.random.Generator, shape: tuple[int, ...], factor: float = 1) -> np.ndarray:
    """A cluster of good settings, a broad middle, a bad tail; with 2 % of noise."""
    kind = rng.choice(3, size=shape, p=[0.15, 0.60, 0.25])
    middle, spread = np.log([25, 45, 150])[kind], np.array([0.08, 0.35, 0.6])[kind]
    noise = 0.02 * rng.standard_normal(shape)
    return factor * np.exp(middle + spread * rng.standard_normal(shape) + noise)


def _named(rows: np.ndarray) -> dict[str, np.ndarray]:
    return {f"model{i}": row for i, row in enumerate(rows)}


def test_p_value_by_hand():
    # 4 against 4, fully apart: 2 of the C(8,4) = 70 ways to split are as extreme.
    low, high = np.arange(4.0), np.arange(4.0) + 10
    assert pair_p_value(low, high) == pytest.approx(2 / 70)
    assert pair_p_value(low, low) == 1
    assert pair_p_value(np.array([FAILED] * 20), np.array([FAILED] * 20)) == 1
    # 15 against 15, fully apart, is exact as well: 2 of C(30,15) = 155,117,520.
    assert pair_p_value(np.arange(15.0), np.arange(15.0) + 20) == pytest.approx(2 / 155_117_520)


def test_p_value_agrees_with_every_division_whatever_the_ties():
    rng = np.random.default_rng(13)
    for counts in ((2, 5), (4, 4), (5, 3)):
        a, b = (np.where(x > 3, FAILED, x) for x in (rng.integers(1, 5, n) * 1.0 for n in counts))
        pooled = np.concatenate([a, b])
        apart = []
        for chosen in combinations(range(len(pooled)), len(a)):
            others = np.delete(pooled, chosen)
            apart.append(
                abs(probability_better(Search(pooled[list(chosen)]), Search(others)) - 0.5)
            )
        observed = abs(probability_better(Search(a), Search(b)) - 0.5)
        extreme = [value >= observed - 1e-9 for value in apart]
        assert pair_p_value(a, b) == pytest.approx(np.mean(extreme))


def test_p_value_is_the_same_both_ways_round():
    rng = np.random.default_rng(0)
    for count in (4, 9, 30):
        a, b = rng.normal(size=count), rng.normal(0.5, size=count)
        a[0] = FAILED
        assert pair_p_value(a, b) == pytest.approx(pair_p_value(b, a))


def _pairs(z_12: float, z_13: float, z_23: float) -> list[PairTest]:
    scores = {("1", "2"): z_12, ("1", "3"): z_13, ("2", "3"): z_23}
    return [
        PairTest(worse, better, 0.9, math.erfc(z / math.sqrt(2)), z)
        for (better, worse), z in scores.items()
    ]


@pytest.mark.parametrize(
    ("z", "tier"),
    [
        # Three models need 2.394 (.05/3), two 1.960. 3.0 removes 3, 1.0 stops.
        ((1.0, 3.0, 2.5), ["1", "2"]),
        ((1.0, 2.3, 2.2), ["1", "2", "3"]),
        # 4 removes 3; then 2.0 > 1.960 removes 2, which three models at once would have kept.
        ((2.0, 4.0, 3.0), ["1"]),
        # The model of the clearest pair goes, whatever else it beats: 3 by 2, then 2 by 1.
        ((2.0, 2.5, 3.0), ["1"]),
    ],
)
def test_elimination_by_hand(z, tier):
    removals = eliminate(_pairs(*z), ["1", "2", "3"])
    gone = [removal.model for removal in removals if removal.adjusted_p <= 0.05]
    assert [name for name in "123" if name not in gone] == tier
    assert removals[0].model == "3"
    assert removals[0].beaten_by == ("2" if z[2] > z[1] else "1")
    assert [removal.threshold for removal in removals] == pytest.approx([0.05 / 3, 0.05])


def test_adjusted_p_values_never_fall():
    # z 3, three pairs: 3 * .0026998. Then z 2.5 alone: .0124193.
    removals = eliminate(_pairs(3.0, 2.5, 0.5), ["1", "2", "3"])
    assert [removal.model for removal in removals] == ["2", "3"]
    assert [removal.adjusted_p for removal in removals] == pytest.approx(
        [3 * 0.0026998, 0.0124193], rel=1e-5
    )
    turned = eliminate(_pairs(2.2, 2.5, 0.5), ["1", "2", "3"])
    # Model 3 first, 3 * .0124193; then 2 at .0278, below it.
    assert [removal.adjusted_p for removal in turned] == pytest.approx([0.0372579] * 2, rel=1e-5)


def test_equally_clear_pairs_remove_the_last_model_by_the_first():
    removals = eliminate(_pairs(math.inf, math.inf, math.inf), ["1", "2", "3"])
    assert [(r.model, r.beaten_by) for r in removals] == [("3", "1"), ("2", "1")]


def test_four_settings_of_eight_models_can_separate_nothing():
    scores = {f"model{i}": np.arange(4.0) + 10 * i for i in range(8)}
    found = verdict(scores)
    assert len(found.tier) == 8
    assert found.least_p == pytest.approx(2 / 70)
    assert found.threshold == pytest.approx(0.05 / 28)
    assert not found.could_separate
    assert (found.method, found.budget) == (BY_PERMUTATION, 1)


def test_a_clear_loser_is_removed_and_named():
    rng = np.random.default_rng(1)
    scores = {"a": rng.normal(10, 1, 30), "b": rng.normal(10, 1, 30), "c": rng.normal(20, 1, 30)}
    found = verdict(scores)
    assert set(found.tier) == {"a", "b"}
    assert [removal.model for removal in found.removed] == ["c"]
    assert found.removed[0].beaten_by in "ab"
    assert found.removed[0].p_value <= found.removed[0].threshold
    assert found.could_separate
    assert (found.method, found.budget, found.settings) == (BY_LOGIT, 3, dict.fromkeys("abc", 30))
    # Never less than the permutation distribution allows: 2 of C(60, 30) splits.
    assert found.removed[0].p_value >= 2 / math.comb(60, 30)


def test_the_numbers_of_a_removal_are_those_of_its_pair():
    rng = np.random.default_rng(4)
    a, b = _good(rng, (40,)), _good(rng, (50,), 2)
    found = verdict({"a": a, "b": b})
    # The smaller search has 40 settings: n = 4 for both.
    pair = Search(a, 4), Search(b, 4)
    (removal,) = found.removed
    assert (found.budget, removal.model, removal.beaten_by) == (4, "b", "a")
    assert removal.probability == pytest.approx(probability_better(*pair))
    assert removal.z == pytest.approx(pair_z(*pair))
    assert removal.p_value == pytest.approx(math.erfc(pair_z(*pair) / math.sqrt(2)))
    assert found.adjusted_p == {"a": 1.0, "b": removal.p_value}


def test_further_tiers_are_those_of_the_models_that_left():
    rng = np.random.default_rng(5)
    scores = _named(np.concatenate([_good(rng, (2, 60), 4.0**step) for step in range(3)]))
    found = verdict(scores)
    assert [set(tier) for tier in found.tiers] == [
        {"model0", "model1"},
        {"model2", "model3"},
        {"model4", "model5"},
    ]
    assert found.tier == found.tiers[0]


def test_one_small_search_leaves_all_to_the_permutation_law():
    rng = np.random.default_rng(6)
    scores = {"a": rng.normal(size=19), "b": rng.normal(size=40), "c": rng.normal(9, 1, 40)}
    found = verdict(scores)
    assert (found.method, found.budget) == (BY_PERMUTATION, 1)
    assert found.removed[0].z is None
    assert set(found.tier) == {"a", "b"}


def test_the_choice_on_validation_counts():
    # On the test scores alone a is far better; a choice that takes its worst settings loses.
    rng = np.random.default_rng(7)
    a, b = rng.normal(10, 1, 100), rng.normal(10.5, 0.1, 100)
    assert verdict({"a": a, "b": b}).tier == ("a",)
    against = verdict({"a": a, "b": b}, choose_by={"a": -a, "b": b})
    assert against.removed[0].model == "a"


def test_a_model_that_fails_half_the_time_does_not_win_by_its_survivors():
    good = np.linspace(10, 12, 40)
    lucky = np.where(np.arange(40) % 2, 9.9, np.nan)
    assert probability_better(Search(good), Search(lucky)) == pytest.approx(0.5)
    # Small search, n = 1: three of four fail, and the rest are slightly better.
    often = np.where(np.arange(19) % 4, np.nan, 9.9)
    assert verdict({"good": good[:19], "often": often}).tier == ("good",)


def test_survivors_win_no_more_often_than_twins():
    # Half of b's trials fail, its survivors have a's distribution: b may never be put above a,
    # and the failures must count against it (400 studies; .05 would be 20, and 31 is 99.8 % of that
    # distribution).
    rng = np.random.default_rng(8)
    won = worse = 0
    for _ in range(400):
        a, b = rng.lognormal(4, 0.4, (2, 20))
        b[rng.random(20) < 0.5] = FAILED
        removed = verdict({"a": a, "b": b}).removed
        won += any(removal.model == "a" for removal in removed)
        worse += expected_best(b, 2, cap=500) > expected_best(a, 2, cap=500)
    assert won <= 12
    assert worse > 300


def test_nothing_to_compare():
    alone = verdict({"a": np.array([1.0, 2.0])})
    assert (alone.tier, alone.removed, alone.tiers, alone.least_p) == (("a",), (), (("a",),), 1.0)
    with pytest.raises(ValueError, match="at least one model"):
        verdict({})
    with pytest.raises(ValueError, match="with settings"):
        verdict({"a": np.array([])})


def test_small_twins_stay_together_in_95_percent_of_studies():
    # Four models of one distribution, 2 failures in 10 on average: at most 5 % of 400 studies may
    # separate any. Without the correction for six pairs it would be about 20 %.
    rng = np.random.default_rng(3)
    apart = 0
    for _ in range(400):
        draws = rng.lognormal(4, 0.6, (4, 10))
        draws[rng.random(draws.shape) < 0.2] = np.nan
        apart += len(verdict(_named(draws)).tier) < 4
    # Binomial(400, .05) stays at or below 31 in 99.8 % of cases.
    assert apart <= 31


def test_twins_stay_together_in_95_percent_of_studies():
    # Two names for one distribution, B = 50, n = 5, chosen on validation: 5 % of 400, as above.
    rng = np.random.default_rng(9)
    apart = 0
    for _ in range(400):
        tests = _good(rng, (2, 50))
        looked_at = tests * np.exp(0.02 * rng.standard_normal(tests.shape))
        found = verdict(_named(tests), choose_by=_named(looked_at))
        apart += len(found.tier) < 2
    assert apart <= 31


def test_four_twins_stay_together_in_95_percent_of_studies():
    # As above by normal scores; docs/validation.md has eight and twelve models.
    rng = np.random.default_rng(10)
    apart = sum(len(verdict(_named(_good(rng, (4, 50)))).tier) < 4 for _ in range(400))
    assert apart <= 31


def test_a_known_difference_is_found():
    # A distribution 1.2 times as bad at B = 100, n = 10 is told apart in 85 to 95 % of studies;
    # of 150, at least 118 where 85 % are expected (99.8 %).
    rng = np.random.default_rng(11)
    found = [
        verdict({"a": _good(rng, (100,)), "b": _good(rng, (100,), 1.2)}).tier for _ in range(150)
    ]
    assert sum(tier == ("a",) for tier in found) >= 115
    assert not any(tier == ("b",) for tier in found)
