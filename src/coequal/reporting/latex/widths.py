"""How wide text is in Computer Modern, somewhat rounded up, and how wide columns have to be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import normalize

from coequal.reporting.latex.text import command

WIDER = {9.0: 1.05, 8.0: 1.08, 7.0: 1.16}
"""Small sizes of the font are wider than its 10 points scaled down."""
BOLD = 1.16

_WIDTHS = {
    0.29: "ijl.,:;'!|\u2009",
    0.34: " fI-\u200b",
    0.4: 'rst()[]`"',
    0.46: "cez*",
    0.52: "0123456789agoJ/?–_#$&\\{}~^",
    0.56: "bdhknpquvxyS",
    0.64: "LFEZ",
    0.76: "ABCDGHKNOPQRTUVXY",
    0.84: "mw%M=+<>±−×→≤≥~★☆†",
    1.05: "W…@",
}
_EMS = {letter: ems for ems, letters in _WIDTHS.items() for letter in letters}
ACCENTED_EMS = 0.84
REPLACED_EMS = 4.8  # "[U+6F22]"


def width(text: str, points: float, *, strong: bool = False) -> float:
    """The width of one line of text in points, at a size of the font: 9, 8 or 7."""
    return sum(map(_ems, text)) * points * WIDER[points] * (BOLD if strong else 1.0)


def _ems(letter: str) -> float:
    if letter in _EMS:
        return _EMS[letter]
    if "[U+" in command(letter):
        return REPLACED_EMS
    return ACCENTED_EMS * len([part for part in normalize("NFKD", letter) if part.isascii()] or "x")


def longest_word(text: str, points: float, *, strong: bool = False) -> float:
    """The width of the widest part of a text that holds no place where a line may end."""
    words = re.split(r"[ \u200b]|(?<=[_\-–/\u0250-\u1fff\u2c00-\U0010ffff])", text)
    return max((width(word, points, strong=strong) for word in words), default=0.0)


@dataclass(frozen=True)
class Need:
    """How much room a column needs.

    Attributes:
        least: of its longest word, in points.
        whole: of its longest line, if none is broken.
    """

    least: float
    whole: float


def share(needs: Sequence[Need], room: float) -> list[float] | None:
    """Widths of columns that fit into a room together; None if not even the longest words do.

    Every column gets what its longest word needs, and of what is left each the same fraction of
    what its longest line needs beyond that.
    """
    left = room - sum(need.least for need in needs)
    if left < 0:
        return None
    wanted = sum(need.whole - need.least for need in needs)
    part = min(1.0, left / wanted) if wanted else 0.0
    return [need.least + part * (need.whole - need.least) for need in needs]
