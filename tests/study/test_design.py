"""What follows from the design of a study, and its results as the verdict takes them."""

import math

import numpy as np
import pytest

from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.design import has_ratios, rules_of, usable_cap
from coequal.records import MetricInfo, Result
from coequal.selection import RunScore, SelectionRule, search_runs
from coequal.statistics.looks import Look
from coequal.study.plan import plan
from coequal.study.spec import Study

FD = MetricInfo("lower", "", best=0.0)
KID = MetricInfo("lower", "")  # its estimates may be below 0
F1 = MetricInfo("higher", "", best=1.0)
NAN = math.nan


def rules(metric=FD, cap=None, **values):
    study = Study.model_validate({"study": "x", **values}).as_dict()
    return rules_of(study, metric, cap=cap, looks=[(20, 0.05)], comparisons=28)


def test_settings_count_up_to_the_first_without_a_result():
    # Setting 0 is the authors'; 4 has no result yet, so that 5 does not count. Of the fresh seeds
    # the first is the run that was trained again; that of setting 3 failed.
    scores = [
        *(RunScore(number, 0, 10.0 + number, 20.0 + number) for number in (5, 0, 1, 2)),
        *(RunScore(3, 0, NAN, NAN), RunScore(1, 2, 0.0, 0.0), RunScore(5, 1, 0.0, 0.0)),
        *(RunScore(2, 1, 0.0, 99.0), RunScore(3, 1, NAN, NAN)),
    ]
    found = search_runs(scores)
    np.testing.assert_array_equal(found.validation, [11, 12, NAN])
    np.testing.assert_array_equal(found.test, [21, 22, NAN])
    np.testing.assert_array_equal(found.fresh, [NAN, 99, NAN])
    assert found.retrained.tolist() == [False, True, True]
    assert search_runs([RunScore(0, 0, 1.0, 1.0)]).settings == 0


@pytest.mark.parametrize(
    ("validation", "test", "wanted"),
    [(0.2, 0.3, (-0.2, -0.3)), (0.2, NAN, (NAN, NAN)), (NAN, 0.3, (NAN, NAN))],
)
def test_a_run_scores_as_a_cost_and_fails_without_a_number_on_either_split(
    validation, test, wanted
):
    (trial,) = plan(
        Study.model_validate({"study": "x", "models": ["vae"], "search": {"settings": 0}})
    )
    measured = (
        Measurement("f1", "validation", validation, "p"),
        Measurement("f1", "test", test, "p"),
        Measurement("fd", "test", 7.0, "p"),
    )
    points = Checkpoints.of([Checkpoint(1, Spent(), measured)])
    result = Result(trial, "done", Spent(), points)
    rule = SelectionRule("f1", F1)
    np.testing.assert_array_equal(rule.score(result), (0, 0, *wanted))
    np.testing.assert_array_equal(rule.score(rule.summary(result)), (0, 0, *wanted))
    failed = Result(trial, "diverged", Spent(), points)
    assert math.isnan(rule.score(failed).validation)


def test_a_ratio_is_meant_where_no_score_is_below_zero_and_less_is_better():
    assert [has_ratios(metric) for metric in (FD, KID, F1)] == [True, False, False]
    found = rules(cap=800.0)
    assert (found.scale, found.margin, found.cap) == ("log", 1.1, 800.0)
    assert rules(equivalence={"ratio": 1.3}).margin == 1.3
    assert (rules(KID).scale, rules(KID).margin) == ("linear", None)
    found = rules(F1, cap=0.1, equivalence={"difference": 0.02})
    assert (found.scale, found.margin, found.cap) == ("linear", 0.02, -0.1)
    assert rules(FD, equivalence={"difference": 5.0}).scale == "linear"


def test_rules_are_what_the_study_declares():
    found = rules(search={"settings": 50, "budget": 4, "retrain": 0.5})
    assert (found.budget, found.share, found.looks) == (4, 0.5, (Look(20, 0.05),))
    assert (found.pairs, found.comparisons) == (None, 28)
    arms = ["ns_gan", "vae", {"base": "ns_gan", "name": "a", "against": "ns_gan"}]
    assert rules(models=arms).pairs == (("a", "ns_gan"),)


def test_noise_that_is_as_good_as_real_images_is_no_cap():
    for cap, floor, wanted in ((800.0, 0.4, 800.0), (0.3, 0.4, None), (800.0, None, 800.0)):
        ends = {"cap": {"fd": cap}, "floor": {} if floor is None else {"fd": floor}}
        assert usable_cap(ends, "fd", FD) == wanted
    assert usable_cap({}, "fd", FD) is None
