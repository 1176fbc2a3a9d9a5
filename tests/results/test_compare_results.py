"""Two results of one trial: equal, within the evaluation's error, or different."""

from dataclasses import replace

import pytest

from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.records import Result, Trial, TrialHealth
from coequal.results.compare_results import NOT_RECORDED, compare

TRIAL = Trial("a", "a", "digits", 0, {}, {"name": "mlp"}, {}, {})


def result(*values, error=3.0, seconds=1.0, protocol="encoder=pixels:1", **changes):
    """A trial whose FD on test was `values` at steps 10, 20, ..."""
    points = [
        Checkpoint(
            10 * (k + 1),
            Spent(10, 10, 640, 1000, seconds),
            (Measurement("fd", "test", value, protocol, error),),
        )
        for k, value in enumerate(values)
    ]
    fields = {"status": "done", "environment": {"torch": "2.14"}} | changes
    return Result(
        TRIAL,
        spent=Spent(20, 20, 1280, 2000, seconds),
        checkpoints=Checkpoints.of(points),
        **fields,
    )


def test_the_clock_and_the_notes_make_no_difference():
    found = compare(result(100.0), result(100.0, seconds=7.0, notes=("another cache",)))
    assert (found.verdict, found.numbers, found.largest) == ("equal", 1, {})


# The error of a difference of two values with error 3 is sqrt(9 + 9) = 4.243. One number: 1.96 of
# them are 8.316; two numbers, 2.5 % each: the quantile at 0.9875 is 2.241, which gives 9.509.
@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ((100.0,), (108.3,), "within the evaluation's error"),
        ((100.0,), (108.33,), "different"),
        ((50.0, 100.0), (50.0, 109.5), "within the evaluation's error"),
        ((50.0, 100.0), (50.0, 109.52), "different"),
        ((50.0,), (50.0 + 1e-14,), "within the evaluation's error"),  # not to the bit
    ],
)
def test_the_error_of_both_values_and_the_count_of_numbers_decide(one, other, verdict):
    assert compare(result(*one), result(*other)).verdict == verdict


def test_the_largest_deviation_of_each_number_is_told_in_errors_and_relative():
    found = compare(result(50.0, 100.0, 80.0), result(51.0, 104.0, 80.0))
    worst = found.largest["fd test"]
    assert worst is found.worst
    assert (worst.step, worst.one, worst.other) == (20, 100.0, 104.0)
    assert worst.errors == pytest.approx(4 / 18**0.5)
    assert worst.relative == pytest.approx(4 / 104)


def test_a_number_without_an_error_is_not_judged_and_alone_does_not_agree():
    found = compare(result(100.0, error=None), result(100.1, error=None))
    assert found.verdict == "different"
    assert "no standard error is recorded of fd test" in found.reasons[0]


def test_a_number_without_an_error_beside_one_that_has_one_is_remarked():
    def both(fd, recall):
        point = result(fd).checkpoints[0]
        extra = Measurement("recall", "test", recall, "encoder=pixels:1")
        points = [replace(point, measurements=(*point.measurements, extra))]
        return replace(result(fd), checkpoints=Checkpoints.of(points))

    found = compare(both(100.0, 0.5), both(101.0, 0.25))
    assert found.verdict == "within the evaluation's error"
    assert (found.numbers, found.judged) == (2, 1)
    assert "recall test" in found.remarks[0]
    assert found.largest["recall test"].relative == 0.5


def test_two_errors_of_zero_allow_no_difference():
    assert compare(result(1.0, error=0.0), result(0.9, error=0.0)).verdict == "different"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (result(status="diverged", reason="loss is nan"), "one is done, the other diverged (loss"),
        (result(100.0, 100.0), "measured at steps [10] and [10, 20]"),
        (result(100.0, protocol="encoder=pixels:2"), "encoder=pixels:1 and encoder=pixels:2"),
        (replace(result(100.0), spent=Spent(21, 20, 1280, 2000, 1.0)), "steps spent: 20 and 21"),
    ],
)
def test_another_course_or_protocol_is_a_difference_that_is_named(other, words):
    found = compare(result(100.0), other)
    assert found.verdict == "different"
    assert words in "\n".join(found.reasons)


def test_another_verdict_on_health_is_remarked_and_decides_nothing():
    health = [TrialHealth(verdict, 10, "") for verdict in ("healthy", "oscillating")]
    found = compare(result(9.0, health=health[0]), result(9.0, health=health[1]))
    assert found.verdict == "equal"
    assert found.remarks == (
        "the verdict on health: healthy since step 10 and oscillating since step 10",
    )


def test_results_without_a_common_number_do_not_agree():
    point = result(9.0).checkpoints[0]
    renamed = replace(point, measurements=(Measurement("kid", "test", 9.0, "", 3.0),))
    found = compare(result(9.0), replace(result(9.0), checkpoints=Checkpoints.of([renamed])))
    assert found.reasons == ("they have no number in common",)
    assert found.remarks == (
        "fd test was measured in the first alone",
        "kid test was measured in the second alone",
    )


def test_failures_agree_whatever_their_words():
    found = compare(result(status="failed", reason="a"), result(status="failed", reason="b"))
    assert (found.verdict, found.remarks) == ("equal", ("the reason in words: a and b",))


def test_the_fields_of_the_environment_that_differ_are_named_and_what_is_missing_is_too():
    other = result(9.0, environment={"torch": "2.15", "cpu capability": "AVX2"})
    found = compare(result(9.0), other)
    assert found.verdict == "equal"
    assert found.environment == {
        "torch": ("2.14", "2.15"),
        "cpu capability": (NOT_RECORDED, "AVX2"),
    }


def test_results_of_two_trials_are_not_compared():
    stranger = replace(result(9.0), trial=replace(TRIAL, setting=1))
    with pytest.raises(ValueError, match="two trials"):
        compare(result(9.0), stranger)
