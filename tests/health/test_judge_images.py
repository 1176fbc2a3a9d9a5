"""Verdicts from numbers of images alone, by hand."""

import math

import pytest

from coequal.health import EARLY, HEALTHY
from coequal.health.judge_images import ImageObservation, judge_samples

GOOD = {"nearest": 0.9, "spread": 0.95, "gap": 0.1, "feature_spread": 0.8, "feature_gap": 0.1}


def sight(step: int = 0, *, counts=(), real=(), **values: float) -> ImageObservation:  # type: ignore[no-untyped-def]
    classes = tuple("abcdefghij"[: len(counts)])
    return ImageObservation(step, {**GOOD, **values}, counts, real, classes)


def test_good_images_are_healthy_and_what_they_cannot_show_is_said():
    found = judge_samples([sight()])
    assert (found.verdict, found.step, found.findings) == (HEALTHY, None, ())
    assert "nearest 0.9, spread 0.95" in found.evidence
    assert any(text.startswith("diverged, discriminator_won") for text in found.unseen)


def test_poor_images_are_too_early_to_tell():
    found = judge_samples([sight(gap=0.7)])
    assert (found.verdict, found.failed) == (EARLY, False)
    assert "gap 0.7" in found.evidence
    assert found.remedies


@pytest.mark.parametrize(
    ("values", "rule"),
    [({"nearest": 0.001}, "duplicates"), ({"spread": 0.05}, "one_image")],
)
def test_equal_images_and_images_that_hardly_differ_are_a_collapse(values, rule):
    found = judge_samples([sight(**values)])
    assert found.verdict == "collapsed"
    assert [(f.rule, f.value) for f in found.findings] == [(rule, *values.values())]
    assert found.findings[0].description == found.evidence
    assert found.remedies


def test_numbers_that_cannot_be_had_say_nothing():
    nothing = dict.fromkeys(GOOD, math.nan)
    assert judge_samples([sight(**nothing)]).findings == ()


@pytest.mark.parametrize(
    ("total", "verdict"),
    # None of 64 where a tenth was expected: 10 classes times 0.9^64 = 10 x 0.00118 = 0.0118, which
    # may be bad luck; of 70, 10 x 0.9^70 = 0.0063, below 0.01, is not.
    [(64, HEALTHY), (70, "mode_dropping")],
)
def test_a_missing_class_is_told_from_bad_luck(total, verdict):
    counts = [0, *[total // 9] * 8, total - 8 * (total // 9)]
    found = judge_samples([sight(counts=counts, real=[100] * 10)])
    assert found.verdict == verdict
    if found.failed:
        said = f"hardly any image is classified as a: 0 of {total} in the rarest class"
        assert found.evidence.startswith(said)


def test_a_rare_class_is_held_against_its_share_of_real_images():
    # 10 of 1010 is what real images have, too: 1 of 101.
    counts, real = [10, 1000], [1, 100]
    assert judge_samples([sight(counts=counts, real=real)]).verdict == HEALTHY
    assert judge_samples([sight(counts=counts, real=[50, 50])]).verdict == "mode_dropping"


def test_classes_are_not_counted_in_images_that_are_nothing_yet():
    found = judge_samples([sight(counts=[0, 500], real=[50, 50], feature_spread=0.1)])
    assert found.verdict == EARLY


def test_the_step_since_which_it_holds_and_what_passed():
    equal, fine = {"nearest": 0.0}, {"nearest": 0.9}
    steps = [sight(400, **equal), sight(500, **fine), sight(600, **equal), sight(700, **equal)]
    found = judge_samples(steps)
    assert (found.verdict, found.step) == ("collapsed", 600)
    assert [(a.since, a.until) for a in found.alarms] == [(400, 400), (600, 700)]
    assert judge_samples(steps[:2]).verdict == HEALTHY


def test_images_that_are_coming_apart_have_not_collapsed():
    # 0.03 to 0.06 is twice as far; to 0.035 is 1.17 times, and 1.2 is asked for.
    match_dtype = {"nearest": 0.01}
    apart = [sight(400, spread=0.03, **match_dtype), sight(500, spread=0.06, **match_dtype)]
    assert judge_samples(apart).verdict == EARLY
    found = judge_samples([sight(400, spread=0.03), sight(500, spread=0.035)])
    assert (found.verdict, found.step) == ("collapsed", 400)


def test_nets_that_have_hardly_begun_have_not_collapsed():
    match_dtype = {"nearest": 0.001, "spread": 0.002}
    assert judge_samples([sight(299, **match_dtype)]).verdict == EARLY
    assert judge_samples([sight(300, **match_dtype)]).verdict == "collapsed"
    assert (
        judge_samples([sight(0, **match_dtype)]).verdict == "collapsed"
    )  # of a step that is not known


def test_nothing_seen_is_refused():
    with pytest.raises(ValueError, match="no images"):
        judge_samples([])
