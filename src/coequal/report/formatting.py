"""How a number, a setting or a list is written."""

import math
from collections.abc import Sequence

from coequal.analysis.range_position import RangePosition
from coequal.analysis.trials import TrialSummary
from coequal.ranges import Choice, LogUniform, Value

NONE = "–"


def number(value: float | None) -> str:
    """Four digits or all of the whole part: 0.4132, 34.12, 812.3, 12,345; a dash for none."""
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return "failed"
    size = abs(value)
    if value == 0:
        return "0"
    if size < 1e-3:
        return f"{value:.2e}"
    decimals = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 4
    return f"{value:,.{decimals}f}"


def interval(ends: tuple[float | None, float | None] | None) -> str:
    """The ends of an interval: "31.2–40.5"; empty for none."""
    low, high = (None, None) if ends is None else ends
    if low is None or high is None:
        return ""
    apart = " to " if low < 0 or high < 0 else "–"
    return f"{number(low)}{apart}{number(high)}"


def amount(value: float) -> str:
    """What was spent, three digits or all of the whole part; a dash for none."""
    if math.isnan(value):
        return NONE
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 4
    return f"{value:,.{decimals}f}"


def percent(fraction: float) -> str:
    """A fraction as whole per cent."""
    return f"{100 * fraction:.0f} %"


def probability(value: float) -> str:
    """A probability, two digits: 0.93, <0.01, >0.99."""
    if 0 < value < 0.005:
        return "<0.01"
    return ">0.99" if 0.995 <= value < 1 else f"{value:.2f}"


def p_value(value: float) -> str:
    """A p-value, two digits."""
    return f"{value:.2g}" if value >= 1e-4 else "<0.0001"


def plain(value: Value) -> str:
    """A hyper-parameter's value, four digits."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4g}"


def listed(names: Sequence[str]) -> str:
    """Names as an English list."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def count(n: int, noun: str) -> str:
    """ "1 seed", "3 seeds"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def setting_name(setting: TrialSummary) -> str:
    """ "setting 3", or that it is the authors'."""
    return setting_text(setting.number)


def setting_text(setting: int) -> str:
    """A setting in words, by its number."""
    return "the authors' setting" if setting == 0 else f"setting {setting}"


def range_text(place: RangePosition) -> str:
    """The declared range in short."""
    space = place.range
    if space is None:
        return "fixed"
    if isinstance(space, Choice):
        return "one of " + ", ".join(plain(value) for value in space.values)
    scale = "log, " if isinstance(space, LogUniform) else ""
    return f"{scale}{plain(space.low)} to {plain(space.high)}"


def outcome(setting: TrialSummary | None) -> str:
    """A setting's test value, or why there is none."""
    if setting is None:
        return NONE
    return number(setting.test) if setting.status == "done" else setting.status


def capital(text: str) -> str:
    """Text with a capital at its start."""
    return text[:1].upper() + text[1:]


def full(value: float | None) -> str:
    """A score for programs, as it is; empty for none; infinity is a median that is a failure."""
    if value is None or math.isnan(value):
        return ""
    return "failed" if math.isinf(value) else repr(float(value))
