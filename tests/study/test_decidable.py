"""What a study can decide, before it is spent."""

import math

import numpy as np
import pytest

from coequal.records import MetricInfo
from coequal.statistics.power import assumed_searches, smallest_difference
from coequal.statistics.rules import SearchRuns
from coequal.study.decidable import Earlier, decidable
from coequal.study.spec import Study

FD = MetricInfo("lower", "", best=0.0)
F1 = MetricInfo("higher", "", best=1.0)


def found(metric=FD, earlier=None, **values):
    return decidable(Study.model_validate({"study": "x", **values}), metric, earlier)


def test_too_few_settings_and_the_cheapest_ways_out():
    # Eight models are 28 pairs: 2^(1 - 11) = .00098 <= .05 / 28 = .00179 < 2^(1 - 10); against one
    # of them they are 7: 2^(1 - 9) = .0039 <= .05 / 7 = .0071 < 2^(1 - 8).
    few = found(search={"settings": 3})
    assert (few.pairs, few.reach.fewest, few.reach.possible) == (28, 11, False)
    assert few.reach.smallest is None
    ways = [(way.settings, way.against, way.trials) for way in few.changes]
    assert ways == [(9, "mm_gan", 8 * 6), (11, None, 8 * 8)]
    assert all(way.reach.possible for way in few.changes)
    enough = found(search={"settings": 10}, models=["ns_gan", "vae"])
    assert (enough.pairs, enough.reach.fewest, enough.reach.possible) == (1, 6, True)


def test_the_smallest_ratio_is_that_of_the_correction_and_the_assumed_spread():
    study = found(search={"settings": 40})
    level = 0.05 / 28
    wanted = smallest_difference(*assumed_searches(2), settings=40, level=level)
    assert study.reach.smallest == pytest.approx(wanted)
    assert study.source.startswith("assumed: standard deviation of log scores 0.6")
    against, more = study.changes
    assert (against.against, against.trials) == ("mm_gan", 0)
    # 40 settings more, and a quarter of 80 instead of 40 trained again, of eight models.
    assert (more.settings, more.trials) == (80, 8 * (40 + 10))
    assert 1 < more.reach.smallest < study.reach.smallest
    assert against.reach.smallest < study.reach.smallest
    # A pair alone, which no correction concerns.
    assert found(search={"settings": 40}, models=["ns_gan", "vae"]).reach.smallest < wanted


def test_a_budget_that_needs_more_settings_is_not_judged():
    assert (found(search={"settings": 19}).budget, found(search={"settings": 20}).budget) == (1, 2)
    wide = found(search={"settings": 40, "budget": 5})
    assert (wide.budget, wide.declared_budget) == (4, 5)


def test_a_first_look_spends_little_and_the_last_one_most():
    search = {"looks": [20, 40, 100], "settings": 20}
    early = found(search=search)
    # O'Brien and Fleming's first of three: 2 (1 - Phi(1.96 sqrt 5)) = 1.2e-5, among 28 pairs.
    assert early.reach.level == pytest.approx(1.17e-5 / 28, rel=0.01)
    assert not early.reach.possible
    assert early.last.settings == 100
    assert early.last.smallest < 1.5
    ways = {way.spending: way for way in early.changes}
    assert ways["pocock"].trials == 0
    assert ways["pocock"].reach.possible
    assert found(search={**search, "settings": 100}).last is None


def test_equal_models_need_many_settings_to_be_found_so():
    # With no correlation and one setting, log scores vary by sqrt(.6^2 + .18^2); the interval at
    # .05 and 80 % of estimates lie within log 1.5 if (1.96 + 1.28) sd sqrt(2 / B) does: here with
    # correlation .5 in the settings' part, 2 (.6^2 / 2 + .18^2) = .425 in place of 2 sd^2.
    study = found(search={"settings": 10}, models=["ns_gan", "vae"], equivalence={"ratio": 1.5})
    assert study.equivalent_from == pytest.approx(0.425 * (3.24 / math.log(1.5)) ** 2, rel=0.1)
    stricter = found(search={"settings": 10}, models=["ns_gan", "vae"])
    assert stricter.equivalent_from > 10 * study.equivalent_from


def test_fresh_seeds_of_changes_show_what_their_number_allows():
    arm = {"base": "ns_gan", "against": "ns_gan"}
    arms = [{**arm, "name": name} for name in ("a", "b", "c", "d")]
    few = found(models=["ns_gan", *arms], search={"settings": 0}, reruns={"seeds": 10})
    # 20 seeds of the base (10 sqrt 4); t of 28 degrees at 1 - .05 / 8 is 2.67, at .8 .855; times
    # .18 sqrt(1 / 10 + 1 / 20) = .0697.
    assert few.seeds == pytest.approx(math.exp((2.67 + 0.855) * 0.0697), rel=1e-3)
    more = found(models=["ns_gan", *arms], search={"settings": 0}, reruns={"seeds": 40})
    assert 1 < more.seeds < few.seeds
    assert found(search={"settings": 20}, reruns={"seeds": 10}).seeds is None


def runs(rng, spread: float, settings: int = 60) -> SearchRuns:
    values = rng.lognormal(3, spread, settings)
    return SearchRuns(values, values, values, np.zeros(settings, dtype=bool))


def test_earlier_runs_give_their_own_spread():
    rng = np.random.default_rng(1)
    quiet, wide = (
        Earlier({name: runs(rng, spread) for name in ("a", "b", "c")}, "runs of the past")
        for spread in (0.1, 0.5)
    )
    search = {"settings": 40}
    shown = [found(search=search, earlier=past).reach.smallest for past in (quiet, wide)]
    assert 1 < shown[0] < 1.2 < 1.5 < shown[1]
    assert found(search=search).reach.smallest not in shown
    assert found(search=search, earlier=quiet).source == "runs of the past"
    # Nine settings are too few to say anything.
    few = Earlier({name: runs(rng, 0.1, 9) for name in "ab"}, "few")
    assert found(search=search, earlier=few).source.startswith("assumed")


def test_a_difference_is_known_from_earlier_runs_alone():
    rng = np.random.default_rng(2)
    plain = found(F1, search={"settings": 40}, equivalence={"difference": 0.05})
    assert (plain.scale, plain.reach.smallest, plain.equivalent_from) == ("linear", None, None)
    assert plain.reach.possible
    scores = {name: -rng.normal(0.5, 0.05, 60) for name in "ab"}
    past = {n: SearchRuns(v, v, v, np.zeros(60, dtype=bool)) for n, v in scores.items()}
    known = found(
        F1, Earlier(past, "past"), search={"settings": 40}, equivalence={"difference": 0.05}
    )
    assert 0 < known.reach.smallest < 0.15
    assert known.equivalent_from > 10


def test_one_model_alone_is_compared_with_nothing():
    assert found(models=["vae"]) is None
