"""How a number, a duration, a size or a list is written, wherever people read it."""

import math
from collections.abc import Sequence

from coequal.ranges import Value

NONE = "–"
ROUNDING = 1e-12
"""What is nearer to 0 differs from it by rounding alone."""
NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)


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


def with_error(value: float | None, error: float | None) -> str:
    """A value with its standard error, which has two figures: "0.881 ± 0.007", "12,350 ± 120".

    Small numbers share a power of ten: "(2.10 ± 0.34)e-06".

    Args:
        value: the number; None: empty.
        error: of it; None where it is not known, 0 where nothing is random: five figures of the
            value alone.
    """
    if value is None or not math.isfinite(value):
        return ""
    if error is None or not error > 1e-9 * abs(value):  # smaller errors are those of rounding
        return "0" if abs(value) < ROUNDING else f"{value:.5g}"
    error = float(f"{error:.1e}")  # 0.0996 is 0.10 in two figures
    power = math.floor(math.log10(max(abs(value), error)))
    if power >= -3:
        return " ± ".join(_rounded((value, error), error))
    scaled = (value / 10.0**power, error / 10.0**power)
    return f"({' ± '.join(_rounded(scaled, scaled[1]))})e{power:03d}"


def interval_with_error(ends: tuple[float, float], error: float | None) -> str:
    """The ends of an interval with as many figures as `with_error` gives the number in it."""
    if error is None or not error > 0:
        return " to ".join(f"{end:.4g}" for end in ends)
    return " to ".join(_rounded(ends, float(f"{error:.1e}")))


def _rounded(values: tuple[float, float], error: float) -> list[str]:
    """Values to the second figure of an error."""
    decimals = 1 - math.floor(math.log10(error))
    texts = []
    for value in values:
        rounded = round(value, decimals) + 0.0  # no -0
        texts.append(f"{rounded:,.{max(decimals, 0)}f}")
    return texts


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


def duration(seconds: float, decimals: int = 0) -> str:
    """A duration in seconds, minutes or hours: "40 s", "3 min", "2.5 h".

    Args:
        seconds: its length.
        decimals: of seconds and minutes; hours have one at least.
    """
    if seconds < 120:
        return f"{seconds:.{decimals}f} s"
    if seconds < 7200:
        return f"{seconds / 60:.{decimals}f} min"
    return f"{seconds / 3600:.{max(1, decimals)}f} h"


def size(count: float) -> str:
    """Bytes in decimal units, three digits: "12.3 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


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


def count_in_words(n: int) -> str:
    """A number of things: "two", up to twelve; figures beyond."""
    return NUMBERS[n] if n < len(NUMBERS) else f"{n:,}"


def capital(text: str) -> str:
    """Text with a capital at its start."""
    return text[:1].upper() + text[1:]


SIGNIFICANT = 10
"""Significant digits of what is computed from results, in files for programs.

Another processor adds up in another order, which moves the 15th or 16th digit, rarely the 14th. The
fewer digits are written, the more seldom that is seen: of 5,000 numbers of a study, some 600 differ
in their last digit on another processor; rounded to 12 digits, one in every few studies would
still differ, and rounded to 10, one in a thousand.
"""


def significant(value: float) -> float:
    """A number to `SIGNIFICANT` significant digits, which is the same on every processor."""
    return float(f"{value:.{SIGNIFICANT}g}")


def for_programs(value: float | None) -> str:
    """A number for programs; empty for none; infinity is a median that is a failure."""
    if value is None or math.isnan(value):
        return ""
    return "failed" if math.isinf(value) else repr(significant(value))
