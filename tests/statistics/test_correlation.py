import math

import numpy as np
import pytest

from coequal.statistics.correlation import (
    MAX_GROUPS,
    MIN_MODELS,
    MIN_PAIRS,
    clustered_spearman,
    spearman,
)


def test_a_rank_correlation_by_hand():
    # Ranks 1 2 3 4 5 against 2 1 4 3 5: differences 1 1 1 1 0, rho = 1 - 6 x 4 / (5 x 24) = .8.
    found = spearman([10, 20, 30, 40, 50], [2, 1, 4, 3, 500])
    assert found.value == pytest.approx(0.8)
    assert found.pairs == 5
    # atanh(.8) = 1.098612, half = 1.959964 sqrt(1.32 / 2) = 1.592288: tanh of -.493676, 2.690900.
    assert (found.low, found.high) == pytest.approx((-0.457124, 0.990843), abs=1e-5)


def test_equal_values_share_their_rank():
    # Ranks 1.5 1.5 3 4 and 1 2 3 4: covariance over deviations 4.5 / sqrt(4.5 x 5) = .948683.
    assert spearman([0, 0, 1, 2], [1, 2, 3, 4]).value == pytest.approx(4.5 / math.sqrt(22.5))


def test_what_can_t_be_said_is_not_said():
    assert spearman([1], [2]) is None
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    few = spearman([1, 2, 3, 5], [1, 3, 2, 4])
    assert len([1, 2, 3, 5]) < MIN_PAIRS
    assert (few.low, few.high) == (None, None)
    assert spearman(range(9), range(9)).low is None  # Fisher's scale ends at 1


def test_pairs_with_a_number_missing_are_left_out():
    whole = spearman([1, 2, 3, 4, 5, 6], [1, 3, 2, 4, 6, 5])
    holed = spearman([1, 2, math.nan, 3, 4, 5, 6, 7], [1, 3, 9, 2, 4, 6, 5, math.inf])
    assert holed == whole


@pytest.mark.parametrize("strength", [0.0, 0.5, 0.8])
def test_the_interval_covers(strength):
    # Of a normal distribution with correlation r the rank correlation is 6/pi asin(r/2). 400
    # studies: the standard error of a coverage of .95 is .011.
    rng = np.random.default_rng(0)
    truth = 6 / math.pi * math.asin(strength / 2)
    hits = 0
    for _ in range(400):
        x = rng.normal(size=40)
        y = strength * x + math.sqrt(1 - strength**2) * rng.normal(size=40)
        found = spearman(x, y)
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_a_jackknife_by_hand():
    # Five models of one setting: ranks 1 2 3 4 5 against 2 1 4 3 5, rho .8. With one left out, in
    # turn: 1 2 3 4 / 1 3 2 4: .8; the same; 1 2 3 4 / 2 1 3 4: .8; the same; 2 1 4 3: .6. atanh:
    # 1.098612 four times and .693147: the mean squared deviation is .16 x .405465^2 = .0263043,
    # times 4; t(4) .975 = 2.776445: atanh(.8) -+ .900595.
    found = clustered_spearman([10, 20, 30, 40, 50], [2, 1, 4, 3, 500], "abcde", [1] * 5)
    assert found.value == pytest.approx(0.8)
    half = 2.776445 * math.sqrt(4 * 0.16) * 0.405465
    assert half == pytest.approx(0.900605, abs=1e-5)
    middle = math.atanh(0.8)
    assert (found.low, found.high) == pytest.approx(
        (math.tanh(middle - half), math.tanh(middle + half)), abs=1e-5
    )


def test_few_models_have_no_interval():
    x, y = [1, 2, 3, 4, 5, 6, 7, 8], [1, 3, 2, 5, 4, 8, 7, 6]
    few = clustered_spearman(x, y, [0, 0, 1, 1, 2, 2, 3, 3], [0, 1] * 4)
    assert MIN_MODELS > 4
    assert (few.value, few.low) == (pytest.approx(spearman(x, y).value), None)
    assert clustered_spearman([1, 1], [1, 2], "ab", [1, 1]) is None


def test_pairs_of_a_model_are_no_pairs_of_their_own():
    # Every pair five times, as five settings of a model: no more is known than before.
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 8))
    y = x + y
    once = clustered_spearman(x, y, range(8), [0] * 8)
    models, settings = np.repeat(range(8), 5), list(range(5)) * 8
    again = clustered_spearman(np.repeat(x, 5), np.repeat(y, 5), models, settings)
    plain = spearman(np.repeat(x, 5), np.repeat(y, 5))
    assert again.high - again.low >= once.high - once.low > plain.high - plain.low


def test_many_settings_are_left_out_in_groups():
    rng = np.random.default_rng(1)
    settings = np.tile(np.arange(3 * MAX_GROUPS), 6)
    models = np.repeat(range(6), 3 * MAX_GROUPS)
    x, y = rng.normal(size=(2, len(models)))
    found = clustered_spearman(x, x + y, models, settings)
    assert found.low < found.value < found.high
    assert found.pairs == 18 * MAX_GROUPS
