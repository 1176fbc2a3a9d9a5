"""A table once, for every form it takes: page, Markdown, LaTeX and CSV."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
    """Rows for readers, records for programs."""

    name: str  # of its files
    title: str
    read: str  # how to read it, in one sentence
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]  # the first cell of each names the row
    records: Sequence[Record] = field(default_factory=list)  # full precision
    notes: Sequence[str] = ()  # what stands below it
