"""Which numbers stand for black and white: [0, 1], [-1, 1], [0, 255] or any others."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Self, TypeVar, cast

N = TypeVar("N")  # a tensor or an array


class ValueRange(NamedTuple):
    """The values of black and of white; what lies between them is linear.

    Attributes:
        low: of black.
        high: of white, above `low`.
    """

    low: float
    high: float

    @classmethod
    def of(cls, given: str | Sequence[float]) -> Self:
        """Read a range.

        Args:
            given: two numbers, (-1, 1), or a text of them with a comma, "-1,1".

        Raises:
            ValueError: it is something else, or the second number is not above the first.
        """
        try:
            parts = given.strip(" []()").split(",") if isinstance(given, str) else list(given)
            low, high = map(float, parts)
        except (TypeError, ValueError):
            low, high = math.nan, math.nan
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(
                f"a value range is two numbers, black before white, as -1,1 or 0,1; got {given!r}"
            )
        return cls(low, high)

    def __str__(self) -> str:
        return f"[{self.low:g}, {self.high:g}]"

    @property
    def width(self) -> float:
        """From black to white."""
        return self.high - self.low

    def to_unit(self, values: N) -> N:
        """Map the range to [0, 1].

        Args:
            values: a floating tensor or array, of any shape.
        """
        if self == UNIT:
            return values
        mapped: N = (cast(Any, values) - self.low) / self.width
        return mapped

    def holds(self, low: float, high: float, tolerance: float = 0.0) -> bool:
        """Whether values from `low` to `high` lie in the range, up to a share of its width."""
        beyond = tolerance * self.width
        return self.low - beyond <= low and high <= self.high + beyond


UNIT = ValueRange(0.0, 1.0)
SYMMETRIC = ValueRange(-1.0, 1.0)
BYTES = ValueRange(0.0, 255.0)
COMMON = (UNIT, SYMMETRIC, BYTES)
"""Those that images have in practice, from the narrowest to the widest."""


def range_that_holds(low: float, high: float, tolerance: float = 0.0) -> ValueRange | None:
    """The narrowest common range that values from `low` to `high` fit into; None if none does.

    Args:
        low: the smallest value.
        high: the largest value.
        tolerance: how far beyond the ends values may lie, as a share of the range's width.
    """
    return next((known for known in COMMON if known.holds(low, high, tolerance)), None)
