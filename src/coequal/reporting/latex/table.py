"""A table of the report in LaTeX, with columns of fixed width: one that goes on over pages, or
floats for the columns of a paper.

Both need the packages array and booktabs, the first longtable, too, and the others caption.
"""

from collections.abc import Sequence
from dataclasses import replace

from coequal.reporting.latex.layout import GAP, Form, Piece, fitted, pieces
from coequal.reporting.latex.text import escape, label, replacements
from coequal.reporting.table import Cell, Heading, Table

TEXT_WIDTH = 469.0
"""In points: that of an article on letter paper with margins of an inch."""
COLUMN_WIDTH, BOTH_COLUMNS = 238.0, 498.0
"""In points: of a column of a paper with two, and of its text."""
ROWS_IN_A_FLOAT = 42
"""A longer table goes on in another float."""

_LEFT, _RIGHT = (
    rf">{{\{ragged}\arraybackslash\hspace{{0pt}}}}" for ragged in ("raggedright", "raggedleft")
)


def longtable(table: Table, caption: str, how_to_read: str, name: str) -> str:
    """A table as one longtable, or as several below each other where its columns need more room.

    Args:
        table: what stands in it.
        caption: its title, without a full stop.
        how_to_read: stands below it, with the table's own notes.
        name: to refer to it by, after "tab:".
    """
    form, parts = pieces(table, TEXT_WIDTH)
    lines = ["{" + form.command, rf"\setlength{{\tabcolsep}}{{{GAP / 2}pt}}"]
    lines.append(r"\setlength{\LTcapwidth}{\linewidth}")
    for number, piece in enumerate(parts):
        title = escape(caption)
        if number:
            head = rf"\caption*{{{title}, further columns}}\\"
        else:
            head = rf"\caption{{{title}}}\label{{tab:{label(name)}}}\\"
        lines += [
            rf"\begin{{longtable}}{{{_columns(table, piece)}}}",
            head,
            *(top := _top(table, piece)),
            r"\endfirsthead",
            *top,
            r"\endhead",
            r"\bottomrule",
            r"\endlastfoot",
            *_rows(table, piece, form),
            r"\end{longtable}",
        ]
    notes = (escape(note) for note in (how_to_read, *table.notes) if note)
    lines += [rf"{{\footnotesize\raggedright\noindent {note}\par}}" for note in notes]
    return _file("array,booktabs,longtable", [*lines, "}"])


def floats(table: Table, caption: str, name: str) -> str:
    """A table as a float in one column of a paper, across both where its columns need more room,
    and as several floats where it has many rows, or its columns need more than that.

    Args:
        table: what stands in it.
        caption: as it is printed, in sentences.
        name: to refer to it by, after "tab:".
    """
    one = fitted(table, COLUMN_WIDTH)
    star = "" if one else "*"
    form, parts = (one[0], [one[1]]) if one else pieces(table, BOTH_COLUMNS)
    lines = []
    for start in range(0, max(1, len(table.rows)), ROWS_IN_A_FLOAT):
        some = replace(table, rows=table.rows[start : start + ROWS_IN_A_FLOAT])
        for number, piece in enumerate(parts):
            first = not start and not number
            title = rf"{escape(caption)}}}\label{{tab:{label(name)}" if first else "(continued)"
            lines += [
                rf"\begin{{table{star}}}",
                *([] if first else [r"\ContinuedFloat"]),
                rf"\caption{{{title}}}",
                rf"\centering{form.command}\setlength{{\tabcolsep}}{{{GAP / 2}pt}}",
                rf"\begin{{tabular}}{{{_columns(some, piece)}}}",
                *_top(some, piece),
                *_rows(some, piece, form),
                r"\bottomrule",
                r"\end{tabular}",
                rf"\end{{table{star}}}",
            ]
    return _file("array,booktabs,caption", lines)


def _file(packages: str, lines: Sequence[str]) -> str:
    source = "\n".join([rf"% \usepackage{{{packages}}}", *lines]) + "\n"
    return "\n".join([*replacements(source), source])


def _columns(table: Table, piece: Piece) -> str:
    kinds = (
        f"{_LEFT if left else _RIGHT}p{{{points:.1f}pt}}"
        for left, points in zip(_words(table, piece), piece.widths, strict=True)
    )
    return f"@{{}}{''.join(kinds)}@{{}}"


def _words(table: Table, piece: Piece) -> list[bool]:
    """Which columns are aligned to the left."""
    return [column == 0 or table.headings[column].words for column in piece.columns]


def _top(table: Table, piece: Piece) -> list[str]:
    listed = zip(piece.columns, _words(table, piece), piece.widths, strict=True)
    last = len(piece.columns) - 1
    heads = " & ".join(
        _heading(table.headings[column], left, points, place == 0, place == last)
        for place, (column, left, points) in enumerate(listed)
    )
    return [r"\toprule", rf"{heads}\\", r"\midrule"]


def _rows(table: Table, piece: Piece, form: Form) -> list[str]:
    space = "[2pt]" if form.stacked and _stacks(table) else ""
    rows = (" & ".join(_cell(row[c], form) for c in piece.columns) for row in table.rows)
    return [rf"{row}\\{space}" for row in rows]


def _stacks(table: Table) -> bool:
    return any(cell.small or cell.flag for row in table.rows for cell in row)


def _heading(heading: Heading, left: bool, points: float, first: bool, last: bool) -> str:
    """The head of a column, at the bottom of its row."""
    small = rf"\newline{{\scriptsize {escape(heading.small)}}}" if heading.small else ""
    kind = f"{'@{}' if first else ''}{_LEFT if left else _RIGHT}b{{{points:.1f}pt}}"
    return rf"\multicolumn{{1}}{{{kind}{'@{}' if last else ''}}}{{{escape(heading.text)}{small}}}"


def _cell(cell: Cell, form: Form) -> str:
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
