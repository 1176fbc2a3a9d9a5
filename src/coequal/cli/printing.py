"""How the commands print: text wrapped at words, and tables that fit the terminal."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from coequal.files import finite_values

console = Console(highlight=False, emoji=False)
errors = Console(stderr=True, highlight=False, emoji=False)

GAP = 2  # columns between two cells of a table
NARROWEST = 16  # columns of a cell whose text wraps; a longer word is broken
_BULLET = re.compile(r"\s*(?:[-*] |\d+\. )?")


def say(text: str | Text, style: str = "") -> None:
    """Print a sentence on standard output.

    Args:
        text: one or more lines, without markup. In a terminal they are wrapped at words, under the
            start of their own text; elsewhere each of them stays one line. Paths, ids and other
            long words are never broken.
        style: of the text, as in "bold".
    """
    _print(console, text, style)


def log_line(line: str | Text, style: str = "") -> None:
    """Print a line of progress, a warning or an error on standard error: see `say`."""
    _print(errors, line, style)


def _print(to: Console, text: str | Text, style: str) -> None:
    styled = Text(text, style) if isinstance(text, str) else text
    for line in wrapped(styled, to.width) if to.is_terminal else [styled]:
        to.print(line, soft_wrap=True)


def wrapped(text: Text, columns: int) -> Iterator[Text]:
    """Wrap text at words; what follows the first line of a bullet is indented like its text.

    Args:
        text: one or more lines.
        columns: that the text may take; a longer word stays whole.
    """
    for line in text.split("\n", allow_blank=True):
        found = _BULLET.match(line.plain)
        indent = found.end() if found and found.end() < columns // 2 else 0
        body = line[indent:]
        for place, part in enumerate(body.divide(_breaks(body.plain, columns - indent))):
            part.rstrip()
            yield (line[:indent] if place == 0 else Text(" " * indent)) + part


def _breaks(line: str, columns: int) -> Iterator[int]:
    """Where a line is broken: at the beginnings of words that would not fit."""
    taken = 0
    for word in re.finditer(r"\S+\s*|^\s+", line):
        if taken and taken + cell_len(word[0].rstrip()) > columns:
            yield word.start()
            taken = 0
        taken += cell_len(word[0])


@dataclass(frozen=True)
class Field:
    """A column of a table.

    Attributes:
        heading: for people.
        right: whether its cells are aligned to the right, as numbers are.
        wraps: whether its cells are sentences, which may take several lines; others stay whole.
    """

    heading: str
    right: bool = False
    wraps: bool = False

    def natural(self, cells: Sequence[Text]) -> int:
        """The width at which nothing has to wrap."""
        return max(map(cell_len, [self.heading, *(cell.plain for cell in cells)]))

    def least(self, cells: Sequence[Text]) -> int:
        """The width that it can't do without: headings wrap at words."""
        words = max((cell_len(word) for word in self.heading.split()), default=0)
        whole = max((cell.cell_len for cell in cells), default=0)
        return max(words, min(whole, NARROWEST) if self.wraps else whole)


def print_table(
    fields: Sequence[Field], rows: Sequence[Sequence[str | Text]], keys: int = 1
) -> None:
    """Print a table that fits the terminal, and an empty line: see `tables`."""
    for table in tables(fields, rows, keys):
        console.print(table, crop=False)
        console.print()


def tables(
    fields: Sequence[Field], rows: Sequence[Sequence[str | Text]], keys: int = 1
) -> Iterator[Table]:
    """A table that fits the terminal.

    Headings wrap at words, and so do cells of fields that say so. If that is not enough, the
    remaining fields make another table, so that no cell is ever cut.

    Args:
        fields: the columns.
        rows: their cells.
        keys: how many of the first fields say what a row is: they begin each of the tables.

    Yields:
        The tables, one below the other.
    """
    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    columns = [[row[place] for row in cells] for place in range(len(fields))]
    least = [field.least(column) for field, column in zip(fields, columns, strict=True)]
    for places in _groups(least, keys, console.width):
        natural = [fields[place].natural(columns[place]) for place in places]
        widths = _shared([least[place] for place in places], natural, console.width)
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        for place, width in zip(places, widths, strict=True):
            justify: JustifyMethod = "right" if fields[place].right else "left"
            table.add_column(fields[place].heading, width=width, justify=justify, overflow="fold")
        for row in cells:
            table.add_row(*(row[place] for place in places))
        yield table


def _groups(least: Sequence[int], keys: int, columns: int) -> Iterator[list[int]]:
    """The places of the fields of each table, so that each fits."""
    heads = list(range(keys))
    group = list(heads)
    for place in range(keys, len(least)):
        if len(group) > keys and _taken([least[one] for one in [*group, place]]) > columns:
            yield group
            group = list(heads)
        group.append(place)
    yield group


def _taken(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _shared(least: Sequence[int], natural: Sequence[int], columns: int) -> list[int]:
    """Widths of fields: what they need at least, and what is left in turn up to their natural
    width."""
    widths = list(least)
    left = columns - _taken(widths)
    while left > 0 and widths != list(natural):
        for place, width in enumerate(natural):
            if left > 0 and widths[place] < width:
                widths[place] += 1
                left -= 1
    return widths


def print_json(values: Any, indent: int | None = 1) -> None:
    """Print plain values as JSON, without colours or line wrapping.

    Args:
        values: plain values.
        indent: spaces a level; None: everything in one line.
    """
    sys.stdout.write(json.dumps(finite_values(values), indent=indent, allow_nan=False) + "\n")
    sys.stdout.flush()
