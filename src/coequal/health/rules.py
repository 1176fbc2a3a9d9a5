"""The rules: what is looked for in the signals of a run, in which order, and from which value on.

Every threshold stands in `THRESHOLDS`, with the range of its value in healthy runs; both were set
on half of the runs of benchmarks/health.py and tried on the other half (docs/health.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coequal.health.signals import Signals

Numbers = NDArray[np.float64]
Holds = NDArray[np.bool_]

FIRST = 4  # probes before anything but divergence is spoken of
PERSIST = 3  # probes in a row for which a rule must hold
POOLED = 8  # probes over which the classes of fresh images are counted


class Threshold(NamedTuple):
    """From where on a rule speaks.

    Attributes:
        at: the threshold.
        side: on which side of it the rule holds.
        healthy: lowest and highest value in healthy runs of the calibration half, where the rule
            may speak.
    """

    at: float
    side: Literal["above", "below"]
    healthy: tuple[float, float]

    def holds(self, values: Numbers) -> Holds:
        """Where the rule holds; not where there is no value."""
        with np.errstate(invalid="ignore"):
            return values > self.at if self.side == "above" else values < self.at


THRESHOLDS: Mapping[str, Threshold] = {
    "exploded": Threshold(1000.0, "above", (0.0, 10.0)),
    "duplicates": Threshold(0.02, "below", (0.3, 1.5)),
    "frozen": Threshold(0.003, "below", (0.2, 1.5)),
    "still": Threshold(0.03, "below", (0.2, 1.5)),
    "memory": Threshold(0.64, "above", (0.4, 0.58)),
    "fooled": Threshold(0.60, "below", (0.6, 1.0)),
    "one_image": Threshold(0.15, "below", (0.3, 1.2)),
    "circling": Threshold(2.9, "above", (0.2, 2.0)),
    "ahead": Threshold(0.985, "above", (0.5, 1.0)),
    "missing": Threshold(0.1, "below", (0.3, 1.0)),
}


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: of its threshold.
        verdict: what it speaks for.
        sentence: what was seen, in words.
        value: of the signals, what the threshold is held against at every probe.
        may: where the rule may speak at all.
    """

    name: str
    verdict: str
    sentence: str
    value: Callable[[Signals], Numbers]
    may: Callable[[Signals], Holds]

    @property
    def threshold(self) -> Threshold:
        """From where on it speaks."""
        return THRESHOLDS[self.name]

    def holds(self, signals: Signals) -> Holds:
        """At every probe, whether it has held for `PERSIST` probes in a row and may speak."""
        now = self.threshold.holds(self.value(signals)) & self.may(signals)
        if self.verdict != "diverged":
            now[:FIRST] = False
        kept = now.copy()
        for back in range(1, PERSIST):
            kept[back:] &= now[:-back]
            kept[:back] = False
        return kept


def recent(values: Numbers, probes: int, how: Callable[..., Numbers] = np.nanmean) -> Numbers:
    """At every probe a mean (or another number) over the last few; NaN where there is none."""
    found = np.full(len(values), np.nan)
    for index in range(len(values)):
        window = values[max(0, index + 1 - probes) : index + 1]
        if np.isfinite(window).any():
            found[index] = how(window)
    return found


def always(signals: Signals) -> Holds:
    """Everywhere."""
    return np.ones(len(signals), dtype=bool)


def _size(signals: Signals) -> Numbers:
    """How many times larger than at first the discriminator's output or the generator's gradient
    is, whichever has grown more; infinite where a loss is not finite."""
    grown = np.zeros(len(signals))
    for name in ("logit", "gradient_generator"):
        values = recent(signals[name], 2, np.nanmedian)
        early = np.nanmedian(values[:3]) if np.isfinite(values[:3]).any() else np.nan
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(values > 100, values / max(early, 1e-12), 0.0)
        grown = np.fmax(grown, np.nan_to_num(ratio, nan=0.0, posinf=np.inf))
    for name in ("loss_discriminator", "loss_generator"):
        grown[np.isinf(signals[name])] = np.inf
    return grown


def _motion(signals: Signals) -> Numbers:
    """Movement of the images, relative to the learning rate that is left."""
    found: Numbers = signals["movement"] / np.maximum(signals["rate"], 1e-6)
    return found


def _auc(signals: Signals) -> Numbers:
    return recent(signals["auc"], PERSIST)


def _memory(signals: Signals) -> Numbers:
    return recent(signals["held_out_auc"], 5)


def poor(signals: Signals) -> Holds:
    """Where the images are far from real ones as a whole."""
    with np.errstate(invalid="ignore"):
        return (signals["gap"] > 0.4) | (signals["feature_gap"] > 0.4)


def _small(signals: Signals) -> Holds:
    found: Holds = signals["spread"] > 0
    return found


def _path_over_net(signals: Signals) -> Numbers:
    """How long the way of the mean image over eight probes is."""
    shift = signals["shift"]
    path = np.full(len(shift), np.nan)
    for index in range(7, len(shift)):
        path[index] = shift[index - 7 : index + 1].sum()
    return path


def _returns(signals: Signals) -> Holds:
    with np.errstate(invalid="ignore"):
        return signals["drift"] < 0.35 * _path_over_net(signals)


def pooled_shares(signals: Signals) -> Numbers:
    """(probes, classes) shares of the classes among the fresh images of the last probes."""
    total = np.cumsum(signals.counts, 0)
    found = total.copy()
    found[POOLED:] -= total[:-POOLED]
    shares: Numbers = found / np.maximum(found.sum(1, keepdims=True), 1)
    return shares


def _rarest(signals: Signals) -> Numbers:
    """Share of the rarest class, relative to its share of real images."""
    if not signals.counts.shape[1]:
        return np.full(len(signals), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Numbers = (pooled_shares(signals) / signals.shares).min(1)
    return found


def _good(signals: Signals) -> Holds:
    with np.errstate(invalid="ignore"):
        return (signals["feature_spread"] > 0.4) & (_auc(signals) < 0.95)


RULES: tuple[Rule, ...] = (
    Rule("exploded", "diverged", "values have exploded", _size, always),
    Rule(
        "duplicates",
        "collapsed",
        "images of different latents are the same",
        lambda s: recent(s["nearest"], 2),
        always,
    ),
    Rule("frozen", "stalled", "the images stand still", _motion, always),
    Rule(
        "still",
        "discriminator_won",
        "the images hardly move and the discriminator knows them all",
        _motion,
        lambda s: _auc(s) > 0.97,
    ),
    Rule("memory", "overfitting", "the discriminator knows training images", _memory, always),
    Rule("fooled", "generator_won", "the discriminator tells nothing apart", _auc, poor),
)
"""In the order in which they are heard: the first that fires gives the verdict."""


def unfinished(signals: Signals) -> Holds:
    """Where the images are not there yet: far from real ones, or of a narrow range."""
    with np.errstate(invalid="ignore"):
        return poor(signals) | (signals["spread"] < 0.5) | (signals["feature_spread"] < 0.4)


def unseen(signals: Signals) -> tuple[str, ...]:
    """What could not be looked for."""
    found = []
    if not np.isfinite(signals["auc"]).any():
        found.append("discriminator_won, generator_won: no discriminator with a logit")
    if not np.isfinite(signals["held_out_auc"]).any():
        found.append("overfitting: no discriminator")
    if not signals.counts.shape[1]:
        found.append("mode_dropping: no classifier beside the training (encoder: classifier)")
    if not np.isfinite(signals["spread"]).any():
        found.append("collapsed, stalled: the images of this model take too long to be looked at")
    return tuple(found)
