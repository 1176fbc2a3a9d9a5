"""Whether a training still improves at its end."""

import math

import pytest

from coequal.analysis.improvement import Improvement, improvement
from coequal.records import MetricInfo

FD = MetricInfo("lower", "squared distance", best=0.0)
F1 = MetricInfo("higher", "fraction", best=1.0, worst=0.0)
STEPS = [100, 200, 300, 400, 500, 600]
UNKNOWN = [math.nan] * 6


def test_a_score_that_falls_with_the_steps_still_improves():
    # FD = 60,000 / steps is a line of slope -1 in both logarithms, without residuals. The later
    # half begins at step 300, with 200, and ends with 100.
    values = [60_000 / step for step in STEPS]
    assert improvement(STEPS, values, UNKNOWN, FD) == Improvement(300, 200.0, 100.0)
    assert improvement(STEPS, values[::-1], UNKNOWN, FD) is None


def test_a_score_that_stands_still_or_goes_up_and_down_does_not_improve():
    assert improvement(STEPS, [50.0] * 6, UNKNOWN, FD) is None
    # Up and down by a tenth: the residuals are larger than the fall.
    assert improvement(STEPS, [90, 80, 44, 40, 44, 39.5], UNKNOWN, FD) is None
    # It fell by 60 %, and rose again to more than its best value.
    assert improvement(STEPS, [90, 80, 70, 40, 20, 28], UNKNOWN, FD) is None


def test_the_error_of_the_measurements_and_the_least_gain_count():
    # 10 % from step 300 to 600, along a line: a gain.
    values = [100.0, 95.0, *(80 * (step / 300) ** -0.152 for step in STEPS[2:])]
    assert improvement(STEPS, values, [0.1] * 6, FD) is not None
    # With errors of 5 % the slope is known to 0.05 / sqrt(0.27) = 0.10, and 0.152 is less than 2 x.
    assert improvement(STEPS, values, [4.0] * 6, FD) is None
    # 2 % in a doubling are less than 3 %.
    slow = [100.0, 95.0, *(80 * (step / 300) ** -0.029 for step in STEPS[2:])]
    assert improvement(STEPS, slow, UNKNOWN, FD) is None


def test_a_fraction_that_rises_improves_on_a_linear_scale():
    rising = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert improvement(STEPS, rising, UNKNOWN, F1) == Improvement(300, 0.2, 0.5)
    assert improvement(STEPS, rising[::-1], UNKNOWN, F1) is None


def test_a_target_and_too_few_checkpoints_tell_nothing():
    values = [60_000 / step for step in STEPS]
    assert improvement(STEPS, values, UNKNOWN, MetricInfo("target", "", target=0.0)) is None
    assert improvement(STEPS[:2], values[:2], UNKNOWN[:2], FD) is None
    assert improvement([], [], [], FD) is None


@pytest.mark.parametrize("missing", [0, 5])
def test_checkpoints_without_a_score_are_left_out(missing):
    values = [60_000 / step for step in STEPS]
    values[missing] = math.nan
    found = improvement(STEPS, values, UNKNOWN, FD)
    assert found is not None
    assert found.now == pytest.approx(100.0 if missing == 0 else 120.0)
