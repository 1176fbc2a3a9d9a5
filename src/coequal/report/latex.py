"""A table as LaTeX: booktabs, everything escaped; needs only \\usepackage{booktabs}."""

import re

from coequal.report.table import Cell, Heading, Table

ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "−": r"$-$",
    "–": "--",
    "…": r"\ldots{}",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "→": r"$\to$",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}


def latex(table: Table, title: str, how_to_read: str, label: str) -> str:
    """A table as a floating environment.

    Args:
        table: what stands in it.
        title: the beginning of the caption.
        how_to_read: the rest of the caption.
        label: to refer to it by, after "tab:".
    """
    columns = "".join("l" if k == 0 or h.words else "r" for k, h in enumerate(table.headings))
    lines = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{escape(title)}. {escape(how_to_read)}}}",
        rf"\label{{tab:{_label(label)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(_heading(heading) for heading in table.headings) + r" \\",
        r"\midrule",
        *(" & ".join(_cell(cell) for cell in row) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {escape(note)}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(ESCAPES.get(letter, letter) for letter in " ".join(text.split()))


def _heading(heading: Heading) -> str:
    small = rf" \footnotesize ({escape(heading.small)})" if heading.small else ""
    return f"{{{escape(heading.text)}{small}}}"


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.mark:
        text += rf"\textsuperscript{{{cell.mark}}}"
    if cell.strong:
        text = rf"\textbf{{{text}}}"
    extra = "; ".join(part for part in (cell.small, cell.flag) if part)
    return rf"{text} {{\footnotesize ({escape(extra)})}}" if extra else text


def _label(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9:-]+", "-", text)
