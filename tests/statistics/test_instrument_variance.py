"""What an instrument adds to a score: by hand, and the truth of a simulation."""

import numpy as np
import pytest

from coequal.statistics.instrument import encoder_variance, split_variance


def test_a_part_that_all_networks_share_is_not_one_that_moves_them_apart():
    # Encoders add 0, 1 and 5 to every network: a variance of 7, and nothing else.
    scores = np.array([[3.0], [8.0], [9.0]]) + np.array([0.0, 1.0, 5.0])
    found = encoder_variance(scores, ["a", "a", "b"])
    assert found.shared == pytest.approx(7.0)
    assert (found.model, found.network, found.specific) == pytest.approx((0, 0, 0), abs=1e-12)
    assert found.swapped == 0


def test_components_by_hand():
    # Two models of two networks, two encoders. Less each network's mean, by the second encoder
    # (by the first it is the negative): a +3, +1; b -1, -1.
    scores = np.array([[10, 16], [10, 12], [14, 12], [14, 12]], float)
    found = encoder_variance(scores, ["a", "a", "b", "b"])
    # Within models: a's networks are 1 and -1 from their mean of 2, by either encoder: squares of 4
    # in all, 2 degrees of freedom (one for each model, times one of the encoders).
    assert found.network == pytest.approx(4 / 2)
    # Between models: means 2 and -1 are 1.5 and -1.5 from 0.5: 2 * 2 * 2.25 = 9, 1 degree; half of
    # the networks' part is carried in a mean of two.
    assert found.model == pytest.approx(9 - 2 / 2)
    assert found.specific == pytest.approx(8 + 2)
    # Shared: 0.5 by either encoder: 2 * 0.25 = 0.5, less 9 / 2 that the two models' parts leave.
    assert found.shared == pytest.approx(0.5 - 9 / 2)
    # Of the four pairs of a and b, all stand the other way: 10 < 14, and 16 or 12 > 12 or a tie.
    assert found.swapped == 1
    assert (found.networks, found.states) == (4, 2)


def test_without_two_networks_of_a_model_both_parts_are_one():
    scores = np.array([[10, 16], [14, 12]], float)
    found = encoder_variance(scores, ["a", "b"])
    # +-3 and -+1 are 2 from their mean 1, by either encoder: 2 * 2 * 4 = 16, 1 degree.
    assert (found.network, found.model, found.specific) == (None, 16, 16)


def test_with_one_model_there_is_no_part_of_the_model():
    found = encoder_variance(np.array([[10, 16], [10, 12]], float), ["a", "a"])
    # 3 and 1 are 1 from their mean 2, by either encoder: 2 * 2 * 1 = 4, 1 degree; shared 2 * 4 = 8,
    # less half of 4.
    assert (found.model, found.network, found.specific) == (None, 4, 4)
    assert found.shared == pytest.approx(8 - 2)
    assert found.swapped is None


def test_a_half_has_twice_the_variance_and_a_difference_of_two_four_times():
    # One partition: halves differ by 2 for both networks. (2 / 2)^2 = 1 for all images.
    found = split_variance(np.array([[[5.0, 3.0]], [[9.0, 7.0]]]), ["a", "b"])
    assert found.shared == pytest.approx(1.0)
    assert found.specific == 0
    assert tuple(found.specific_interval) == (0, 0)
    assert found.states == 2


def test_the_true_variances_are_found_and_covered():
    rng = np.random.default_rng(0)
    models = [name for name in "abcdefgh" for _ in range(2)]
    found = []
    for _ in range(1000):  # 8 models of 2 networks, 5 encoders; variances 1, 4 and 2
        own = np.repeat(rng.normal(0, 2, (8, 5)), 2, axis=0)
        scores = rng.normal(0, 1, 5) + own + rng.normal(0, 2**0.5, (16, 5)) + np.arange(16)[:, None]
        found.append(encoder_variance(scores, models))
    means = [np.mean([getattr(v, k) for v in found]) for k in ("shared", "model", "network")]
    # Standard errors over 1,000: shared about 0.03, model 0.05, network 0.02.
    assert means == pytest.approx([1, 4, 2], abs=0.15)
    covered = np.mean([v.specific_interval.low <= 6 <= v.specific_interval.high for v in found])
    assert 0.93 < covered < 0.97  # 0.95, with a standard error of 0.007


def test_the_split_of_a_simulation_is_found():
    # Scores are means of a value per image; over all images a mean has variance 1 / 400 shared and
    # 4 / 400 of each network's own (one network for each model).
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        values = rng.normal(0, 1, 400) + rng.normal(0, 2, (6, 400))
        halves = []
        for _ in range(5):
            first, second = np.split(rng.permutation(400), 2)
            halves.append([values[:, first].mean(1), values[:, second].mean(1)])
        found.append(split_variance(np.moveaxis(np.array(halves), 2, 0), list("abcdef")))
    shared, model = (np.mean([getattr(v, k) for v in found]) for k in ("shared", "model"))
    assert shared == pytest.approx(1 / 400, rel=0.15)
    assert model == pytest.approx(4 / 400, rel=0.1)
