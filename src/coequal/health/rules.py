"""The rules: which failures the signals of a run show, in which order, and from which value on.

Every threshold stands in `THRESHOLDS`, with the range of its value in healthy runs; both were set
on half of the runs of benchmarks/health.py and tried on the other half
(docs/explanation/health.md). Windows are counted in probes, which come every 25 steps in the first
50,000.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from coequal.health.measures import (
    MIN_EXPECTED_IMAGES,
    POOLED_PROBES,
    Holds,
    Numbers,
    early,
    gaining,
    grown,
    improving,
    motion,
    path,
    poor,
    rarest,
    recent,
    rising,
)
from coequal.health.signals import Signals

MIN_PROBES = 4  # before a rule may fire, unless it says otherwise
CONSECUTIVE_PROBES = 3  # for which a rule must hold, unless it says otherwise


class Threshold(NamedTuple):
    """The value from which on a rule holds.

    Attributes:
        at: the threshold.
        side: the side of it on which the rule holds.
        healthy: lowest and highest value in healthy runs of the calibration half, at the probes at
            which the rule applies (from step 200 on).
    """

    at: float
    side: Literal["above", "below"]
    healthy: tuple[float, float]

    def holds(self, values: Numbers) -> Holds:
        """Where values are on the rule's side; false where there is no value."""
        with np.errstate(invalid="ignore"):
            beyond: Holds = values > self.at if self.side == "above" else values < self.at
        return beyond


THRESHOLDS: Mapping[str, Threshold] = {
    "exploded": Threshold(100.0, "above", (0, 0)),
    "duplicates": Threshold(0.02, "below", (0.101, 2.6)),
    "frozen": Threshold(0.01, "below", (0.2, 11.3)),
    "known": Threshold(0.05, "below", (0.2, 1.67)),
    "still": Threshold(0.05, "below", (0.2, 11.3)),
    "memory": Threshold(0.68, "above", (0.424, 0.603)),
    "deceived": Threshold(0.30, "below", (0.393, 1)),
    "fooled": Threshold(0.60, "below", (0.681, 0.878)),
    "one_image": Threshold(0.15, "below", (0.407, 1.43)),
    "circling": Threshold(2.9, "above", (0.233, 2.19)),
    "ahead": Threshold(0.985, "above", (0.531, 0.878)),
    "missing": Threshold(0.12, "below", (0.168, 0.891)),
}


def _always(signals: Signals) -> Holds:
    """A mask that is true at every probe."""
    return np.ones(len(signals), dtype=bool)


@dataclass(frozen=True)
class HealthRule:
    """One rule.

    Attributes:
        name: of the rule, and of its threshold in `THRESHOLDS`.
        verdict: the failure that it is a sign of.
        sentence: what was observed where it fires, and the name of what was measured.
        value: gives from the signals the value at every probe that is compared with the threshold.
        applies: gives from the signals the probes at which the rule may hold at all; by default
            every one.
        persist: consecutive probes for which it must hold before it fires.
        first: probes before which it does not fire.
    """

    name: str
    verdict: str
    sentence: str
    value: Callable[[Signals], Numbers]
    applies: Callable[[Signals], Holds] = _always
    persist: int = CONSECUTIVE_PROBES
    first: int = MIN_PROBES

    @property
    def threshold(self) -> Threshold:
        """The rule's entry in `THRESHOLDS`."""
        return THRESHOLDS[self.name]

    def holds(self, signals: Signals) -> Holds:
        """Whether the rule fires at each probe: it applies, and has held for long enough."""
        now = self.threshold.holds(self.value(signals)) & self.applies(signals)
        now[: self.first] = False
        fires = now.copy()
        for back in range(1, self.persist):
            fires[back:] &= now[:-back]
            fires[:back] = False
        return fires


def _auc(signals: Signals) -> Numbers:
    return recent(signals["auc"], 3)


def _auc_long(signals: Signals) -> Numbers:
    return recent(signals["auc"], 5)


def _known(signals: Signals) -> Holds:
    return _auc(signals) > 0.97


def _narrow_for_good(signals: Signals) -> Holds:
    return ~early(signals) & ~rising(signals["spread"], 1.2)


def _returns(signals: Signals) -> Holds:
    returns: Holds = signals["drift"] < 0.35 * path(signals)
    return returns


