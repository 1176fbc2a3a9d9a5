"""The log of a run: the results of all ended trials in one file, to be read without opening a
hundred thousand.

results.jsonl   the content of every result.json, one line each
ended.jsonl     for each of these lines: whose it is, where it begins, how the trial ended, and by
                what a change of its result.json is known

The trial folders are the truth. Both files may be deleted at any time; whoever next brings them up
to date (`coequal.results.collect`) makes them again. They have one writer at a time: the
coordinator of the run, or `collect`. Anybody may read.
"""

import os
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from coequal.records import Result
from coequal.results.folder import RunFolder
from coequal.results.lock import exclusive
from coequal.results.result_file import Stamp, StoredResult, line_head, parse_trusted

LINES = "results.jsonl"
ENTRIES = "ended.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the log says of one ended trial.

    Attributes:
        trial: its id.
        model: the contender's name.
        status: how it ended, one of `coequal.records.Status`.
        seconds: of training.
        start: where its line begins in results.jsonl, in bytes.
        size: of its result.json, and so of the line, in bytes.
        changed: when its result.json was written, in nanoseconds since 1970.
    """

    trial: str
    model: str
    status: str
    seconds: float
    start: int
    size: int
    changed: int

    @property
    def stamp(self) -> Stamp:
        """By which a change of its result.json is known."""
        return self.size, self.changed

    @classmethod
    def of(cls, stored: StoredResult) -> "Entry":
        """The entry of a result whose line begins nowhere yet."""
        result, trial = stored.result, stored.result.trial
        return cls(trial.id, trial.model, result.status, result.spent.seconds, 0, *stored.stamp)


Line = tuple[Entry, bytes]
"""What the log holds of a trial: its entry, and the content of its result.json."""

_ENTRIES = TypeAdapter(list[Entry])


def read_entries(folder: RunFolder) -> dict[str, Entry]:
    """What the log says, by trial id, in the order in which the trials ended; nothing if there is
    no log, or none that can be read."""
    try:
        text = (folder.path / ENTRIES).read_bytes()
        size = (folder.path / LINES).stat().st_size
    except FileNotFoundError:
        return {}
    whole = text[: text.rfind(b"\n") + 1]  # a writer that was killed may have left half a line
    try:
        entries = _ENTRIES.validate_json(b"[" + whole.replace(b"\n", b",")[:-1] + b"]")
    except ValidationError:
        return {}
    return {entry.trial: entry for entry in entries if entry.start + entry.size <= size}


class LogReader:
    """Reads lines of results.jsonl, as it was when this was made."""

    def __init__(self, folder: RunFolder) -> None:
        self._file: int | None = None
        try:
            self._file = os.open(folder.path / LINES, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            return
        weakref.finalize(self, os.close, self._file)

    def line(self, entry: Entry) -> bytes | None:
        """The line of a trial; None if it is not where the entry says it is."""
        if self._file is None:
            return None
        os.lseek(self._file, entry.start, os.SEEK_SET)
        line = os.read(self._file, entry.size)
        whole = len(line) == entry.size and line.endswith(b"\n")
        return line if whole and line.startswith(line_head(entry.trial)) else None

    def result(self, entry: Entry) -> Result | None:
        """The result of a trial; None if the log does not hold it whole."""
        line = self.line(entry)
        if line is None:
            return None
        try:
            return parse_trusted(line, entry.trial)
        except ValueError:
            return None


class LogWriter:
    """Adds results to the log; made by `log_writer`, of which there is one at a time.

    Attributes:
        entries: what the log says, by trial id.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.entries = folder, read_entries(folder)
        self._lines, self._ends = self._open()
        if not self.entries:
            self.restart()
            return
        # A writer that was killed may have left half an entry, or a line without one.
        _cut(self._ends, (folder.path / ENTRIES).read_bytes().rfind(b"\n") + 1)
        _cut(self._lines, max(entry.start + entry.size for entry in self.entries.values()))

    def add(self, trial_id: str) -> None:
        """Add the result of a trial that has ended, from its folder; nothing if it has none.

        Raises:
            ValueError: it can't be used; the message names the file.
        """
        stored = self.folder.read_result(trial_id)
        if stored is not None:
            self.append([(Entry.of(stored), stored.text)])

    def append(self, lines: Iterable[Line]) -> None:
        """Add lines, which are safe on the disk before anything says that they are there."""
        start, entries = self._lines.seek(0, os.SEEK_END), []
        for entry, text in lines:
            self._lines.write(text)
            entries.append(replace(entry, start=start))
            start += len(text)
        self._lines.flush()
        os.fsync(self._lines.fileno())
        self._ends.write(b"".join(to_json(entry) + b"\n" for entry in entries))
        self._ends.flush()
        self.entries |= {entry.trial: entry for entry in entries}

    def restart(self) -> None:
        """Begin the log anew; whoever reads it at this moment keeps what was there."""
        self.close()
        for name in (ENTRIES, LINES):  # in this order: no entry is ever of a line that is gone
            (self.folder.path / name).unlink(missing_ok=True)
        self.entries.clear()
        self._lines, self._ends = self._open()

    def close(self) -> None:
        """Close the files."""
        self._lines.close()
        self._ends.close()

    def _open(self) -> tuple[BinaryIO, BinaryIO]:
        return (self.folder.path / LINES).open("ab"), (self.folder.path / ENTRIES).open("ab")


def _cut(file: BinaryIO, size: int) -> None:
    """Cut off what is beyond a size; a file that has that size is not even touched."""
    if file.seek(0, os.SEEK_END) > size:
        file.truncate(size)


@contextmanager
def log_writer(folder: RunFolder) -> Iterator[LogWriter]:
    """Open the log of a run to add to it.

    Raises:
        BlockingIOError: another process adds to it; the message names it.
        PermissionError: there is no writing in the folder.
    """
    with exclusive(folder.path / ".lock-results"):
        writer = LogWriter(folder)
        try:
            yield writer
        finally:
            writer.close()
