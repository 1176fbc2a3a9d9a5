"""What rules look at: means over a few probes, motion, progress, classes."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from coequal.health.signals import Signals

Numbers = NDArray[np.float64]
Holds = NDArray[np.bool_]

BACK = 8  # probes over which progress and paths are looked at
LATE = 12  # probes from which on a run that gets nowhere is none that has only begun
POOLED = 12  # probes over which the classes of fresh images are counted
MOST = 1e12  # of a growth, so that it is a number in JSON
EXPECTED = 40  # images of a class below which its absence says nothing
SLOWEST = 0.02  # share of the learning rate below which a decayed one excuses no more


def recent(values: Numbers, probes: int, how: Callable[..., Any] = np.nanmean) -> Numbers:
    """At every probe a mean (or another number) over the last few; NaN where there is none."""
    if not len(values):
        return values
    filled = np.concatenate([np.full(probes - 1, np.nan), values])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=RuntimeWarning)  # of windows without any value
        found: Numbers = how(sliding_window_view(filled, probes), axis=1)
    return found


def ago(values: Numbers, probes: int) -> Numbers:
    """At every probe what the value was so many probes before; NaN before the first."""
    return np.concatenate([np.full(probes, np.nan), values])[: len(values)]


def grown(signals: Signals) -> Numbers:
    """How many times larger than at first the discriminator's output or the generator's gradient
    is, whichever has grown more, where it is above 100; `MOST` where a loss is infinite."""
    found = np.zeros(len(signals))
    for name in ("logit", "gradient_generator"):
        values = recent(signals[name], 2, np.nanmedian)
        first = values[:3][np.isfinite(values[:3])]
        if len(first):
            times = values / max(float(np.median(first)), 1e-9)
            found = np.fmax(found, np.where(values > 100, times, 0.0))
    for name in ("loss_discriminator", "loss_generator"):
        found[np.isinf(signals[name])] = MOST
    return np.minimum(found, MOST)


def motion(signals: Signals) -> Numbers:
    """Movement of the images, relative to the learning rate that a schedule has left."""
    found: Numbers = signals["movement"] / np.maximum(signals["rate"], SLOWEST)
    return found


def poor(signals: Signals) -> Holds:
    """Where the images are far from real ones as a whole."""
    found: Holds = (signals["gap"] > 0.4) | (signals["feature_gap"] > 0.4)
    return found


def _nearer(signals: Signals, share: float) -> Holds:
    """Where the mean image or the mean feature is nearer to the real one than `share` of what it
    was eight probes ago."""
    found = np.zeros(len(signals), dtype=bool)
    for name in ("gap", "feature_gap"):
        values = recent(signals[name], 3)
        found |= values < share * ago(values, BACK)
    return found


def improving(signals: Signals) -> Holds:
    """Where the images have clearly come nearer to real ones, by a tenth."""
    return _nearer(signals, 0.9)


def gaining(signals: Signals) -> Holds:
    """Where they have come nearer at all, by 3 %."""
    return _nearer(signals, 0.97)


def early(signals: Signals) -> Holds:
    """Where too few probes have been made for a run to have got nowhere."""
    return np.arange(len(signals)) < LATE


def rising(values: Numbers, times: float, by: float = 0.0) -> Holds:
    """Where a value is more than so many times what it was eight probes ago, and a little."""
    found: Holds = values > times * ago(values, BACK) + by
    return found


def path(signals: Signals) -> Numbers:
    """How long the way of the mean image over the last eight probes is; NaN before."""
    total: Numbers = BACK * recent(signals["shift"], BACK, np.mean)  # NaN if any is
    return total


def pooled(signals: Signals) -> Numbers:
    """(probes, classes) how many of the fresh images of the last probes are of each class."""
    total = np.cumsum(signals.counts, 0)
    found = total.copy()
    found[POOLED:] -= total[:-POOLED]
    return found


def rarest(signals: Signals) -> Numbers:
    """Share of the rarest class, relative to its share of real images; NaN without a classifier.

    Of classes of which `EXPECTED` images or more are to be expected: the rarest of many classes
    with a few images each is missing by chance.
    """
    if not signals.counts.shape[1]:
        return np.full(len(signals), np.nan)
    counts = pooled(signals)
    expected = counts.sum(1, keepdims=True) * signals.real_fractions
    ratios = np.where(expected >= EXPECTED, counts / np.maximum(expected, EXPECTED), np.inf)
    lowest = ratios.min(1)
    return np.where(np.isfinite(lowest), lowest, np.nan)
