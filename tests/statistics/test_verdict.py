"""Which models are better, equivalent, or not decided; when they stop; and that ties count."""

import math

import numpy as np
import pytest

from coequal.statistics.best_of import influences
from coequal.statistics.looks import Look, spend
from coequal.statistics.rules import Rules, SearchRuns
from coequal.statistics.verdict import BY_LOGIT, BY_SWAPS, verdict


def _runs(test, validation=None, fresh=None, retrained=None) -> SearchRuns:
    test = np.asarray(test, dtype=float)
    return SearchRuns(
        test if validation is None else np.asarray(validation, dtype=float),
        test,
        np.full(len(test), math.nan) if fresh is None else np.asarray(fresh, dtype=float),
        np.zeros(len(test), dtype=bool) if retrained is None else np.asarray(retrained),
    )


def _rules(*looks: int, budget: int = 1, **values) -> Rules:
    return Rules(budget, spend(looks), **({"margin": 1.1, "cap": 500.0} | values))


def _study(rng, settings: int, *factors: float, noise: float = 0.1) -> dict[str, SearchRuns]:
    """Models that share their draws, each so much worse than the first."""
    draws = rng.lognormal(4, 0.5, settings)
    return {
        f"model{i}": _runs(factor * draws * rng.lognormal(0, noise, settings))
        for i, factor in enumerate(factors)
    }


def test_eleven_settings_are_needed_for_eight_models():
    # .05 over 28 pairs is .00179; 2^(1-10) = .00195, 2^(1-11) = .00098.
    def could(settings: int) -> bool:
        found = verdict({str(i): _runs(np.arange(settings)) for i in range(8)}, _rules(settings))
        return found.could_separate

    assert not could(10)
    assert could(11)


def test_a_clear_loser_is_beaten_by_all_and_named():
    found = verdict(_study(np.random.default_rng(0), 30, 1, 1, 3), _rules(30, budget=3))
    assert set(found.beaten) == {"model2"}
    assert found.beaten["model2"].look == 0
    assert found.unbeaten == found.order[:2]
    assert found.pair("model2", "model0").outcome == "better"  # model0 is, against model2
    assert found.pair("model0", "model2").loser == "model2"
    assert (found.method, found.budget, found.looks_done, found.finished) == (BY_LOGIT, 3, 1, True)
    pair = found.pair("model0", "model2")
    assert pair.probability_interval.low > 0.5
    assert pair.ratio_interval.low < 1 / 3 < pair.ratio_interval.high
    assert pair.level == pytest.approx(0.05 / 3)


def test_equal_models_on_shared_draws_are_equivalent():
    # Differences of 1 % and 60 settings: both within 10 % of one another, and that is a finding.
    found = verdict(_study(np.random.default_rng(1), 60, 1, 1, noise=0.01), _rules(60, budget=2))
    (pair,) = found.pairs
    assert pair.outcome == "equivalent"
    assert 1 / 1.1 <= pair.ratio_interval.low <= pair.ratio <= pair.ratio_interval.high <= 1.1
    assert found.decided
    # Without a declared margin nothing is equivalent.
    (pair,) = verdict(
        _study(np.random.default_rng(1), 60, 1, 1, noise=0.01), _rules(60, budget=2, margin=None)
    ).pairs
    assert pair.outcome == "undecided"


def test_the_interval_of_the_ratio_by_hand():
    # n = 1: the mean log ratio of four settings, and Student's t with 3 degrees of freedom.
    a, b = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 3.0, 3.0, 9.0])
    (pair,) = verdict({"a": _runs(a), "b": _runs(b)}, _rules(4)).pairs
    logs = np.log(a / b)
    middle, reach = logs.mean(), 3.182446 * logs.std(ddof=1) / 2
    assert pair.ratio == pytest.approx(math.exp(middle))
    assert pair.ratio_interval == pytest.approx(
        (math.exp(middle - reach), math.exp(middle + reach)), rel=1e-6
    )
    linear = _rules(4, scale="linear", margin=0.5)
    (pair,) = verdict({"a": _runs(a), "b": _runs(b)}, linear).pairs
    assert pair.ratio == pytest.approx(np.mean(a - b))
    # A failure counts as the cap; without one there is no ratio, but there is P.
    b[3] = math.nan
    (pair,) = verdict({"a": _runs(a), "b": _runs(b)}, _rules(4, cap=9.0)).pairs
    assert pair.ratio == pytest.approx(math.exp(middle))
    (pair,) = verdict({"a": _runs(a), "b": _runs(b)}, _rules(4, cap=None)).pairs
    assert (pair.ratio, pair.ratio_interval) == (None, None)
    assert pair.probability > 0.5


