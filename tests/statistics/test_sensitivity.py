"""Which hyperparameters mattered, which way, and whether the best lie at the edge."""

import math

import numpy as np
import pytest
from scipy.stats import kruskal

from coequal.statistics.sensitivity import Categorical, Numeric, influences, position

NAN = float("nan")


def only(scores, drawn, **options):
    (found,) = influences(scores, {"x": drawn}, rng=np.random.default_rng(0), **options)
    return found


def test_positions_on_both_scales():
    linear = Numeric(np.array([1.0, 2, 3]), 1, 5)
    assert position(linear) == pytest.approx([0, 1 / 4, 1 / 2])
    log = Numeric(np.array([1e-5, 1e-4, 1e-3]), 1e-5, 1e-3, log=True)
    assert position(log) == pytest.approx([0, 1 / 2, 1])
    for low, high, is_log in ((2, 2, False), (0, 1, True)):
        with pytest.raises(ValueError, match="not a range"):
            position(Numeric(np.ones(3), low, high, log=is_log))


def test_share_of_a_choice_is_that_of_kruskal_and_wallis():
    # R^2 = H / (n - 1), without the correction for ties that H has here: none. Adjusted for one
    # regressor of 12 settings: 1 - (1 - R^2) 11/10.
    scores = np.array([1.0, 2, 3, 5, 6, 9, 4, 7, 8, 10, 11, 12])
    values = ("a",) * 6 + ("b",) * 6
    explained = kruskal(scores[:6], scores[6:]).statistic / 11
    found = only(scores, Categorical(values))
    assert found.sobol_index == pytest.approx(1 - (1 - explained) * 11 / 10)
    assert (found.best_value, found.direction, found.edge) == ("a", None, None)


def test_share_of_a_number_by_hand():
    # Ranks are the positions themselves: all is explained, whatever the scores' own scale.
    values = np.linspace(0, 1, 11)
    found = only(np.exp(9 * values), Numeric(values, 0, 1))
    assert found.sobol_index == pytest.approx(1)
    assert found.direction == "lower"
    assert found.p_value == pytest.approx(1 / 2001)
    # Up and down, 0 1 0 1 ..: what a parabola explains of it is less than its two regressors would
    # of noise: 1 - (1 - R^2) 10/8 is below 0.
    pattern = np.array([0.0, 1] * 5 + [0])
    fitted = np.polyval(np.polyfit(values, pattern, 2), values)
    explained = 1 - np.sum((pattern - fitted) ** 2) / np.sum((pattern - pattern.mean()) ** 2)
    found = only(pattern, Numeric(values, 0, 1))
    assert found.sobol_index == pytest.approx(1 - (1 - explained) * 10 / 8)
    assert found.sobol_index < 0
    assert found.direction is None


@pytest.mark.parametrize(
    ("shape", "direction"),
    [
        (lambda x: x, "lower"),
        (lambda x: -x, "higher"),
        (lambda x: (x - 0.5) ** 2, "middle"),
        (lambda x: -((x - 0.5) ** 2), "ends"),
        (lambda x: (x - 0.05) ** 2, "lower"),
    ],
)
def test_direction(shape, direction):
    rng = np.random.default_rng(1)
    places = rng.random(60)
    values = np.exp(np.log(1e-5) + places * np.log(100))
    found = only(shape(places), Numeric(values, 1e-5, 1e-3, log=True))
    assert found.direction == direction
    assert found.sobol_index > 0.8


def test_two_values_of_a_number_make_a_line():
    values = np.array([1.0, 5] * 6)
    found = only(values + np.arange(12) / 100, Numeric(values, 1, 5))
    assert found.direction == "lower"
    assert only(-values, Numeric(values, 1, 5)).direction == "higher"


def test_failures_share_the_worst_rank():
    # High values fail: that alone is what mattered.
    values = np.linspace(0, 1, 30)
    scores = np.where(values > 0.5, NAN, 10.0)
    found = only(scores, Numeric(values, 0, 1))
    assert found.direction == "lower"
    assert found.sobol_index > 0.6
    same = only(np.where(values > 0.5, np.inf, 10.0), Numeric(values, 0, 1))
    assert same == found
    nothing = only(np.full(30, NAN), Numeric(values, 0, 1))
    assert (nothing.p_value, nothing.edge, nothing.direction) == (1, None, None)


