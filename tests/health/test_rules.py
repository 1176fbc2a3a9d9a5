"""The rules, on signals made by hand; and on the runs that they were set on and tried on."""

import sys
from pathlib import Path

import numpy as np
import pytest

from coequal.formatting import number
from coequal.health import EARLY, HEALTHY, VERDICTS, Health, judge
from coequal.health.judge import verdicts
from coequal.health.measures import path, rarest, recent
from coequal.health.rules import RULES, THRESHOLDS
from coequal.health.signals import NAMES, Signals
from coequal.health.verdict import FAILURES, MEANING, Alarm, alarms_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

GOOD = {
    "loss_discriminator": 1.2,
    "loss_generator": 0.9,
    "auc": 0.8,
    "logit": 0.5,
    "gradient_discriminator": 1.0,
    "gradient_generator": 1.0,
    "rate": 1.0,
    "movement": 0.6,
    "spread": 1.0,
    "nearest": 1.0,
    "gap": 0.1,
    "shift": 0.1,
    "drift": 0.4,
    "held_out_auc": 0.5,
    "saturated": 0.4,
    "batch_norm": 0.2,
    "feature_spread": 0.7,
    "feature_gap": 0.2,
}
"""A run that goes well, at every probe the same."""


def signals(probes: int = 30, classes: int = 10, counts=None, **changed) -> Signals:  # type: ignore[no-untyped-def]
    """A good run with other values: a number, or a sequence over the probes."""
    steps = 25.0 * np.arange(1, probes + 1)
    columns = {name: np.full(probes, GOOD.get(name, np.nan)) for name in NAMES} | {"step": steps}
    for name, value in changed.items():
        columns[name] = np.broadcast_to(np.asarray(value, dtype=float), (probes,)).copy()
    given = np.full((probes, classes), 12.8) if counts is None else np.asarray(counts, dtype=float)
    shares = np.full(classes, 1 / classes) if classes else np.zeros(0)
    return Signals(np.stack([columns[name] for name in NAMES], 1), given, shares, {}, ())


def turning(before: float, after: float, at: int = 15, probes: int = 30) -> np.ndarray:
    return np.where(np.arange(probes) < at, before, after)


def test_a_good_run_is_healthy():
    found = judge(signals())
    assert (found.verdict, found.step, found.findings, found.alarms) == (HEALTHY, None, (), ())
    assert found.evidence == "no rule fires after 750 steps"


def test_a_young_run_is_none_of_them():
    assert judge(signals(3)).verdict == EARLY
    assert judge(signals(gap=0.9)).verdict == EARLY  # far away, and nothing speaks against it
    assert judge(signals(spread=0.4)).verdict == EARLY
    assert judge(signals(feature_spread=0.3)).verdict == EARLY


FAILING = {
    "exploded": ("diverged", {"logit": turning(1, 1000)}),
    "duplicates": ("collapsed", {"nearest": turning(1, 0.001)}),
    "frozen": ("stalled", {"movement": turning(0.6, 0.001)}),
    "known": ("discriminator_won", {"movement": turning(0.6, 0.03), "auc": 1.0}),
    "still": ("stalled", {"movement": turning(0.6, 0.03)}),
    "memory": ("overfitting", {"held_out_auc": turning(0.5, 0.9)}),
    "deceived": ("generator_won", {"auc": turning(0.8, 0.1)}),
    "fooled": ("generator_won", {"auc": turning(0.8, 0.5), "gap": 0.8}),
    "one_image": ("collapsed", {"spread": turning(0.9, 0.1)}),
    "circling": ("oscillating", {"shift": turning(0.1, 0.5), "drift": 0.5}),
    "ahead": ("discriminator_won", {"auc": turning(0.9, 1.0), "gap": 0.8}),
}


@pytest.mark.parametrize("name", FAILING)
def test_every_rule_alone(name):
    verdict, changed = FAILING[name]
    found = judge(signals(**changed))
    assert found.verdict == verdict
    first = found.findings[0]
    assert first.rule == name
    assert first.threshold == THRESHOLDS[name].at
    assert first.healthy == THRESHOLDS[name].healthy
    assert number(first.value) in found.evidence
    assert f"threshold {first.threshold:.3g}" in found.evidence
    assert 250 <= found.step <= 600  # begun at step 400, or true from the start
    assert found.failed
    assert any(alarm.verdict == verdict for alarm in found.alarms)


def test_a_missing_class():
    counts = np.full((30, 10), 12.8)
    counts[:, 3] = 0.5
    found = judge(signals(counts=counts))
    # 12 probes of 128 images less what is missing: 6 where a tenth of 1,388 is to be expected.
    assert (found.verdict, found.findings[0].rule) == ("mode_dropping", "missing")
    assert found.findings[0].value == pytest.approx(6 / (12 * (9 * 12.8 + 0.5) / 10))
    assert judge(signals(counts=counts, feature_spread=0.3)).verdict == EARLY  # too poor to say
    rising = counts.copy()
    rising[:, 3] = np.linspace(0, 2.5, 30)
    assert judge(signals(counts=rising)).verdict == HEALTHY  # it comes
    assert judge(signals(counts=counts[:9], probes=9)).verdict == HEALTHY  # too early for that


