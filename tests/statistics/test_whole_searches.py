"""Disjoint searches, and one statement over several datasets."""

import math

import numpy as np
import pytest

from coequal.statistics.better import better, probability_better
from coequal.statistics.joint import joint_pair
from coequal.statistics.search import Search
from coequal.statistics.whole_searches import whole_searches


def test_blocks_choose_by_validation_and_report_test():
    # Blocks (1, 2), (3, 4), (5, 6) of seven settings: validation prefers the 2nd, 3rd, 5th.
    search = Search(
        np.array([9.0, 1.0, 2.0, 8.0, 6.0, 7.0, 0.0]),
        2,
        np.array([5.0, 4.0, 1.0, 2.0, 3.0, math.nan, 0.0]),
    )
    found = whole_searches(search)
    assert found.scores == (1.0, 2.0, 6.0)
    assert found.mean == pytest.approx(3.0)
    assert found.sd == pytest.approx(math.sqrt(7.0))  # 4 + 1 + 9 = 14 over 2
    assert whole_searches(Search(np.arange(3.0), 2)) is None
    failed = whole_searches(Search(np.array([math.nan, math.nan, 4.0, 5.0]), 2))
    assert (failed.failed, failed.mean) == (1, 4.0)
    assert math.isnan(failed.sd)


def test_one_data_set_is_its_own_joint_statement():
    rng = np.random.default_rng(1)
    a, b = Search(rng.lognormal(3, 0.5, 30), 2), Search(rng.lognormal(3.3, 0.5, 30), 2)
    found, alone = joint_pair("a", "b", [(a, b)], 0.05), better(a, b)
    assert found.probability == pytest.approx(alone.probability)
    assert found.interval == pytest.approx((alone.low, alone.high))


def test_the_same_data_twice_adds_nothing_and_other_data_does():
    # Paired by setting: a copy of the dataset leaves the interval as it is; independent scores
    # narrow it.
    rng = np.random.default_rng(2)
    a, b, c, d = (Search(rng.lognormal(3, 0.5, 40), 2) for _ in range(4))
    once = joint_pair("a", "b", [(a, b)], 0.05)
    twice = joint_pair("a", "b", [(a, b), (a, b)], 0.05)
    assert twice.interval == pytest.approx(once.interval)
    other = joint_pair("a", "b", [(a, b), (c, d)], 0.05)
    assert other.probability == pytest.approx(
        (probability_better(a, b) + probability_better(c, d)) / 2
    )
    assert other.interval.high - other.interval.low < once.interval.high - once.interval.low
    assert joint_pair("a", "b", [(a, b), (Search(np.ones(3)), Search(np.ones(3)))], 0.05) is None