def test_holm_and_order_over_hyper_parameters():
    rng = np.random.default_rng(2)
    places = rng.random((4, 50))
    scores = np.exp(3 * places[1]) + 0.1 * rng.normal(size=50)
    parameters = {name: Numeric(places[i], 0, 1) for i, name in enumerate("abcd")}
    found = influences(scores, parameters, rng=np.random.default_rng(3))
    assert found[0].name == "b"
    assert [one.sobol_index for one in found] == sorted(
        (one.sobol_index for one in found), reverse=True
    )
    assert found[0].adjusted == pytest.approx(4 * found[0].p_value)
    assert all(one.adjusted > 0.05 for one in found[1:])


def test_p_values_of_what_does_not_matter_are_uniform():
    rng = np.random.default_rng(4)
    values = []
    for _ in range(300):
        drawn = Numeric(rng.random(20), 0, 1)
        (found,) = influences(rng.random(20), {"x": drawn}, rng=rng, permutations=99)
        values.append(found.p_value)
    # 300 uniform numbers: those at or below .05 and .5 are 15 +- 3.8 and 150 +- 8.7.
    assert 3 <= np.sum(np.array(values) <= 0.05) <= 30
    assert 115 <= np.sum(np.array(values) <= 0.5) <= 185


def test_edge_by_hand():
    # The best three of ten lie at 0, .1 and .2: all within .2 of the low end, where three settings
    # are; within .2 of the high end .8, .9 and 1, three more. Picked blindly: 2 / C(11, 3) = 2/165.
    places = np.linspace(0, 1, 11)
    scores = np.array([2.0, 1, 3, *range(4, 12)])
    edge = only(scores, Numeric(places, 0, 1)).edge
    assert edge.positions == pytest.approx((0.1, 0, 0.2))
    assert (edge.nearest, edge.distance) == ("low", pytest.approx(0.2))
    assert edge.probability == pytest.approx(2 / 165)
    assert edge.warns
    # Only one finished, at .1: 2 settings on either side as near: 4/11.
    one = only(np.where(scores == 1, 1, NAN), Numeric(places, 0, 1)).edge
    assert one.probability == pytest.approx(4 / 11)
    assert not one.warns
    # High end.
    assert only(scores, Numeric(1 - places, 0, 1)).edge.nearest == "high"


def test_the_best_of_everywhere_is_at_no_edge():
    # Best at 0, .5 and 1: within 1 of either end, as any three are.
    places = np.linspace(0, 1, 11)
    scores = np.arange(10, 21.0)
    scores[[0, 5, 10]] = [1, 2, 3]
    edge = only(scores, Numeric(places, 0, 1)).edge
    assert (edge.distance, edge.probability) == (1, 1)


def test_failed_settings_are_not_the_best():
    places = np.linspace(0, 1, 12)
    scores = np.full(12, NAN)
    scores[[3, 7]] = 1.0, 2.0
    edge = only(scores, Numeric(places, 0, 1)).edge
    assert len(edge.positions) == 2


def test_steps_of_an_integer_do_not_look_like_an_edge():
    # Half of the settings have the value 1 at the edge: three of them among the best say little.
    values = np.repeat([1.0, 5.0], 6)
    scores = np.arange(12.0)
    edge = only(scores, Numeric(values, 1, 5)).edge
    assert edge.distance == 0
    assert edge.probability == pytest.approx(2 * math.comb(6, 3) / math.comb(12, 3))


def test_too_little_is_refused():
    with pytest.raises(ValueError, match="at least 10 settings, got 9"):
        only(np.arange(9.0), Numeric(np.arange(9.0), 0, 9))
    with pytest.raises(ValueError, match="each of 12 settings: x"):
        only(np.arange(12.0), Categorical(("a", "b")))


def test_a_value_that_never_changed_explains_nothing():
    rng = np.random.default_rng(5)
    scores = rng.random(20)
    assert only(scores, Categorical(("a",) * 20)).p_value == 1
    constant = only(scores, Numeric(np.full(20, 0.5), 0, 1))
    assert (constant.sobol_index, constant.p_value) == (0, 1)
    # As many values as settings: nothing is left to judge by.
    assert only(scores, Categorical(tuple(map(str, range(20))))).sobol_index == 0
