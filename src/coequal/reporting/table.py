"""A table once, for every form it takes: page, Markdown, LaTeX and CSV."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import NONE, for_programs, half_width, interval, number, percent
from coequal.statistics.rates import Interval

Record = dict[str, Any]
"""A row of a CSV file: plain values by the names of its columns."""


@dataclass(frozen=True)
class Cell:
    """One cell, as a reader sees it.

    Attributes:
        text: the first line.
        small: the second line.
        sort: the value that its column is sorted by; None: the text.
        model: a model's index; its colour stands before the text.
        hue: of that model; None: grey.
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
    hue: int | None = None
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


Rate = tuple[int, int, Interval | None]
"""Failures, of how many, and the interval of their rate."""

Value = str | Callable[[Any], Any]
"""Gets a value from a row: a function of it, or a path of attributes, as "chosen.test", which gives
None where one of them is None."""


@dataclass(frozen=True)
class Column:
    """One column of a table, for readers and for programs alike.

    Attributes:
        name: in the CSV file; "" for a column that is on the page alone.
        value: of a row, unrounded; "": its attribute `name`.
        heading: on the page; "" for a column that is in the CSV file alone.
        under: the second line of the heading.
        show: writes a value that is not None: a function, or a format specification; None: three
            figures of a float (`number`), and anything else as it is.
        cell: gives the cell of a row, where the page shows more than the value; None: the value.
        ends: of the interval of the value, two more columns of the CSV file.
        words: whether its cells are text, aligned to the left.
        muted: whether the column is grey.
    """

    name: str
    value: Value = ""
    heading: str = ""
    under: str = ""
    show: str | Callable[[Any], str] | None = None
    cell: Callable[[Any], Cell] | None = None
    ends: Value = ""
    words: bool = False
    muted: bool = False

    def cell_of(self, row: Any) -> Cell:
        """What a reader sees of a row."""
        if self.cell is not None:
            return self.cell(row)
        value = _follow(row, self.value or self.name)
        if self.show is None:
            return value_cell(value) if isinstance(value, float | None) else Cell(str(value))
        if value is None:
            return EMPTY
        text = format(value, self.show) if isinstance(self.show, str) else self.show(value)
        return Cell(text, sort=value if isinstance(value, int | float) else None)

    def record_of(self, row: Any) -> Record:
        """What the CSV file holds of a row."""
        record = {self.name: _follow(row, self.value or self.name)} if self.name else {}
        if self.ends:
            low, high = _follow(row, self.ends) or (None, None)
            record |= {f"{self.name}_low": low, f"{self.name}_high": high}
        return record


@dataclass(frozen=True)
class Table:
    """Rows for readers, records for programs.

    Attributes:
        headings: one for each column.
        rows: cells, of which the first names the row.
        records: rows of unrounded numbers, for a CSV file.
        notes: sentences below the table.
        folds: whether the page shows a part of it where it is long, in a box that scrolls.
    """

    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    records: Sequence[Record] = ()
    notes: Sequence[str] = ()
    folds: bool = True


def tabulate(
    columns: Sequence[Column],
    rows: Iterable[Any],
    *,
    summary: DataSummary | None = None,
    shown: Iterable[Any] | None = None,
    notes: Sequence[str] = (),
    folds: bool = True,
) -> Table:
    """A table by its columns.

    Args:
        columns: in their order on the page and in the CSV file.
        rows: whatever the columns tell something about, in the order of the CSV file.
        summary: of the dataset that the table is about; None: of all of them.
        shown: the rows on the page, in their order there; None: all of `rows`.
        notes: sentences below the table.
        folds: whether the page shows a part of it where it is long, in a box that scrolls.
    """
    listed = list(rows)
    on_page = [column for column in columns if column.heading]
    return Table(
        headings=[Heading(c.heading, c.under, c.words, c.muted) for c in on_page],
        rows=[[c.cell_of(row) for c in on_page] for row in (listed if shown is None else shown)],
        records=records(columns, listed, summary),
        notes=notes,
        folds=folds,
    )


