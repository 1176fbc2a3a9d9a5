"""How numbers are written for people; each expected text is derived by hand."""

import math

import pytest

from coequal.formatting import (
    amount,
    duration,
    half_width,
    interval,
    listed,
    number,
    p_in_full,
    p_value,
    percent,
    plain,
    probability,
    ratio_in_words,
    roughly,
    signed,
    size,
    with_error,
    within_sentence,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.41321, "0.413"),
        (34.1234, "34.1"),
        (812.34, "812"),
        (12345.6, "12,346"),  # all of the whole part
        (999.6, "1,000"),
        (9.995, "9.99"),  # the nearest binary number is 9.99499999...
        (9.996, "10.0"),  # three figures, and not 10.00
        (0.09996, "0.100"),
        (7.0, "7"),
        (1234.0, "1,234"),
        (-0.4132, "−0.413"),
        (0.0, "0"),
        (-0.0, "0"),
        (-2.8e-14, "0"),  # rounding alone
        (1e-7, "1.00e-07"),
        (-0.0009996, "−0.001"),  # 1.00e-3 in three figures, which needs no power of ten
        (1e-4, "0.0001"),  # one image of 10,000
        (0.00012345, "0.000123"),
        (0.00025, "0.00025"),  # and not 0.000250
        (9.9949e-5, "9.99e-05"),
        (1e300, "1.00e+300"),
        (math.nan, "–"),
        (None, "–"),
        (math.inf, "failed"),
    ],
)
def test_a_number_without_an_error_has_three_figures(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "error", "text", "both"),
    [
        (34.1234, 0.0996, "34.12", "34.12 ± 0.10"),  # 0.0996 is 0.10 in two figures
        (9.995, 0.12, "9.99", "9.99 ± 0.12"),
        (472.92, 10.13, "473", "473 ± 10"),
        (12345.6, 120, "12,350", "12,350 ± 120"),
        (12345.6, 1.2, "12,345.6", "12,345.6 ± 1.2"),
        (0.3, 12.3, "0", "0 ± 12"),  # an error larger than the value
        (-0.3, 12.3, "0", "0 ± 12"),  # and not -0
        (-0.0, 0.25, "0.00", "0.00 ± 0.25"),
        (-1.2345, 0.012, "−1.234", "−1.234 ± 0.012"),
        (1e-7, 2.2e-8, "1.00e-07", "(1.00 ± 0.22)e-07"),
        (0.0, 2.2e-8, "0.0e-08", "(0.0 ± 2.2)e-08"),
        (0.4132, 0.0, "0.413", "0.413"),  # nothing is random
        (0.4132, 1e-17, "0.413", "0.413"),  # nothing but rounding
        (0.4132, math.nan, "0.413", "0.413"),
        (0.4132, math.inf, "0.413", "0.413"),
        (7.0, 0.0, "7", "7"),
        (math.nan, 1.0, "–", ""),
        (math.inf, 1.0, "failed", ""),
    ],
)
def test_a_number_is_rounded_by_its_error(value, error, text, both):
    assert number(value, error) == text
    assert with_error(value, error) == both


def test_an_interval_is_rounded_by_half_its_width():
    assert half_width((220.4, 309.6)) == pytest.approx(44.6)
    assert interval((220.4, 309.6)) == "220–310"  # to units: 44.6 is 45
    assert interval((0.4161, 0.7012), between=" to ") == "0.42 to 0.70"  # 0.14
    assert interval((1021.0, 2981.0)) == "1,020–2,980"  # 980: to tens
    assert interval((-1.0, 2.0)) == "−1.0 to 2.0"
    assert interval((0.86123, 0.90001), 0.0123) == "0.861–0.900"
    assert interval((1.0, 1.0)) == "1–1"  # no width
    assert interval((31.23, math.inf)) == "31.2–failed"
    assert interval((1e-7, 4.1e-7)) == "(1.0–4.1)e-07"
    assert [interval(ends) for ends in (None, (1, None))] == ["", ""]
    assert half_width((1, math.inf)) is None
    assert half_width(None) is None


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (2.02, "twice as high"),
        (1.38, "1.4 times as high"),
        (3.0, "3 times as high"),
        (12.3, "12 times as high"),
        (1234.0, "1,234 times as high"),
        (1.03, "3 % higher"),
        (1.004, "0.4 % higher"),
        (1.0001, "equally high"),
        (0.97, "3 % lower"),
        (0.5, "half as high"),
        (0.7, "0.70 times as high"),
    ],
)
def test_a_ratio_in_words(ratio, words):
    assert ratio_in_words(ratio) == words


def test_a_ratio_takes_other_adjectives_and_must_be_one():
    assert ratio_in_words(1.1, higher="long") == "10 % longer"
    for ratio in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="a ratio must be above 0 and finite"):
            ratio_in_words(ratio)


def test_p_values():
    values = (0.02891, 0.5, 1.0, 1e-4, 9.9e-5, 0.0, math.nan)
    assert [p_value(v) for v in values] == [
        *("0.029", "0.5", "1", "0.0001", "< 0.0001", "< 0.0001", "–")
    ]
    assert [p_in_full(value) for value in (0.0122, 1e-6)] == ["p = 0.012", "p < 0.0001"]


def test_rough_numbers_and_starts_of_sentences():
    assert [roughly(n) for n in (0, 7, 22, 147, 857, 1021)] == [
        "0",
        "7",
        "22",
        "150",
        "860",
        "1,000",
    ]
    assert [within_sentence(text) for text in ("FD falls", "It falls", "A b", "")] == [
        *("FD falls", "it falls", "a b", "")
    ]


def test_changes_have_a_sign():
    assert [signed(v, 4.4) for v in (12.34, -12.34, 0.01, -0.01)] == [
        "+12.3",
        "−12.3",
        "0.0",
        "0.0",
    ]
    assert [signed(value) for value in (12.34, 0.0, math.inf, math.nan)] == [
        *("+12.3", "0", "failed", "–")
    ]


def test_other_numbers():
    assert [amount(value) for value in (1500.4, 80.04, 1.234)] == ["1,500", "80.0", "1.23"]
    assert [probability(value) for value in (0, 0.001, 0.5, 0.999, 1)] == [
        *("0.00", "<0.01", "0.50", ">0.99", "1.00")
    ]
    assert [percent(value) for value in (0.124, -0.001, -0.5)] == ["12 %", "0 %", "−50 %"]
    assert [plain(value) for value in (True, 5, 0.00012345, "x")] == ["true", "5", "0.0001234", "x"]
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        *("", "a", "a and b", "a, b and c")
    ]


def test_durations_and_sizes_have_the_unit_that_fits():
    assert [duration(s) for s in (40, 119, 180, 9000)] == ["40 s", "119 s", "3 min", "2.5 h"]
    assert [duration(s, decimals=1) for s in (2.34, 200)] == ["2.3 s", "3.3 min"]
    assert [size(n) for n in (5, 4096, 12_345_678, 3e15)] == [
        "5 B",
        "4.1 kB",
        "12.3 MB",
        "3e+03 TB",
    ]
