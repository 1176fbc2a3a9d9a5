"""How a number, a duration, a size or a list is written, wherever people read it."""

import math
from collections.abc import Sequence

from coequal.ranges import Value

NONE = "–"
MINUS = "−"
FIGURES = 3
"""Significant figures of a number whose error is not known."""
LEAST_P = 1e-4
"""Smaller p-values are not told apart."""
ROUNDING = 1e-9
"""An error is that of the computer's arithmetic where it is smaller than this part of its value."""
ZERO = 1e-12
"""What is nearer to 0 differs from it by rounding alone."""
SMALL = 1e-4
"""Numbers whose absolute value is smaller are written with a power of ten."""
SHORT = 1e-3
"""Numbers up to this size are written without zeros at their end: most are a few images of many,
as 0.0001 is one of 10,000."""
NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
Ends = tuple[float | None, float | None]
"""The lower and the upper end of an interval; None where there is none."""


def number(value: float | None, error: float | None = None) -> str:
    """A number, rounded by its error: to the error's second significant figure.

    Without a known error it has three figures, or all of its whole part: "0.413", "34.1", "1,235",
    "2.10e-07". Whole numbers stay whole.

    Args:
        value: the number; None or NaN: a dash; infinite: "failed".
        error: its standard error, its standard deviation or half of its interval; None where that
            is not known, and 0 where nothing is random.
    """
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return "failed"
    known = _known(error, value)
    return _three_figures(value) if known is None else _to_error([value], known)


def with_error(value: float | None, error: float | None) -> str:
    """A value with its error, which has two figures: "0.881 ± 0.007", "12,350 ± 120".

    Small numbers share a power of ten: "(2.10 ± 0.34)e-06".

    Args:
        value: the number; None, NaN or infinite: empty.
        error: its standard error or standard deviation; None where that is not known, 0 where
            nothing is random: the value alone, as `number` writes it.
    """
    if value is None or not math.isfinite(value):
        return ""
    known = _known(error, value)
    return _three_figures(value) if known is None else _to_error([value, known], known, " ± ")


def half_width(ends: Ends | None) -> float | None:
    """Half of the width of an interval, by which the value in it is rounded; None where an end is
    missing or infinite."""
    low, high = (None, None) if ends is None else ends
    if low is None or high is None or not math.isfinite(high - low):
        return None
    return (high - low) / 2


def interval(ends: Ends | None, error: float | None = None, between: str = "–") -> str:
    """The ends of an interval, to the second figure of its half-width: "221–309", "0.42–0.70".

    Args:
        ends: of the interval; None, or an end that is None: empty.
        error: of the value in it, to whose second figure the ends are written; None: that of half
            its width.
        between: what stands between the ends; " to " where an end is negative.
    """
    low, high = (None, None) if ends is None else ends
    if low is None or high is None:
        return ""
    between = " to " if low < 0 or high < 0 else between
    known = _known(error or half_width(ends), max(abs(low), abs(high)))
    if known is None or not math.isfinite(low + high):
        return between.join(map(number, (low, high)))
    return _to_error([low, high], known, between)


def interval_with_error(ends: tuple[float, float], error: float | None) -> str:
    """The ends of an interval with as many figures as `with_error` gives the number in it."""
    return interval(ends, error, between=" to ")


def signed(value: float, error: float | None = None) -> str:
    """A change, with its sign: "+12", "−5.3", "0".

    Args:
        value: the change; NaN: a dash; infinite: "failed".
        error: see `number`.
    """
    text = number(value, error)
    return f"+{text}" if math.isfinite(value) and value > 0 and text.strip("0.") else text


