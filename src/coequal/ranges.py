"""Search ranges: each turns a number in [0, 1) into a value of one hyperparameter."""

import math
import random
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

Value = bool | int | float | str


@dataclass(frozen=True)
class Uniform:
    """Uniform on [low, high)."""

    low: float
    high: float

    def at(self, quantile: float) -> float:
        """The value below which the fraction `quantile` (0 to 1) of the range lies."""
        return self.low + (self.high - self.low) * quantile


@dataclass(frozen=True)
class LogUniform:
    """Uniform in the logarithm, on [low, high); both above zero."""

    low: float
    high: float

    def at(self, quantile: float) -> float:
        """The value below which the fraction `quantile` (0 to 1) of the range lies, measured in the
        logarithm."""
        return math.exp(math.log(self.low) + (math.log(self.high) - math.log(self.low)) * quantile)


@dataclass(frozen=True)
class Choice:
    """Each of these values with equal probability."""

    values: tuple[Value, ...]

    def at(self, quantile: float) -> Value:
        """The value in whose interval the quantile falls; the intervals split [0, 1) equally."""
        return self.values[min(int(quantile * len(self.values)), len(self.values) - 1)]


Range = Uniform | LogUniform | Choice


def read_range(spec: Mapping[str, Sequence[Any]]) -> Range:
    """A range as a study has it: the name of its kind, with its ends or its values."""
    ((kind, values),) = spec.items()
    if kind == "choice":
        return Choice(tuple(values))
    low, high = map(float, values)
    return Uniform(low, high) if kind == "uniform" else LogUniform(low, high)


def searched(
    declared: Mapping[str, T], of_study: Mapping[str, T], settings: Container[str]
) -> dict[str, T]:
    """The ranges that a model's settings are drawn from, by hyperparameter.

    Args:
        declared: the model's own.
        of_study: those that the study declares for all models, in place of their own.
        settings: all settings that the model has; what it lacks is not searched.
    """
    own = {name: r for name, r in of_study.items() if name in declared or name in settings}
    return {**declared, **own}


def draw(space: Range, seed: int) -> Value:
    """Draw one value of a range; equal seeds give equal quantiles in any range.

    Models that share a hyperparameter and its seed therefore share its draws, even where their
    ranges differ: the design is paired.
    """
    # random.Random, not numpy: Python promises that `random()` stays the same in every version.
    return space.at(random.Random(seed).random())
