"""How many settings would separate two models."""

import math

import numpy as np
import pytest

from coequal.statistics.best_of import standard_error
from coequal.statistics.power import settings_for, settings_needed
from coequal.statistics.search import Search
from coequal.statistics.spacings import TooFewSettings


def _pair(gap: float, settings: int = 50, budget: int = 5, seed: int = 0) -> tuple[Search, Search]:
    rng = np.random.default_rng(seed)
    a, b = rng.lognormal(4, 0.5, (2, settings))
    return Search(a, budget), Search(b * gap, budget)


def test_the_formula_by_hand():
    # (1.959964 + .841621)^2 = 7.84888; times (4 + 4) / .5^2 = 251.16: 252 settings.
    assert settings_for(0.5, (4, 4)) == pytest.approx(251.164, abs=0.01)
    assert math.ceil(settings_for(0.5, (4, 4))) == 252
    assert settings_for(0.25, (4, 4)) == pytest.approx(4 * settings_for(0.5, (4, 4)))
    assert settings_for(0, (4, 4)) == math.inf


def test_three_settings_by_hand():
    # n = 1, (1,2,4) and (2,4,8), fifteen times each: D = log(1/2), v = (variance with ddof 1) / E^2
    # = (14/9 * 45/44) / (7/3)^2 = .2922078 for both.
    a, b = np.tile([1.0, 2.0, 4.0], 15), np.tile([2.0, 4.0, 8.0], 15)
    found = settings_needed(Search(a), Search(b), cap=100)
    assert found.difference == pytest.approx(math.log(0.5))
    assert found.variances == pytest.approx((0.2922078, 0.2922078), rel=1e-6)
    # se = sqrt(2 * .2922078 / 45) = .1139605; |D| +- 1.28 se = .839017 and .547278.
    assert found.se == pytest.approx(0.1139605, rel=1e-5)
    # 7.84888 * .5844156 = 4.587008: / .839017^2 = 6.52, / .480453 = 9.55, / .547278^2 = 15.3: 20.
    assert (found.low, found.likely, found.high) == (7, 10, 20)
    assert found.measured == (45, 45)
    assert found.more(found.high) == (0, 0)


def test_more_settings_counts_what_is_measured():
    a, b = _pair(1.15)
    found = settings_needed(Search(a.scores[:40], 4), Search(b.scores, 4), cap=1e3)
    assert found.likely is not None
    assert found.likely > 50
    assert found.more(found.likely) == (found.likely - 40, found.likely - 50)
    assert found.more(None) is None


def test_no_sure_difference_leaves_the_range_open():
    a, _ = _pair(1)
    found = settings_needed(a, a, cap=1e3)
    assert (found.difference, found.likely, found.high) == (0, None, None)
    # low: |D| + 1.28 se with se^2 = 2 v / B: 7.84888 * 2v / (1.6384 * 2v / 50) = 239.5.
    assert found.low == 240


def test_high_is_rounded_up_to_one_digit():
    a, b = _pair(1.6)
    high = settings_needed(a, b, cap=1e3).high
    assert high is not None
    assert high == int(str(high)[0]) * 10 ** (len(str(high)) - 1)


def test_the_scale_does_not_count_and_validation_does():
    a, b = _pair(1.4)
    plain = settings_needed(a, b, cap=1e3)
    scaled = settings_needed(Search(a.scores * 8, 5), Search(b.scores * 8, 5), cap=8e3)
    assert (scaled.low, scaled.likely, scaled.high) == (plain.low, plain.likely, plain.high)
    noisy = Search(a.scores, 5, np.random.default_rng(1).permutation(a.scores))
    chosen = settings_needed(noisy, b, cap=1e3)
    error = standard_error(a.scores, 5, cap=1e3, choose_by=noisy.choose_by)
    assert chosen.difference != plain.difference
    expected = math.exp(chosen.difference - plain.difference)
    assert expected > 1  # a choice by chance has the mean of one setting, not the best of five
    assert error > standard_error(a.scores, 5, cap=1e3)


def test_what_cannot_be_said_is_refused():
    a, b = _pair(1.5)
    with pytest.raises(TooFewSettings, match="best of 11 from 50"):
        settings_needed(Search(a.scores, 11), Search(b.scores, 11), cap=1e3)
    with pytest.raises(ValueError, match="one budget"):
        settings_needed(a, Search(b.scores, 4), cap=1e3)
    failing = Search(np.append(a.scores, math.nan), 5)
    with pytest.raises(ValueError, match="declare a cap"):
        settings_needed(failing, b, cap=math.inf)
    with pytest.raises(ValueError, match="no logarithm"):
        settings_needed(Search(-a.scores, 5), b, cap=1e3)


def test_two_models_that_never_vary_get_no_number():
    same = np.full(20, 500.0)  # all at the cap, as two models worse than noise are
    with pytest.raises(ValueError, match="nothing varies"):
        settings_needed(Search(same, 2), Search(same.copy(), 2), cap=450.0)
