"""How the columns of a table share the width that it may have."""

from collections.abc import Sequence
from dataclasses import dataclass

from coequal.reporting.latex.text import breakable
from coequal.reporting.latex.widths import Need, longest_word, share, width
from coequal.reporting.table import Cell, Heading, Table

GAP = 6.0  # points between two columns
SMALL_POINTS = 7.0  # of second lines
WIDEST_NUMBER = 110.0  # points; a wider cell of a column of numbers is broken
NARROWEST_WORDS = 62.0  # points of a column of words, where it has as many
HEADING_LINES = 2.5  # lines that the heading of a column of numbers would like to have at most


@dataclass(frozen=True)
class Form:
    """A way to set a table.

    Attributes:
        command: sets the size of the font.
        points: that size.
        stacked: whether the second line of a cell stands below the first, not beside it.
    """

    command: str
    points: float
    stacked: bool


FORMS = (
    Form(r"\small", 9.0, stacked=False),
    Form(r"\small", 9.0, stacked=True),
    Form(r"\footnotesize", 8.0, stacked=True),
)
"""From the one that reads best to the narrowest."""


@dataclass(frozen=True)
class Piece:
    """Columns that stand beside each other.

    Attributes:
        columns: their places in the table.
        widths: of each, in points.
    """

    columns: Sequence[int]
    widths: Sequence[float]


def fitted(table: Table, room: float) -> tuple[Form, Piece] | None:
    """The form that reads best of those in which all columns stand beside each other.

    Args:
        table: what is set.
        room: in points, for columns and the gaps between them.

    Returns:
        The form and the widths; None where there is no room for all.
    """
    every = range(len(table.headings))
    for form in FORMS:
        needs = [_need(table, column, form) for column in every]
        widths = share(needs, _without_gaps(room, len(needs)))
        if widths is not None:
            return form, Piece(every, widths)
    return None


def pieces(table: Table, room: float) -> tuple[Form, list[Piece]]:
    """The form of a table and the columns that stand beside each other; where there is no room for
    all, as few pieces as there must be, each with the first column.

    Args:
        table: what is set.
        room: in points, for columns and the gaps between them.
    """
    whole = fitted(table, room)
    if whole is not None:
        return whole[0], [whole[1]]
    form = FORMS[-1]
    needs = [_need(table, column, form) for column in range(len(table.headings))]
    cut, columns = [], [0]
    for column in range(1, len(needs)):
        wanted = [*columns, column]
        free = _without_gaps(room, len(wanted))
        if len(columns) > 1 and share([needs[c] for c in wanted], free) is None:
            cut.append(columns)
            wanted = [0, column]
        columns = wanted
    return form, [Piece(cs, _squeezed([needs[c] for c in cs], room)) for cs in [*cut, columns]]


def _squeezed(needs: Sequence[Need], room: float) -> list[float]:
    """Widths of columns; of such that can't fit, in proportion."""
    free = _without_gaps(room, len(needs))
    least = sum(need.least for need in needs)
    return share(needs, free) or [need.least * free / least for need in needs]


def _without_gaps(room: float, columns: int) -> float:
    return room - GAP * (columns - 1)


def _need(table: Table, column: int, form: Form) -> Need:
    """The room that a column needs, by its cells and its heading."""
    heading = table.headings[column]
    cells = [row[column] for row in table.rows]
    lines = [
        (breakable(text), points, bold) for c in cells for text, points, bold in _lines(c, form)
    ]
    longest = max((width(text, points, strong=bold) for text, points, bold in lines), default=0)
    word = max((longest_word(text, points, strong=bold) for text, points, bold in lines), default=0)
    head = _heading_lines(heading, form)
    head_word = max(longest_word(breakable(text), points) for text, points, _ in head)
    head_whole = max(width(text, points) for text, points, _ in head)
    if column == 0 or heading.words:
        least = max(word, head_word, min(longest, NARROWEST_WORDS))
        return Need(least, max(least, longest, min(head_whole, 2 * head_word)))
    least = max(word, head_word, min(longest, WIDEST_NUMBER))
    return Need(least, max(least, longest, head_whole / HEADING_LINES))


_Line = tuple[str, float, bool]
"""Text, size of its font in points, and whether it is bold."""


def _heading_lines(heading: Heading, form: Form) -> list[_Line]:
    small = [(heading.small, SMALL_POINTS, False)] if heading.small else []
    return [(heading.text, form.points, False), *small]


def _lines(cell: Cell, form: Form) -> list[_Line]:
    """The lines of a cell, as they are measured."""
    first = cell.text + cell.mark
    extra = [part for part in (cell.small, cell.flag) if part]
    if form.stacked or not extra:
        small = [(part, SMALL_POINTS, False) for part in extra]
        return [(first, form.points, cell.strong), *small]
    return [(f"{first} ({'; '.join(extra)})", form.points, cell.strong)]
