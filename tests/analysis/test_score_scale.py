"""Where a number lies between real data and noise."""

import math

import pytest

from coequal.analysis.score_scale import Scale, interval_of, on_the_scale, scale_of


def row(value: float, better: str = "lower", **more: object) -> dict:
    return {"value": value, "standard_error": 1.0, "better": better, "target": None, **more}


def floor(real: float | None, noise: float | None = None) -> dict:
    found = {"metrics": {"x": {"value": real, "standard_error": None}}}
    if noise is not None:
        found["noise"] = {"x": {"value": noise, "standard_error": None}}
    return found


def test_real_data_are_at_0_and_noise_at_1():
    scale = scale_of("x", row(4.0), floor(2.0, 10.0))
    assert scale == Scale(2.0, 10.0, "noise", 10.0, log=False)
    assert [scale.place(value) for value in (2.0, 4.0, 10.0, 12.0)] == [0, 0.25, 1, 1.25]


def test_ends_that_are_eight_times_apart_have_a_logarithmic_line():
    scale = scale_of("x", row(10.0), floor(1.0, 100.0))
    assert scale.log
    assert scale.place(10.0) == pytest.approx(0.5)  # 10 is halfway from 1 to 100 in logarithms
    assert scale.place(-1.0) == -math.inf
    assert not scale_of("x", row(10.0), floor(-1.0, 100.0)).log


def test_a_worst_possible_value_is_the_end_and_noise_lies_between():
    # As in a study, whose failures count as the worst value of a bounded number.
    scale = scale_of("x", row(0.5, "higher", worst=0.0), floor(0.88, 0.82))
    assert (scale.end, scale.end_is, scale.noise) == (0.0, "worst", 0.82)
    assert scale.place(0.82) == pytest.approx(0.06 / 0.88)


@pytest.mark.parametrize(
    ("number", "ends", "reason"),
    [
        (row(1.0), None, "were not measured"),
        (row(1.0), {"metrics": {}}, "training images"),
        (row(1.0), floor(None), "has no value for real data"),
        (row(1.0), floor(1.0), "the score of noise is not known"),
        (row(1.0), floor(5.0, 4.0), "noise scores no worse than real data"),
        (row(9.0, "higher", worst=0.0, blind_to="noise"), floor(5.0, 6.0), "worthless images"),
        (row(1.1, "target", target=1.0), floor(0.9, 1.0), "noise scores no worse"),
    ],
)
def test_where_there_is_no_scale_the_reason_is_given(number, ends, reason):
    assert reason in scale_of("x", number, ends)


def test_an_interval_is_the_number_s_own_or_by_its_error():
    assert interval_of(row(1.0, interval=[0.2, 1.5])) == (0.2, 1.5)
    assert interval_of(row(1.0)) == pytest.approx((-0.96, 2.96), abs=1e-4)  # 1.96 errors of 1
    assert interval_of({**row(1.0), "standard_error": None}) is None


def test_a_score_of_other_counts_is_placed_by_its_value_at_those_of_the_floor():
    ends = {**floor(1.0, 9.0), "generated": {"x": {"value": 3.0, "standard_error": 0.5}}}
    assert on_the_scale("x", row(2.0), ends)["value"] == 3.0
    assert on_the_scale("x", row(2.0), floor(1.0, 9.0))["value"] == 2.0