def records(
    columns: Sequence[Column], rows: Iterable[Any], summary: DataSummary | None = None
) -> list[Record]:
    """Rows for a CSV file; see `tabulate`."""
    about = {"data": summary.data, "metric": summary.metric.name} if summary else {}
    return [
        about | {name: v for c in columns for name, v in c.record_of(row).items()} for row in rows
    ]


def csv_record(record: Record) -> Record:
    """A record as it stands in a CSV file: floats as `for_programs` writes them."""
    return {
        name: for_programs(value) if isinstance(value, float | None) else value
        for name, value in record.items()
    }


EMPTY = Cell(NONE)


def name_cell(model: ModelSummary, small: str = "") -> Cell:
    """The model, with its colour."""
    return Cell(model.label, small, model=model.index, hue=model.hue)


def value_cell(
    value: float | None, small: str = "", *, error: float | None = None, strong: bool = False
) -> Cell:
    """A number, rounded by its error (see `number`); sorts by itself."""
    return Cell(number(value, error), small, sort=_sortable(value), strong=strong)


def interval_cell(value: float | None, ends: Interval | None, *, strong: bool = False) -> Cell:
    """A number over its interval, both to the second figure of half the interval's width."""
    return value_cell(value, interval(ends), error=half_width(ends), strong=strong)


def rate_cell(rate: Rate) -> Cell:
    """Failures of all, over the interval of their rate."""
    failed, total, ends = rate
    if ends is None:
        return EMPTY
    small = f"{percent(ends.low)[:-2]}–{percent(ends.high)}"
    return Cell(f"{failed}/{total}", small, sort=failed / total)


def model_column(
    summary: DataSummary,
    name: str = "model",
    value: Value = "name",
    heading: str = "Model",
    *,
    words: bool = False,
) -> Column:
    """The model of a row, with its colour.

    Args:
        summary: of the dataset.
        name: of the column in the CSV file.
        value: gives the model's name from a row.
        heading: on the page.
        words: whether the column is aligned to the left where it is not the first.
    """

    def cell(row: Any) -> Cell:
        return name_cell(summary.model(_follow(row, value)))

    return Column(name, value, heading, cell=cell, words=words)


def rival_column(summary: DataSummary, name: str, heading: str, value: Value = "") -> Column:
    """The model that the one of the row is compared with."""
    return Column(name, value, heading, show=lambda m: summary.model(m).label, words=True)


def rate_column(
    name: str, heading: str, rate: Callable[[Any], Rate], under: str = "95 %"
) -> Column:
    """How many failed of how many, as a rate with its interval."""

    def value(row: Any) -> float | None:
        failed, total, _ = rate(row)
        return failed / total if total else None

    def cell(row: Any) -> Cell:
        return rate_cell(rate(row))

    return Column(name, value, heading, under, cell=cell, ends=lambda row: rate(row)[2])


def within(part: Value, *columns: Column) -> list[Column]:
    """Columns about a part of a row; they are empty where a row lacks it.

    Args:
        part: gives the part from the row.
        columns: of the part.
    """
    return [
        replace(
            column,
            value=_chained(part, column.value or column.name),
            ends=column.ends and _chained(part, column.ends),
            cell=column.cell and _cell_within(part, column.cell),
        )
        for column in columns
    ]


def _chained(first: Value, then: Value) -> Value:
    def value(row: Any) -> Any:
        part = _follow(row, first)
        return None if part is None else _follow(part, then)

    return value


def _cell_within(part: Value, cell: Callable[[Any], Cell]) -> Callable[[Any], Cell]:
    def of_row(row: Any) -> Cell:
        found = _follow(row, part)
        return EMPTY if found is None else cell(found)

    return of_row


def _follow(row: Any, value: Value) -> Any:
    if not isinstance(value, str):
        return value(row)
    for part in value.split("."):
        row = None if row is None else getattr(row, part)
    return row


def _sortable(value: float | None) -> float | str:
    return "" if value is None or value != value else value
