"""A table once, for every form it takes: page, Markdown, LaTeX and CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coequal.analysis.model import ModelSummary
from coequal.analysis.summary import DataSummary
from coequal.report.formatting import NONE, full, interval, number, percent
from coequal.statistics.rates import Interval

Record = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One cell, as a reader sees it."""

    text: str
    small: str = ""  # a second line
    sort: float | str | None = None  # what its column is sorted by; None: the text
    model: int | None = None  # its index: the model's colour stands before the text
    flag: str = ""  # a warning
    place: float | None = None  # a mark on a bar from 0 to 1
    shade: float | None = None  # -1 .. 1: how far below or above the middle
    strong: bool = False
    mark: str = ""  # "*" and "**", as the paper has them


@dataclass(frozen=True)
class Heading:
    """The head of a column."""

    text: str
    small: str = ""
    words: bool = False  # its cells are text, to the left
    muted: bool = False


@dataclass(frozen=True)
class Table:
    """Rows for readers, records for programs.

    Attributes:
        headings: one for each column.
        rows: cells, of which the first names the row.
        records: rows in full precision, for a CSV file.
        notes: sentences below the table.
    """

    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    records: Sequence[Record] = ()
    notes: Sequence[str] = ()


EMPTY = Cell(NONE)


def name_cell(model: ModelSummary, small: str = "") -> Cell:
    """The model, with its colour."""
    return Cell(model.label, small, model=model.index)


def value_cell(value: float | None, small: str = "", *, strong: bool = False) -> Cell:
    """A number; sorts by itself."""
    return Cell(number(value), small, sort=_sortable(value), strong=strong)


def interval_cell(value: float | None, ends: Interval | None, *, strong: bool = False) -> Cell:
    """A number over its interval."""
    return value_cell(value, interval(ends), strong=strong)


def rate_cell(failed: int, total: int, ends: Interval | None) -> Cell:
    """Failures of all, over the interval of their rate."""
    if ends is None:
        return EMPTY
    small = f"{percent(ends.low)[:-2]}–{percent(ends.high)}"
    return Cell(f"{failed}/{total}", small, sort=failed / total)


def start(summary: DataSummary, model: ModelSummary) -> Record:
    """The first columns of a record."""
    return {"data": summary.data, "metric": summary.metric.name, "model": model.name}


def ends(name: str, found: Interval | Sequence[float | None] | None) -> Record:
    """Two columns for the ends of an interval."""
    low, high = found if found is not None else (None, None)
    return {f"{name}_low": full(low), f"{name}_high": full(high)}


def _sortable(value: float | None) -> float | str:
    return "" if value is None or value != value else value
