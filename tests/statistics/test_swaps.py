"""Swaps of two models within their settings."""

import math
from itertools import product

import numpy as np
import pytest

from coequal.statistics.better import probability_better, standard_error
from coequal.statistics.search import Search
from coequal.statistics.swaps import least_p_value, swap_p_value


def test_p_value_of_swaps_is_that_of_all_ways_to_swap():
    rng = np.random.default_rng(3)
    for _ in range(4):
        a, b = (rng.integers(1, 6, 6).astype(float) for _ in "ab")
        a[0] = math.nan
        both = np.stack([a, b])

        def clearness(swaps, both=both):
            left, right = both[list(swaps), range(6)], both[[1 - s for s in swaps], range(6)]
            searches = Search(left), Search(right)
            ahead, error = probability_better(*searches) - 0.5, standard_error(*searches)
            return abs(ahead) / error if error else (math.inf if abs(ahead) > 1e-12 else 0.0)

        observed = clearness((0,) * 6)
        wanted = np.mean([clearness(s) >= observed - 1e-9 for s in product((0, 1), repeat=6)])
        assert swap_p_value(a, b) == pytest.approx(wanted)


def test_p_value_of_swaps_by_hand():
    # Fully apart: 2 of the 2^4 ways are as clear.
    assert swap_p_value(np.arange(4.0), np.arange(4.0) + 10) == pytest.approx(1 / 8)
    assert least_p_value(4) == 1 / 8
    # A 1, 4 against B 2, 3: P = 1/2, and every way is as far from it.
    assert swap_p_value(np.array([1.0, 4.0]), np.array([2.0, 3.0])) == 1
    failed = np.full(5, math.nan)
    assert swap_p_value(failed, failed) == 1
    # Beyond 14 settings 8,192 ways are drawn, the observed one among them.
    assert swap_p_value(np.arange(16.0), np.arange(16.0) + 50) == 1 / 8192 == least_p_value(16)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=15), rng.normal(0.3, 1, size=15)
    assert swap_p_value(a, b) == swap_p_value(a, b)
    assert swap_p_value(a, b) == pytest.approx(swap_p_value(b, a))


def test_narrow_and_wide_models_are_not_told_apart_by_their_width():
    # P = 1/2, correlated draws, 12 settings: without the standard error 11 to 15 % were separated.
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(300):
        shared = rng.standard_normal(12)
        narrow, wide = (s * (0.77 * shared + 0.63 * rng.standard_normal(12)) for s in (0.1, 1.0))
        wrong += swap_p_value(narrow, wide) <= 0.05
    assert wrong <= 24  # P(more than 24 of 300 at 5 %) = .01
