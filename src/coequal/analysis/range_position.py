"""Where a setting's value lies in the range that it was drawn from, as declared in the study."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coequal.ranges import Choice, Range, Uniform, Value, read_range, searched

EDGE_FRACTION = 0.05  # a value within this fraction of an end of its range is flagged


@dataclass(frozen=True)
class RangePosition:
    """One hyperparameter of a setting and its position in the declared range.

    Attributes:
        name: of the hyperparameter.
        value: in this setting.
        range: that it was drawn from; None if the search did not vary it.
        position: 0 at the low end, 1 at the high end, in the logarithm for a log-uniform range;
            None where there are no ends.
    """

    name: str
    value: Value
    range: Range | None
    position: float | None

    @property
    def flag(self) -> str:
        """What a reader should notice: "near the low end", "outside the range", or nothing."""
        if isinstance(self.range, Choice):
            return "" if self.value in self.range.values else "outside the range"
        if self.position is None:
            return ""
        if not 0 <= self.position <= 1:
            return "outside the range"
        if self.position <= EDGE_FRACTION:
            return "near the low end"
        return "near the high end" if self.position >= 1 - EDGE_FRACTION else ""


def range_position(name: str, value: Value, space: Range | None) -> RangePosition:
    """A value with its place in `space`."""
    return RangePosition(name, value, space, None if space is None else _position(value, space))


def declared_ranges(study: Mapping[str, Any], model: str) -> dict[str, Range]:
    """The ranges that a model's settings were drawn from.

    Args:
        study: with every default filled in.
        model: its name; one that the study lacks has none.
    """
    search = study.get("search") or {}
    about: Mapping[str, Any] = next(
        (entry for entry in study.get("models", ()) if entry["name"] == model), {}
    )
    settings = {**(study.get("tricks") or {}), **(about.get("settings") or {})}
    declared = about.get(str(search.get("space", "wide"))) or {}
    specs = searched(declared, search.get("ranges") or {}, settings)
    return {name: read_range(spec) for name, spec in specs.items()}


def _position(value: Value, space: Range) -> float | None:
    if isinstance(space, Choice) or isinstance(value, bool | str) or space.high <= space.low:
        return None
    if isinstance(space, Uniform):
        return (value - space.low) / (space.high - space.low)
    if value <= 0:
        return -math.inf
    return math.log(value / space.low) / math.log(space.high / space.low)
