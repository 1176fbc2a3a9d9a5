"""The error that each look may spend, and what is trained again."""

import math

import numpy as np
import pytest

from coequal.statistics.looks import Look, retrained_settings, spend


def test_one_look_spends_everything():
    assert spend([20]) == (Look(20, pytest.approx(0.05)),)


@pytest.mark.parametrize(
    ("spending", "first"),
    # At t = 1/4: 2 (1 - Phi(1.959964 / .5)) = 2 (1 - Phi(3.919928)) = 8.8574e-5;
    # .05 ln(1 + 1.718282 / 4) = .05 * .357374 = .0178687.
    [("obrien_fleming", 8.8574e-5), ("pocock", 0.0178687)],
)
def test_increments_by_hand_add_up_to_the_level(spending, first):
    looks = spend([25, 50, 75, 100], spending=spending)
    assert [look.settings for look in looks] == [25, 50, 75, 100]
    assert looks[0].level == pytest.approx(first, rel=1e-4)
    assert math.fsum(look.level for look in looks) == pytest.approx(0.05)


def test_what_was_spent_stays_spent_when_a_study_grows():
    before = spend([25, 50, 100])[:2]
    after = spend([50, 100, 200], done=before)
    assert after[:2] == before
    assert [look.settings for look in after] == [25, 50, 100, 200]
    assert math.fsum(look.level for look in after) == pytest.approx(0.05)


def test_with_nothing_left_no_later_look_can_decide():
    done = spend([20])
    assert spend([20, 40], done=done) == done


@pytest.mark.parametrize("settings", [[], [0, 5], [5, 5], [9, 3]])
def test_looks_ascend(settings):
    with pytest.raises(ValueError, match="ascend"):
        spend(settings)


def test_the_best_share_is_trained_again_and_stays_in():
    validation = np.array([5.0, math.nan, 3.0, 4.0, 1.0, 2.0, 9.0, 8.0])
    # A quarter of the first four is one: 3.0. Of all eight two: 1.0 and 2.0; 3.0 stays.
    assert retrained_settings(validation, [4], 0.25) == [2]
    assert retrained_settings(validation, [4, 8], 0.25) == [2, 4, 5]
    assert retrained_settings(validation, [8], 0.25) == [4, 5]
    # A part of a setting is a whole one; none at a share of 0; failures never.
    assert retrained_settings(validation, [8], 0.2) == [4, 5]
    assert retrained_settings(validation, [8], 0.0) == []
    assert retrained_settings(validation, [8], 1.0) == [0, 2, 3, 4, 5, 6, 7]
    # Of equal ones the first drawn.
    assert retrained_settings(np.ones(4), [4], 0.5) == [0, 1]
