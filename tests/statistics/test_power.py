"""What a number of settings can show."""

import math
from dataclasses import replace

import numpy as np
import pytest

from coequal.statistics.power import (
    assumed_searches,
    fewest_settings,
    settings_needed,
    smallest_difference,
)
from coequal.statistics.search import Search


def test_numbers_by_hand():
    # 2^(1-B) <= .05/28 = .001786 from B = 11 (2^-10 = .000977); of seven pairs from 9; of one 6.
    assert [fewest_settings(0.05 / pairs) for pairs in (28, 7, 1)] == [11, 9, 6]
    # (1.959964 + .841621)^2 = 7.848880: at z = 1 on 20 settings 157 in all.
    assert settings_needed(1.0, 20, 0.05) == 157
    assert settings_needed(-2.0, 20, 0.05) == 40  # 39.24
    assert settings_needed(9.0, 20, 0.05) == 6  # never less than can decide at all
    assert settings_needed(0.0, 20, 0.05) is None


def test_the_smallest_ratio_of_a_paired_normal_difference():
    # n = 1, independent normal logs of sd .5: P = Phi(d / (.5 sqrt 2)), so that near 1/2 it grows
    # by .398942 / .707107 = .564190 per unit; the standard error of P on 400 settings of each is
    # sqrt(1/6 / 400) = .0204124. d = (1.959964 + .841621) * .0204124 / .564190 = .101361.
    a, b = assumed_searches(1, spread=0.5, correlation=0.0, seed_spread=0.0)
    found = smallest_difference(a, b, settings=400, level=0.05)
    assert math.log(found) == pytest.approx(0.1014, rel=0.03)


def test_more_settings_and_fewer_pairs_show_less_and_a_larger_budget_more():
    a, b = assumed_searches(2)
    few, many = (smallest_difference(a, b, settings=n, level=0.05 / 28) for n in (40, 160))
    assert 1 < many < few
    assert smallest_difference(a, b, settings=40, level=0.05) < few
    c, d = assumed_searches(4)
    assert smallest_difference(c, d, settings=40, level=0.05 / 28) > few
    alike = assumed_searches(2, correlation=0.9)
    assert smallest_difference(*alike, settings=40, level=0.05 / 28) < few
    loud = assumed_searches(2, seed_spread=0.6)
    assert smallest_difference(*loud, settings=40, level=0.05 / 28) > few


def test_what_no_difference_could_show():
    a, b = assumed_searches(1)
    assert smallest_difference(a, b, settings=10, level=0.05 / 28) is None
    assert smallest_difference(Search(-a.scores), b, settings=40, level=0.05) is None
    failed = replace(a, scores=np.full(a.settings, math.nan))
    assert smallest_difference(failed, b, settings=40, level=0.05) is None


def test_differences_on_the_linear_scale_keep_the_unit():
    rng = np.random.default_rng(0)
    a, b = Search(-rng.random(200)), Search(-rng.random(200))
    found = smallest_difference(a, b, settings=50, level=0.05, scale="linear")
    ten = [Search(10 * s.scores) for s in (a, b)]
    assert smallest_difference(*ten, settings=50, level=0.05, scale="linear") == pytest.approx(
        10 * found, rel=1e-3
    )