def test_models_no_better_than_noise_are_not_made_equal_by_the_cap():
    # Noise scores 10. B is twice as bad as A, and both are worse than noise.
    a = np.array([12.0, 13.0, 15.0, 17.0])
    (pair,) = verdict({"a": _runs(a), "b": _runs(2 * a)}, _rules(4, cap=10.0)).pairs
    assert pair.ratio == pytest.approx(0.5)
    assert pair.outcome == "undecided"
    # A failure is then no better than the worst run that finished: log 12 + 13 + 15 + 34, against
    # log 24 + 26 + 30 + 34.
    a[3] = math.nan
    (pair,) = verdict({"a": _runs(a), "b": _runs([24, 26, 30, 34])}, _rules(4, cap=10.0)).pairs
    assert pair.ratio == pytest.approx((12 * 13 * 15 * 34 / (24 * 26 * 30 * 34)) ** 0.25)


def test_fresh_seeds_replace_the_search_s_own_scores():
    validation = np.arange(20.0) + 1
    # By validation the first quarter is retrained; its fresh scores are bad.
    fresh = np.where(np.arange(20) < 5, 400.0, math.nan)
    lucky = _runs(validation, fresh=fresh, retrained=np.arange(20) < 5)
    plain = _runs(validation + 0.5)
    rules = _rules(20, budget=2, share=0.25)
    found = verdict({"lucky": lucky, "plain": plain}, rules)
    assert found.looks_done == 0  # plain has no retrained run yet
    assert found.pairs[0].look is None
    assert found.pairs[0].probability_interval is None
    steady = _runs(validation + 0.5, fresh=validation + 0.5, retrained=np.ones(20, dtype=bool))
    found = verdict({"lucky": lucky, "steady": steady}, rules)
    assert found.looks_done == 1
    assert found.pairs[0].probability < 0.5
    own = verdict({"lucky": lucky, "steady": steady}, _rules(20, budget=2))
    assert own.pairs[0].probability > 0.5


def test_a_beaten_model_trains_no_more_and_is_not_waited_for():
    rng = np.random.default_rng(2)
    whole = _study(rng, 40, 1, 1, 4)
    first = {
        name: _runs(runs.test[: 20 if name == "model2" else 40]) for name, runs in whole.items()
    }
    rules = _rules(20, 40, budget=2)
    at_first = verdict({n: _runs(r.test[:20]) for n, r in whole.items()}, rules)
    assert at_first.beaten["model2"].look == 0
    assert at_first.training == ("model0", "model1")
    assert not at_first.finished
    found = verdict(first, rules)
    assert found.looks_done == 2
    assert found.settings == {"model0": 40, "model1": 40, "model2": 20}
    # The first decision stands, whatever came later.
    assert found.pair("model0", "model2") == at_first.pair("model0", "model2")
    assert found.pair("model0", "model1").settings == 40
    assert verdict(whole, rules).pairs == found.pairs


def test_changes_are_compared_with_their_base_alone_which_trains_on():
    rng = np.random.default_rng(4)
    study = _study(rng, 40, 1, 0.2, 1)
    pairs = (("model1", "model0"), ("model2", "model0"))
    found = verdict(
        {n: _runs(r.test[:20]) for n, r in study.items()}, _rules(20, 40, budget=2, pairs=pairs)
    )
    assert [pair.outcome for pair in found.pairs] == ["better", "undecided"]
    assert found.pairs[0].level == pytest.approx(spend([20, 40])[0].level / 2)
    # The base was beaten by one change, and is still needed by the other.
    assert found.training == ("model0", "model2")


def test_a_study_that_dropped_models_is_not_less_strict():
    study = _study(np.random.default_rng(5), 30, 1, 1.2)
    assert verdict(study, _rules(30, comparisons=28)).pairs[0].level == pytest.approx(0.05 / 28)


