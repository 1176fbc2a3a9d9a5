"""Where a score lies between real data and noise."""

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

LOG_FROM_RATIO = 8
"""Ends that are both above 0 and further apart than this have a logarithmic scale."""
NORMAL_95 = 1.959964  # standard errors on each side of a 95 % interval
Row = Mapping[str, Any]


class Scale(NamedTuple):
    """The line from what real data score to the worst that is known.

    Attributes:
        real: what real images score against real ones.
        end: the worst possible number where there is one, else what noise scores.
        end_is: which of both.
        noise: what noise scores; None if that is not known.
        log: whether places are those of the logarithm.
    """

    real: float
    end: float
    end_is: Literal["worst", "noise"]
    noise: float | None
    log: bool

    def place(self, value: float) -> float:
        """A value on the line: 0 where real data are, 1 at its end; below 0 and above 1 beyond."""
        low, high = self._coordinate(self.real), self._coordinate(self.end)
        return (self._coordinate(value) - low) / (high - low)

    def _coordinate(self, value: float) -> float:
        if not self.log:
            return value
        return math.log(value) if value > 0 else -math.inf


def scale_of(name: str, row: Row, floor: Mapping[str, Any] | None) -> Scale | str:
    """The scale of a number, or why there is none, in words.

    Args:
        name: of the number.
        row: the number, as the record of a score has it.
        floor: the record of the floor, with what noise scores.
    """
    if floor is None:
        return "the scores of real data and noise were not measured"
    if name not in floor["metrics"]:
        return "it uses training images or trains a model, so real data and noise are not scored"
    real = _value(floor["metrics"][name])
    noise = _value(floor.get("noise", {}).get(name))
    if real is None:
        return "it has no value for real data against itself"
    end, end_is = row.get("worst"), "worst"
    if end is None:
        end, end_is = noise, "noise"
    if end is None:
        return "the score of noise is not known"
    if noise is not None and "blind_to" in row and _cost(noise, row) <= _cost(real, row):
        return f"it rates worthless images as good: {row['blind_to']}"
    if _cost(end, row) <= _cost(real, row):
        return "noise scores no worse than real data"
    log = min(real, end) > 0 and max(real, end) / min(real, end) >= LOG_FROM_RATIO
    return Scale(real, end, "worst" if end_is == "worst" else "noise", noise, log)


def interval_of(row: Row) -> tuple[float, float] | None:
    """The 95 % interval of a number: its own, or by its standard error; None if it has neither."""
    if row.get("interval") is not None:
        low, high = row["interval"]
        return float(low), float(high)
    value, error = row["value"], row["standard_error"]
    if value is None or error is None:
        return None
    return value - NORMAL_95 * error, value + NORMAL_95 * error


def on_the_scale(name: str, row: Row, floor: Mapping[str, Any] | None) -> Row:
    """The number that belongs on the scale: the score itself, or that of as many generated images
    as the floor is of.

    Args:
        name: of the number.
        row: the number itself.
        floor: the record of the floor.
    """
    if floor is None or "generated" not in floor:
        return row
    found = floor["generated"].get(name)
    return row if found is None else {**found, "better": row["better"]}


def _value(row: Row | None) -> float | None:
    return None if row is None else row["value"]


def _cost(value: float, row: Row) -> float:
    """How bad a number is, on any scale."""
    if row["better"] == "target":
        target = row["target"]
        return 0.0 if target is None else abs(value - target)
    return -value if row["better"] == "higher" else value
