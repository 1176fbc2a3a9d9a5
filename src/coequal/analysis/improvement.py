"""Whether a training still improves at its end."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coequal.records import MetricInfo

LATER_PART = 0.5
"""The rule looks at the checkpoints from this part of the training on."""
MIN_CHECKPOINTS = 3
LEAST_GAIN = 0.03
"""A smaller fraction of the score is no reason to train on."""
SURE = 2.0
"""Standard errors of the slope."""


@dataclass(frozen=True)
class Improvement:
    """How a score moved over the later part of a training.

    Attributes:
        since: discriminator steps at the first checkpoint of that part.
        before: the score there.
        now: the score at the last checkpoint.
    """

    since: int
    before: float
    now: float


def improvement(
    steps: Sequence[int], values: Sequence[float], errors: Sequence[float], info: MetricInfo
) -> Improvement | None:
    """Whether the score of one training was still improving when it ended.

    A line is fitted to the checkpoints of the later half, three at least, over the logarithm of the
    steps: to the logarithm of the score where less is better and all of them are above 0, else to
    the score itself. It is an improvement if the line improves by more than `SURE` standard errors
    of its slope (the larger of those by the residuals and by the errors of the measurements), if a
    doubling of the steps gains at least `LEAST_GAIN` of the score by it, and if the last score is,
    within its error, the best of them. docs/how_to/train.md says how often that is right.

    Args:
        steps: discriminator steps of each checkpoint, rising.
        values: the score at each; checkpoints where it is not finite are left out.
        errors: standard errors of the scores; NaN where unknown.
        info: of the metric.

    Returns:
        The improvement; None where there is none, or too few checkpoints to tell.
    """
    if info.better == "target":
        return None
    known = [k for k, value in enumerate(values) if math.isfinite(value) and steps[k] > 0]
    later = [k for k in known if steps[k] >= LATER_PART * steps[known[-1]]]
    used = later if len(later) >= MIN_CHECKPOINTS else known[-MIN_CHECKPOINTS:]
    if len(used) < MIN_CHECKPOINTS:
        return None
    costs = np.array([info.cost(values[k]) for k in used])
    noise = np.nan_to_num(np.array([errors[k] for k in used], dtype=float))
    least = LEAST_GAIN * abs(costs[-1])
    if costs[-1] > costs.min() + SURE * math.hypot(noise[-1], noise[int(costs.argmin())]):
        return None
    if info.better == "lower" and costs.min() > 0:
        noise, costs, least = noise / costs, np.log(costs), -math.log1p(-LEAST_GAIN)
    slope, error = _line(np.log([steps[k] for k in used]), costs, noise)
    if slope + SURE * error >= 0 or -slope * math.log(2) < least:
        return None
    return Improvement(steps[used[0]], values[used[0]], values[used[-1]])


def _line(x: np.ndarray, y: np.ndarray, noise: np.ndarray) -> tuple[float, float]:
    """Slope of the least-squares line and its standard error.

    Args:
        x: (points,) places, not all the same.
        y: (points,) values.
        noise: (points,) standard errors of the values; 0 where unknown.
    """
    x = x - x.mean()
    spread = float(x @ x)
    slope = float(x @ y) / spread
    residuals = y - y.mean() - slope * x
    by_residuals = math.sqrt(float(residuals @ residuals) / (len(x) - 2) / spread)
    by_noise = math.sqrt(float(x**2 @ noise**2)) / spread
    return slope, max(by_residuals, by_noise)