def test_the_budget_is_judged_as_far_as_the_settings_reach():
    rules = Rules(4, (Look(20, 0.05),))
    assert (rules.judged_budget, Rules(4, (Look(9, 0.05),)).judged_budget) == (2, 1)
    found = verdict(_study(np.random.default_rng(6), 12, 1, 9), Rules(4, (Look(12, 0.05),)))
    assert (found.budget, found.method) == (1, BY_SWAPS)
    assert found.pairs[0].z is None
    assert found.pairs[0].outcome == "better"


def test_ties_of_validation_add_the_spread_within_them():
    # Two settings tie at the best, B = 4, n = 2, with replacement: their group has W = 1 - (1/2)^2
    # = 3/4. A member that is d above its group's mean adds B W / k d = 4 * .75 / 2 d = 1.5 d.
    values, by = np.array([1.0, 3.0, 5.0, 5.0]), np.array([1.0, 1.0, 2.0, 2.0])
    plain = influences(np.array([2.0, 2.0, 5.0, 5.0]), 2, choose_by=by)
    assert influences(values, 2, choose_by=by) - plain == pytest.approx([-1.5, 1.5, 0, 0])


def test_equal_models_with_a_coarse_validation_stay_together():
    # Validation covers 25 of 25 modes for half of the settings, test 25 or 24 (costs, less is
    # better): without the spread inside ties, half of such studies separated equal models.
    rng = np.random.default_rng(0)
    beaten = 0
    for _ in range(60):
        study = {}
        for name in "ab":
            full = rng.random(50) < 0.5
            validation = np.where(full, -25.0, -np.round(rng.uniform(10, 24, 50)))
            study[name] = _runs(validation + (rng.random(50) < 0.2), validation)
        beaten += bool(verdict(study, _rules(50, budget=5, scale="linear", margin=None)).beaten)
    assert beaten <= 7  # P(more than 7 of 60 at 5 %) = .007


def test_nothing_is_claimed_before_the_first_look():
    study = _study(np.random.default_rng(7), 15, 1, 9)
    found = verdict(study, _rules(20, 40, budget=2))
    assert (found.looks_done, found.beaten, found.decided) == (0, {}, False)
    assert found.training == ("model0", "model1")
    (pair,) = found.pairs
    assert (pair.outcome, pair.look, pair.probability_interval, pair.p_value) == (
        "undecided",
        None,
        None,
        None,
    )
    assert pair.settings == 15
    nothing = verdict({"a": _runs([]), "b": _runs([1.0])}, _rules(20))
    assert nothing.pairs[0].settings == 0
    with pytest.raises(ValueError, match="at least one model"):
        verdict({}, _rules(20))


def test_the_first_settings_of_a_study_have_estimates():
    # Two of three settings of a budget of two: of the pairs of a = 1, 2, 3 the best are 1, 1, 2; of
    # b = 2, 3, 4 they are 2, 2, 3. A's 1 beats all; its 2 ties with 2 (2/3) and beats 3 (1/3).
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0])
    for settings in (1, 2, 3):
        runs = {"a": _runs(a[:settings]), "b": _runs(b[:settings])}
        (pair,) = verdict(runs, _rules(20, budget=2)).pairs
        assert (pair.look, pair.settings, pair.probability_interval) == (None, settings, None)
    assert pair.probability == pytest.approx(2 / 3 + 1 / 3 * (2 / 3 / 2 + 1 / 3))


def test_settings_after_all_error_is_spent_sharpen_estimates_and_decide_nothing():
    # As of a study that was judged once at 20 settings, and has grown to 40.
    rng = np.random.default_rng(5)
    runs = _study(rng, 40, 1.0, 1.02, 8.0, noise=0.8)
    looks = (Look(20, 0.05), Look(40, 0.0))
    grown = verdict(runs, Rules(1, looks, margin=1.1, cap=5000.0))
    once = verdict(runs, Rules(1, looks[:1], margin=1.1, cap=5000.0))
    near, far = grown.pair("model0", "model1"), grown.pair("model0", "model2")
    assert far == once.pair("model0", "model2")
    assert (far.outcome, near.outcome) == ("better", "undecided")
    assert (near.settings, near.probability_interval, near.ratio_interval) == (40, None, None)
    assert near.ratio != once.pair("model0", "model1").ratio
    # What could be decided at all is a matter of the look that had an error to spend.
    assert (grown.could_separate, grown.threshold) == (True, once.threshold)
