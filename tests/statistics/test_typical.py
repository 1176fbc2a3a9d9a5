"""The typical score of one tuned model, and its interval, by hand."""

import math

import numpy as np
import pytest

from coequal.statistics.looks import Look
from coequal.statistics.rules import Rules
from coequal.statistics.search import Search
from coequal.statistics.typical import TypicalScore, typical_scores


def found(scores, budget=1, cap=None, scale="log", settings=None) -> TypicalScore:
    scores = np.asarray(scores, dtype=float)
    rules = Rules(budget, (Look(settings or len(scores), 0.05),), scale=scale, cap=cap)
    return typical_scores({"a": Search(scores, budget, scores)}, rules)["a"]


def test_one_setting_is_the_geometric_mean_with_students_t():
    # Logarithms 1 to 6: mean 3.5; influences -2.5 to 2.5, whose squares add up to 17.5; standard
    # error (17.5 / (6 x 5))^(1/2) = 0.763763; t(0.975; 5) = 2.570582: 3.5 -+ 1.963315.
    score = found(np.exp(np.arange(1, 7)))
    assert score.score == pytest.approx(math.exp(3.5))
    assert [math.log(end) for end in score.interval] == pytest.approx(
        [3.5 - 1.963315, 3.5 + 1.963315], abs=1e-5
    )


def test_the_best_of_two_counts_the_better_settings_more():
    # Logarithms 1 to 20. The lower of two of them is (20 + 1) / 3 = 7 on average. With
    # m = 20 - i settings above the i-th, its influence is the mean of m (m + 1) / 20, which is
    # 2660 / 400 = 6.65, less its own; the squares add up to 637336 / 400 - 20 x 6.65^2 = 708.89;
    # standard error (708.89 / (20 x 19))^(1/2) = 1.365833; of 20 / 2 - 1 = 9 degrees of freedom,
    # t(0.975) = 2.262157: 7 -+ 3.089730.
    score = found(np.exp(np.arange(1, 21)), budget=2)
    assert math.log(score.score) == pytest.approx(7)
    assert [math.log(end) for end in score.interval] == pytest.approx(
        [7 - 3.089730, 7 + 3.089730], abs=1e-5
    )


def test_on_the_linear_scale_it_is_the_mean():
    score = found([-3, -2, -1, 1, 2, 3], scale="linear")
    # Squares 28; (28 / 30)^(1/2) x 2.570582 = 2.483426.
    assert score.score == pytest.approx(0)
    assert score.interval == pytest.approx((-2.483426, 2.483426), abs=1e-5)


def test_a_failure_counts_as_the_cap_or_as_the_worst_score_where_that_is_worse():
    scores = [10.0] * 5 + [math.nan]
    # Five of 10 and one of 640 = 10 x 2^6: 10 x 2^(6 / 6) = 20.
    assert found(scores, cap=640).score == pytest.approx(20)
    # One scored 1280 = 10 x 2^7, so that the failure counts as much: 10 x 2^(14 / 6).
    assert found([10.0] * 4 + [1280.0, math.nan], cap=640).score == pytest.approx(10 * 2 ** (7 / 3))
    rules = Rules(1, (Look(6, 0.05),))
    assert typical_scores({"a": Search(np.array(scores), 1)}, rules) == {}


def test_without_settings_enough_or_spread_there_is_no_interval():
    assert found(np.exp(np.arange(5))).interval is None
    assert found(np.exp(np.arange(6))).interval is not None
    assert found([10.0] * 8).interval is None
    # A budget of two is judged from 20 settings on: with 12 of them so far there is none yet.
    assert found(np.exp(np.arange(12)), budget=2, settings=20).interval is None
    assert found(np.exp(np.arange(20)), budget=2, settings=20).interval is not None
