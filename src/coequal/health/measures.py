"""What the rules measure: means over a few probes, motion, progress, classes.

Each function returns one value per probe, computed from that probe and those before it.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from coequal.health.signals import Signals

Numbers = NDArray[np.float64]
Holds = NDArray[np.bool_]

PROGRESS_PROBES = 8  # over which progress, drift and paths are measured
EARLY_PROBES = 12  # before which a run that has got nowhere may only have begun
POOLED_PROBES = 12  # over which the classes of fresh images are counted
MAX_GROWTH = 1e12  # so that an infinite growth is a number in JSON
MIN_EXPECTED_IMAGES = 40  # of a class, below which its absence says nothing
MIN_RELATIVE_RATE = 0.02  # of the first learning rate, below which a decay excuses no stillness


def recent(values: Numbers, probes: int, how: Callable[..., Any] = np.nanmean) -> Numbers:
    """A mean over the last probes; NaN where none of them has a value.

    Args:
        values: (probes,).
        probes: how many of the last probes, this one included.
        how: another summary than the mean; it is given windows along axis 1.
    """
    if not len(values):
        return values
    filled = np.concatenate([np.full(probes - 1, np.nan), values])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=RuntimeWarning)  # of windows without any value
        means: Numbers = how(sliding_window_view(filled, probes), axis=1)
    return means


def ago(values: Numbers, probes: int) -> Numbers:
    """What the value was `probes` probes before; NaN before the first."""
    return np.concatenate([np.full(probes, np.nan), values])[: len(values)]


def grown(signals: Signals) -> Numbers:
    """How many times larger than in the first three probes the discriminator's output or the
    generator's gradient is, whichever has grown more.

    0 while neither is above 100, and `MAX_GROWTH` where a loss is infinite.
    """
    growth = np.zeros(len(signals))
    for name in ("logit", "gradient_generator"):
        values = recent(signals[name], 2, np.nanmedian)
        first = values[:3][np.isfinite(values[:3])]
        if len(first):
            times = values / max(float(np.median(first)), 1e-9)
            growth = np.fmax(growth, np.where(values > 100, times, 0.0))
    for name in ("loss_discriminator", "loss_generator"):
        growth[np.isinf(signals[name])] = MAX_GROWTH
    return np.minimum(growth, MAX_GROWTH)


def motion(signals: Signals) -> Numbers:
    """Movement of the images, relative to what a schedule has left of the learning rate."""
    relative: Numbers = signals["movement"] / np.maximum(signals["rate"], MIN_RELATIVE_RATE)
    return relative


def poor(signals: Signals) -> Holds:
    """Where the mean image or the mean feature is far from the real one."""
    far: Holds = (signals["gap"] > 0.4) | (signals["feature_gap"] > 0.4)
    return far


def _nearer(signals: Signals, ratio: float) -> Holds:
    """Where the distance of the mean image or of the mean feature to the real one is below `ratio`
    times what it was `PROGRESS_PROBES` probes ago."""
    nearer = np.zeros(len(signals), dtype=bool)
    for name in ("gap", "feature_gap"):
        values = recent(signals[name], 3)
        nearer |= values < ratio * ago(values, PROGRESS_PROBES)
    return nearer


def improving(signals: Signals) -> Holds:
    """Where the images have clearly come nearer to real ones, by 10 %."""
    return _nearer(signals, 0.9)


def gaining(signals: Signals) -> Holds:
    """Where the images have come nearer to real ones at all, by 3 %."""
    return _nearer(signals, 0.97)


def early(signals: Signals) -> Holds:
    """Where too few probes have been made to say that a run does not get anywhere."""
    return np.arange(len(signals)) < EARLY_PROBES


def rising(values: Numbers, times: float, by: float = 0.0) -> Holds:
    """Where a value is above `times` what it was `PROGRESS_PROBES` probes ago, plus `by`."""
    risen: Holds = values > times * ago(values, PROGRESS_PROBES) + by
    return risen


def path(signals: Signals) -> Numbers:
    """Length of the path of the mean image over the last `PROGRESS_PROBES` probes; NaN before."""
    total: Numbers = PROGRESS_PROBES * recent(
        signals["shift"], PROGRESS_PROBES, np.mean
    )  # NaN if any is
    return total


def pooled(signals: Signals) -> Numbers:
    """(probes, classes) fresh images of each class over the last `POOLED_PROBES` probes."""
    total = np.cumsum(signals.counts, 0)
    counts = total.copy()
    counts[POOLED_PROBES:] -= total[:-POOLED_PROBES]
    return counts


def rarest(signals: Signals) -> Numbers:
    """Fraction of images of the rarest class, relative to its fraction of real images.

    Only classes with `MIN_EXPECTED_IMAGES` expected images or more count, since the rarest of many
    classes with a few images each may be missing by bad luck. NaN without such a class or without a
    classifier.
    """
    if not signals.counts.shape[1]:
        return np.full(len(signals), np.nan)
    counts = pooled(signals)
    expected = counts.sum(1, keepdims=True) * signals.real_fractions
    ratios = np.where(
        expected >= MIN_EXPECTED_IMAGES, counts / np.maximum(expected, MIN_EXPECTED_IMAGES), np.inf
    )
    lowest = ratios.min(1)
    return np.where(np.isfinite(lowest), lowest, np.nan)
