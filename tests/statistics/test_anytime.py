"""Evidence that holds whenever one looks."""

import math

import numpy as np
import pytest

from coequal.statistics.anytime import sign_evidence


def test_wealth_by_hand():
    # One win: B(3/2, 1/2) / B(1/2, 1/2) * 2 = (1/2) * 2 = 1. Two: B(5/2, 1/2) / pi * 4 = 3/8 * 4.
    assert sign_evidence(np.array([1.0]), np.array([2.0])).e_value == pytest.approx(1)
    two = sign_evidence(np.array([1.0, 1.0]), np.array([2.0, math.nan]))
    assert (two.wins, two.losses) == (2, 0)
    assert two.e_value == pytest.approx(1.5)
    # Ties bet nothing, and what was shown once stays shown.
    later = sign_evidence(np.array([1.0, 1.0, 3.0, 5.0]), np.array([2.0, 2.0, 3.0, 4.0]))
    assert (later.wins, later.losses) == (2, 1)
    assert later.e_value == pytest.approx(1.5)
    assert not later.shown(0.05)
    assert sign_evidence(np.zeros(12), np.ones(12)).shown(0.05)
    assert sign_evidence(np.zeros(3), np.zeros(3)).e_value == 1


def test_a_fair_coin_is_expected_to_win_nothing():
    # The mean of the wealth after t signs over all 2^t sequences is 1: KT is a probability.
    from itertools import product

    final = [
        sign_evidence(np.zeros(6), np.array(signs, dtype=float))
        for signs in product((-1, 1), repeat=6)
    ]
    crossed = np.mean([found.e_value >= 4 for found in final])
    assert 0 < crossed <= 1 / 4  # Ville
