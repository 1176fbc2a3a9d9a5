"""Cells and records that several tables share."""

from collections.abc import Sequence

from coequal.report.model import ModelSummary
from coequal.report.summary import DataSummary
from coequal.report.table import Cell, Record
from coequal.report.words import NONE, full, interval, number, percent
from coequal.statistics.rates import Interval

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