def _does_not_learn(signals: Signals) -> Holds:
    return ~early(signals) & ~gaining(signals)


def _good_and_stable(signals: Signals) -> Holds:
    """Where the images are good enough to be classified, and the rarest class does not come."""
    good = (recent(signals["feature_spread"], 3) > 0.4) & (recent(signals["gap"], 3) < 0.7)
    stable = ~early(signals) & ~rising(rarest(signals), 1.25, 0.005)
    applies: Holds = good & (_auc(signals) < 0.985) & stable
    return applies


RULES: tuple[HealthRule, ...] = (
    HealthRule(
        "exploded",
        "diverged",
        "values explode: growth factor of the discriminator's output or the generator's gradient",
        grown,
        first=1,
    ),
    HealthRule(
        "duplicates",
        "collapsed",
        "images of different latents are copies: median nearest-neighbour distance relative to "
        "real images",
        lambda signals: recent(signals["nearest"], 2),
        persist=2,
        first=2,
    ),
    HealthRule(
        "frozen",
        "stalled",
        "the images have stopped changing: movement over four probes",
        motion,
        persist=1,
    ),
    HealthRule(
        "known",
        "discriminator_won",
        "the images hardly change, and the discriminator recognises them all: movement over four "
        "probes",
        motion,
        _known,
        persist=1,
    ),
    HealthRule(
        "still", "stalled", "the images hardly change: movement over four probes", motion, persist=1
    ),
    HealthRule(
        "memory",
        "overfitting",
        "the discriminator can tell training images from held-out ones: AUC",
        lambda signals: recent(signals["held_out_auc"], 4),
        persist=1,
        first=3,
    ),
    HealthRule(
        "deceived",
        "generator_won",
        "the discriminator takes generated images for real and real images for generated: AUC",
        lambda signals: recent(signals["auc"], 4),
        persist=1,
        first=3,
    ),
    HealthRule(
        "fooled",
        "generator_won",
        "the discriminator can hardly tell real from generated images, although these are far from "
        "real and get no closer: AUC",
        _auc_long,
        lambda signals: poor(signals) & ~early(signals) & ~improving(signals),
    ),
    HealthRule(
        "one_image",
        "collapsed",
        "all images are nearly the same and stay so: spread relative to real images",
        lambda signals: signals["spread"],
        _narrow_for_good,
    ),
    HealthRule(
        "circling",
        "oscillating",
        "the mean image moves far and comes back: distance covered over eight probes",
        path,
        _returns,
    ),
    HealthRule(
        "ahead",
        "discriminator_won",
        "the discriminator recognises all generated images, and they get no closer to real ones: "
        "AUC",
        _auc_long,
        _does_not_learn,
    ),
    HealthRule(
        "missing",
        "mode_dropping",
        "a class is missing, although the images are good, and does not appear: fraction of images "
        "in the rarest class relative to real images",
        rarest,
        _good_and_stable,
    ),
)
"""In order of precedence: the first that fires gives the verdict."""


def unfinished(signals: Signals) -> Holds:
    """Where the images are still far from real ones, or of a narrow range."""
    narrow = (signals["spread"] < 0.5) | (signals["feature_spread"] < 0.4)
    young: Holds = poor(signals) | narrow
    return young


def unchecked(signals: Signals) -> tuple[str, ...]:
    """The failures that these signals cannot show, and why."""
    unchecked = []
    if not np.isfinite(signals["auc"]).any():
        unchecked.append("discriminator_won, generator_won: no discriminator with a logit")
    if not np.isfinite(signals["held_out_auc"]).any():
        unchecked.append("overfitting: no discriminator")
    if not signals.counts.shape[1]:
        unchecked.append("mode_dropping: no classifier watches the training (encoder: classifier)")
    elif len(signals) and not signals.counts.any():
        unchecked.append("mode_dropping: no images are generated during this training")
    elif len(signals) >= POOLED_PROBES and not np.isfinite(rarest(signals)).any():
        unchecked.append(
            f"mode_dropping: there are so many classes that none has {MIN_EXPECTED_IMAGES} images "
            f"in {POOLED_PROBES} probes"
        )
    if not np.isfinite(signals["spread"]).any():
        unchecked.append("collapsed, stalled: this model takes too long to generate images")
    return tuple(unchecked)