def ratio_in_words(ratio: float, higher: str = "high") -> str:
    """How two numbers compare: "twice as high", "1.4 times as high", "3 % higher", "half as high".

    Args:
        ratio: the number that is spoken of, divided by the other; above 0 and finite.
        higher: the adjective of the larger number, one of `ADJECTIVES`.

    Raises:
        ValueError: the ratio is not above 0, or not finite.
    """
    if not 0 < ratio < math.inf:
        raise ValueError(f"a ratio must be above 0 and finite, got {ratio}")
    larger, smaller = ADJECTIVES[higher]
    per_cent = 100 * abs(ratio - 1)
    if per_cent < 0.05:
        return f"equally {higher}"
    if 0.8 < ratio < 1.2:
        figures = f"{per_cent:.0f}" if per_cent >= 0.95 else f"{per_cent:.1f}"
        return f"{figures} % {larger if ratio > 1 else smaller}"
    text = _figures(ratio, 2).removesuffix(".0")
    times = {"0.50": "half", "2": "twice"}.get(text, f"{text} times")
    return f"{times} as {higher}"


ADJECTIVES = {
    "high": ("higher", "lower"),
    "large": ("larger", "smaller"),
    "long": ("longer", "shorter"),
}
"""Adjectives of a larger number, with the comparatives of a larger and of a smaller one."""


def _known(error: float | None, value: float) -> float | None:
    """An error in two figures (0.0996 is 0.10); None where it is unknown, or that of arithmetic."""
    if error is None or not math.isfinite(error) or not error > ROUNDING * abs(value):
        return None
    return float(f"{error:.1e}")


def _to_error(values: Sequence[float], error: float, between: str = "") -> str:
    """Values to the second figure of an error; small ones share a power of ten."""
    power = math.floor(math.log10(max(error, *map(abs, values))))
    power = power if 10.0**power < SMALL else 0
    decimals = 1 - math.floor(math.log10(error)) + power
    rounded = [round(value / 10.0**power, decimals) + 0.0 for value in values]  # + 0.0: no -0
    text = between.join(_minus(f"{value:,.{max(decimals, 0)}f}") for value in rounded)
    if not power:
        return text
    return f"{text}e{power:03d}" if len(values) == 1 else f"({text})e{power:03d}"


def _three_figures(value: float) -> str:
    """Three figures, or all of the whole part; "0" for what differs from it by rounding alone."""
    if abs(value) < ZERO:
        return "0"
    if abs(value - round(value)) <= ROUNDING * abs(value) < 1e6:
        return _minus(f"{value:,.0f}")
    return _figures(value, FIGURES)


def _figures(value: float, figures: int) -> str:
    """A number that isn't 0, to so many significant figures or all of its whole part."""
    size = abs(float(f"{value:.{figures - 1}e}"))  # 9.996 is 10.0 in three figures
    if not SMALL <= size < 1e15:
        return _minus(f"{value:.{figures - 1}e}")
    decimals = max(0, figures - 1 - math.floor(math.log10(size)))
    text = f"{value:,.{decimals}f}"
    return _minus(text.rstrip("0") if size <= SHORT else text)


def _minus(text: str) -> str:
    """A negative number with a minus sign instead of a hyphen."""
    return f"{MINUS}{text[1:]}" if text.startswith("-") else text


def amount(value: float) -> str:
    """What was spent, three digits or all of the whole part; a dash for none."""
    if math.isnan(value):
        return NONE
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 4
    return f"{value:,.{decimals}f}"


def percent(fraction: float) -> str:
    """A fraction as whole per cent."""
    return f"{_minus(str(round(100 * fraction)))} %"


def probability(value: float) -> str:
    """A probability, two digits: 0.93, <0.01, >0.99."""
    if 0 < value < 0.005:
        return "<0.01"
    return ">0.99" if 0.995 <= value < 1 else f"{value:.2f}"


def p_value(value: float) -> str:
    """A p-value alone, as in a column of them: two figures, "0.012", "< 0.0001"; a dash for NaN."""
    if math.isnan(value):
        return NONE
    return f"{value:.2g}" if value >= LEAST_P else f"< {LEAST_P:.4f}"


def p_in_full(value: float) -> str:
    """A p-value in a sentence: "p = 0.012", "p < 0.0001"."""
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


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
    """A hyperparameter's value, four digits."""
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


def roughly(n: int) -> str:
    """An estimated number of things, two figures: "22", "150", "1,000"."""
    return f"{round(n, min(0, 1 - math.floor(math.log10(n)))) if n else 0:,}"


def within_sentence(text: str) -> str:
    """Text without the capital at its start, unless that begins an abbreviation ("FD")."""
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"


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
