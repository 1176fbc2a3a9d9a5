"""A table once, for every form it takes: page, Markdown, LaTeX and CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.report.formatting import NONE, full, interval, number, percent
from coequal.statistics.rates import Interval

Record = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One cell, as a reader sees it.

    Attributes:
        text: the first line.
        small: the second line.
        sort: the value that its column is sorted by; None: the text.
        model: a model's index, whose colour stands before the text.
        flag: a warning.
        place: the position of a mark on a bar, from 0 to 1.
        shade: how far the value is below or above the middle, from -1 to 1.
        strong: whether the text is bold.
        mark: "*" or "**", as in Lucic et al. 2018.
    """

    text: str
    small: str = ""
    sort: float | str | None = None
    model: int | None = None
    flag: str = ""
    place: float | None = None
    shade: float | None = None
    strong: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Heading:
    """The head of a column.

    Attributes:
        text: the first line.
        small: the second line.
        words: whether its cells are text, aligned to the left.
        muted: whether the column is grey.
    """

    text: str
    small: str = ""
    words: bool = False
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


def ends(name: str, interval: Interval | Sequence[float | None] | None) -> Record:
    """Two columns for the ends of an interval."""
    low, high = interval if interval is not None else (None, None)
    return {f"{name}_low": full(low), f"{name}_high": full(high)}


def _sortable(value: float | None) -> float | str:
    return "" if value is None or value != value else value