def test_rare_classes_are_not_looked_for():
    # 12 probes of 128 images hold 15 of each of a hundred classes: one without any says nothing.
    counts = np.full((30, 100), 1.28)
    counts[:, 5] = 0
    crowded = signals(classes=100, counts=counts)
    found = judge(crowded)
    assert found.verdict == HEALTHY
    assert any("so many classes" in text for text in found.unseen)
    assert np.isnan(rarest(crowded)).all()


def test_a_training_without_images_of_its_own():
    # A VAE's loss asks for no generated images: nothing is counted, and nothing is missing.
    found = judge(signals(counts=np.zeros((30, 10))))
    assert found.verdict == HEALTHY
    assert any("no images are generated" in text for text in found.unseen)


def test_a_schedule_is_no_standstill():
    # The rate falls to a hundredth, and with it how far the images move.
    rate = np.linspace(1, 0.01, 30)
    assert judge(signals(movement=0.6 * rate, rate=rate)).verdict == HEALTHY
    assert judge(signals(movement=0.6 * rate)).verdict == "stalled"


def test_a_moment_is_no_verdict():
    spike = np.full(30, 0.9)
    spike[20] = 0.01
    assert judge(signals(spread=spike)).alarms == ()
    passing = turning(1.0, 0.001)
    passing[20:] = 1.0
    found = judge(signals(nearest=passing))
    assert found.verdict == HEALTHY
    (alarm,) = found.alarms
    assert (alarm.verdict, alarm.until) == ("collapsed", 500)


def test_what_the_training_said_comes_first():
    found = judge(signals(nearest=0.0), diverged="the loss was nan at step 700")
    assert (found.verdict, found.step) == ("diverged", 750)
    assert found.evidence == "the loss was nan at step 700"


def test_signals_that_are_not_there():
    nothing = {name: np.nan for name in GOOD if name not in ("rate",)}
    found = judge(signals(classes=0, counts=np.zeros((30, 0)), **nothing))
    assert found.verdict == HEALTHY
    assert len(found.unseen) == 4
    assert judge(signals(0, counts=np.zeros((0, 10)))).verdict == EARLY


def test_every_verdict_has_a_meaning_and_a_rule():
    assert tuple(MEANING) == VERDICTS
    assert {rule.verdict for rule in RULES} == set(FAILURES)
    assert {rule.name for rule in RULES} == set(THRESHOLDS)


def test_means_over_windows_by_hand():
    assert recent(np.array([1.0, np.nan, 4.0]), 2).tolist() == [1, 1, 4]
    assert np.isnan(recent(np.array([np.nan, 3.0]), 2)[0])
    made = signals(9, shift=np.arange(1.0, 10))
    assert np.isnan(path(made)[6])
    assert path(made)[7:].tolist() == [36, 44]  # 1 + .. + 8, 2 + .. + 9


def test_there_and_back_as_json():
    found = judge(signals(**FAILING["known"][1]))
    assert Health.from_dict(found.as_dict()) == found


@pytest.fixture(scope="module")
def runs():  # type: ignore[no-untyped-def]
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from failing.table import judged

        yield list(judged())
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_the_published_matrix(runs):
    # docs/explanation/health.md: a change of rules or thresholds changes these, and must be
    # published.
    held_out = [run for run in runs if run.half == 1]
    failing = [run for run in held_out if run.row in FAILURES]
    healthy = [run for run in held_out if run.row == HEALTHY]
    assert (len(runs), len(held_out)) == (180, 90)
    assert (sum(run.right for run in failing), len(failing)) == (42, 43)
    assert (sum(run.right for run in healthy), len(healthy)) == (38, 39)
    assert sum(run.false_alarm for run in healthy) == 5


def test_healthy_ranges_are_those_of_the_calibration_half(runs):
    healthy = [run for run in runs if run.half == 0 and run.row == HEALTHY]
    assert len(healthy) == 33
    for rule in RULES:
        threshold = rule.threshold
        for run in healthy:
            assert not rule.holds(run.signals).any()
        low, high = threshold.healthy
        assert high < threshold.at if threshold.side == "above" else low > threshold.at


def test_while_it_trains_and_long_after(runs):
    for run in runs[:10]:
        spoken = verdicts(run.signals)
        for probes in (6, 11, len(run.signals)):
            if probes <= len(run.signals):
                now = judge(run.signals.until(probes))
                expected = spoken[probes - 1]
                assert (now.verdict if now.failed else None) == expected


def test_alarms_are_stretches_of_one_verdict_by_hand():
    verdicts = [None, "collapsed", "collapsed", "stalled", None, "collapsed"]
    assert alarms_of(verdicts, [25, 50, 75, 100, 125, 150]) == (
        Alarm("collapsed", 50, 75),
        Alarm("stalled", 100, 100),
        Alarm("collapsed", 150, 150),  # a new one: nothing fired at 125
    )
    assert alarms_of([], []) == ()
