"""A table of the report as a longtable: columns of fixed width within a page's text, over pages.

It needs the packages array, booktabs and longtable.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coequal.report.latex.text import breakable, escape, label, replacements
from coequal.report.latex.widths import Need, longest_word, share, width
from coequal.report.table import Cell, Heading, Table

TEXT_WIDTH = 469.0
"""In points: that of an article on letter paper with margins of an inch."""
GAP = 6.0  # points between two columns
SMALL_POINTS = 7.0  # of second lines
WIDEST_NUMBER = 110.0  # points; a wider cell of a column of numbers is broken
NARROWEST_WORDS = 62.0  # points of a column of words, where it has as many
HEADING_LINES = 2.5  # lines that the heading of a column of numbers would like to have at most

NEEDS = "% \\usepackage{array,booktabs,longtable}"
_LEFT, _RIGHT = (
    rf">{{\{ragged}\arraybackslash\hspace{{0pt}}}}" for ragged in ("raggedright", "raggedleft")
)


@dataclass(frozen=True)
class _Form:
    """A way to set a table.

    Attributes:
        command: sets the size of the font.
        points: that size.
        stacked: whether the second line of a cell stands below the first, not beside it.
    """

    command: str
    points: float
    stacked: bool


_FORMS = (
    _Form(r"\small", 9.0, stacked=False),
    _Form(r"\small", 9.0, stacked=True),
    _Form(r"\footnotesize", 8.0, stacked=True),
)
"""From the one that reads best to the narrowest."""


def longtable(table: Table, caption: str, how_to_read: str, name: str) -> str:
    """A table as one longtable, or as several below each other where its columns need more room.

    Args:
        table: what stands in it.
        caption: its title, without a full stop.
        how_to_read: stands below it, with the table's own notes.
        name: to refer to it by, after "tab:".
    """
    form, pieces = _pieces(table)
    lines = [NEEDS, "{" + form.command, rf"\setlength{{\tabcolsep}}{{{GAP / 2}pt}}"]
    lines.append(r"\setlength{\LTcapwidth}{\linewidth}")
    for number, (columns, widths) in enumerate(pieces):
        title = escape(caption)
        if number:
            head = rf"\caption*{{{title}, further columns}}\\"
        else:
            head = rf"\caption{{{title}}}\label{{tab:{label(name)}}}\\"
        lines += _one(table, columns, widths, form, head)
    lines += [
        rf"{{\footnotesize\raggedright\noindent {escape(n)}\par}}"
        for n in (how_to_read, *table.notes)
    ]
    source = "\n".join([*lines, "}"]) + "\n"
    return "\n".join([*replacements(source), source])


def _pieces(table: Table) -> tuple[_Form, list[tuple[list[int], list[float]]]]:
    """How it is set, and which columns stand together at which widths."""
    every = list(range(len(table.headings)))
    for form in _FORMS:
        needs = [_need(table, column, form) for column in every]
        widths = share(needs, _room(len(every)))
        if widths is not None:
            return form, [(every, widths)]
    pieces, columns = [], [0]
    for column in every[1:]:
        wanted = [*columns, column]
        if len(columns) > 1 and share([needs[c] for c in wanted], _room(len(wanted))) is None:
            pieces.append(columns)
            wanted = [0, column]
        columns = wanted
    return form, [(cs, _fitted([needs[c] for c in cs])) for cs in [*pieces, columns]]


def _fitted(needs: Sequence[Need]) -> list[float]:
    """Widths of columns; of such that can't fit, in proportion."""
    room = _room(len(needs))
    least = sum(need.least for need in needs)
    return share(needs, room) or [need.least * room / least for need in needs]


def _room(columns: int) -> float:
    return TEXT_WIDTH - GAP * (columns - 1)


def _need(table: Table, column: int, form: _Form) -> Need:
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


def _heading_lines(heading: Heading, form: _Form) -> list[_Line]:
    small = [(heading.small, SMALL_POINTS, False)] if heading.small else []
    return [(heading.text, form.points, False), *small]


def _lines(cell: Cell, form: _Form) -> list[_Line]:
    """The lines of a cell, as they are measured."""
    first = cell.text + cell.mark
    extra = [part for part in (cell.small, cell.flag) if part]
    if form.stacked or not extra:
        small = [(part, SMALL_POINTS, False) for part in extra]
        return [(first, form.points, cell.strong), *small]
    return [(f"{first} ({'; '.join(extra)})", form.points, cell.strong)]


def _one(
    table: Table, columns: Sequence[int], widths: Sequence[float], form: _Form, caption: str
) -> list[str]:
    """The lines of one environment."""
    words = [column == 0 or table.headings[column].words for column in columns]
    kinds = [
        f"{_LEFT if left else _RIGHT}p{{{points:.1f}pt}}"
        for left, points in zip(words, widths, strict=True)
    ]
    heads = " & ".join(
        _heading(table.headings[column], left, points, k == 0, k == len(columns) - 1)
        for k, (column, left, points) in enumerate(zip(columns, words, widths, strict=True))
    )
    top = [r"\toprule", rf"{heads}\\", r"\midrule"]
    rows = [" & ".join(_cell(row[column], form) for column in columns) for row in table.rows]
    return [
        rf"\begin{{longtable}}{{@{{}}{''.join(kinds)}@{{}}}}",
        caption,
        *top,
        r"\endfirsthead",
        *top,
        r"\endhead",
        r"\bottomrule",
        r"\endlastfoot",
        *(rf"{row}\\{'[2pt]' if form.stacked else ''}" for row in rows),
        r"\end{longtable}",
    ]


def _heading(heading: Heading, left: bool, points: float, first: bool, last: bool) -> str:
    """The head of a column, at the bottom of its row."""
    small = rf"\newline{{\scriptsize {escape(heading.small)}}}" if heading.small else ""
    kind = f"{'@{}' if first else ''}{_LEFT if left else _RIGHT}b{{{points:.1f}pt}}"
    return rf"\multicolumn{{1}}{{{kind}{'@{}' if last else ''}}}{{{escape(heading.text)}{small}}}"


def _cell(cell: Cell, form: _Form) -> str:
    text = escape(cell.text)
    if cell.mark:
        text += rf"\textsuperscript{{{cell.mark}}}"
    if cell.strong:
        text = rf"\textbf{{{text}}}"
    extra = [part for part in (cell.small, cell.flag) if part]
    if not extra:
        return text
    if form.stacked:
        return text + "".join(rf"\newline{{\scriptsize {escape(part)}}}" for part in extra)
    return f"{text} ({escape('; '.join(extra))})"
