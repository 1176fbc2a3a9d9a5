"""Bring the index of a run up to date with its trial folders."""

import errno
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coequal.results._reader import Read, read_results
from coequal.results.database import (
    NewerIndexError,
    begin_draft,
    connect_to_write,
    draft_path,
    finish_draft,
    index_path,
    network,
    sqlite_errors,
    writer_lock,
)
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.results.on_disk import result_files
from coequal.results.packed_result import Packed, stamp
from coequal.results.statements import IndexStatements, Stamp

Log = Callable[[str], None]

RESULTS_PER_TRANSACTION = 2000
READERS = 2  # processes; more only wait for the one that writes
LOG_SECONDS = 10.0  # between two messages about a long work
MAX_NAMED = 3  # trials in a message about many


@dataclass(frozen=True)
class Collected:
    """What `collect` did.

    Attributes:
        results: in the index now, of the plan's trials or not.
        added: how many are new.
        changed: ids of trials whose result.json has changed.
        dropped: ids of trials that have no usable result any more.
        unplanned: ids of results that the plan does not name; they are in no table.
        unusable: a message for each result.json that can't be used.
        anew: whether the index was made anew.
    """

    results: int
    added: int
    changed: tuple[str, ...]
    dropped: tuple[str, ...]
    unplanned: tuple[str, ...]
    unusable: tuple[str, ...]
    anew: bool

    @property
    def news(self) -> bool:
        """Whether the index has changed."""
        return bool(self.added or self.changed or self.dropped)

    def refuse_unusable(self) -> None:
        """Refuse to go on without a result that can't be used.

        Raises:
            ValueError: there is such a result; one line for each.
        """
        if self.unusable:
            raise ValueError("\n".join(self.unusable))


def collect(
    folder: RunFolder, log: Log = lambda line: None, *, path: Path | None = None
) -> Collected:
    """Bring the index up to date with the trial folders, or make it if there is none to read.

    Args:
        folder: of a run.
        log: is told what is wrong with which file, and about long work.
        path: of the index; None: where it belongs.

    Raises:
        FileNotFoundError: the folder holds no study.
        BlockingIOError: another process writes the index.
        NewerIndexError: a newer version wrote it; it is left as it is.
        PermissionError: there is no writing there.
        ValueError: a file of the study itself can't be read.
    """
    folder.study()
    path = path or index_path(folder)
    with writer_lock(path), sqlite_errors(path):
        if kind := network(path):
            log(
                f"{path} lies on a network disk ({kind}), where readers and the writer wait for "
                "each other; with COEQUAL_INDEX=FOLDER the index goes to a local one"
            )
        files = result_files(folder, log)
        with ExitStack() as stack:
            old = _opened(path, log)
            if old is not None:
                stack.enter_context(closing(old.connection))
                before = old.stamps()
                new = sum(before.get(key) != file for key, file in files.items())
                if new <= max(RESULTS_PER_TRANSACTION, len(before)):
                    return _filled(old, old, folder, files, log)
            stack.callback(draft_path(path).unlink, missing_ok=True)
            draft = IndexStatements(begin_draft(path))
            with closing(draft.connection):
                collected = _filled(draft, old, folder, files, log)
                finish_draft(draft.connection, path)
        return collected


@contextmanager
def view(folder: RunFolder, log: Log = lambda line: None) -> Iterator[Index]:
    """An index of a run to read: collected first, unless a coordinator keeps it at this moment.

    A folder that may not be written to gets an index in a temporary place.

    Raises:
        FileNotFoundError, ValueError: as `collect`.
    """
    with _collected_view(folder, log) as (index, _):
        yield index


@contextmanager
def current_index(folder: RunFolder, log: Log = lambda line: None) -> Iterator[Index]:
    """An index of a run to read, as `view` opens it, in which no result is missing.

    Args:
        folder: of the run.
        log: is told what had to be done to bring the index up to date.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError: the index or a result can't be used; no trial is ever left out in silence.
    """
    with _collected_view(folder, log) as (index, collected):
        if collected is not None:
            collected.refuse_unusable()
            if collected.news:
                log(f"the index was brought up to the trial folders: {collected.results:,} results")
        yield index


@contextmanager
def _collected_view(folder: RunFolder, log: Log) -> Iterator[tuple[Index, Collected | None]]:
    """An index to read, and what `collect` found; None: a coordinator keeps the index."""
    path, collected = index_path(folder), None
    with ExitStack() as stack:
        try:
            collected = collect(folder, log)
        except BlockingIOError:
            log(f"a coordinator works in {folder.path}: results that are recorded by now are read")
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="coequal-index-"))
            log(f"{path.parent} may not be written to; the index is made in {name}")
            path = Path(name) / path.name
            collected = collect(folder, log, path=path)
        yield stack.enter_context(Index(folder, path=path)), collected


def _opened(path: Path, log: Log) -> IndexStatements | None:
    """The index that is there, whole; None: it has to be made."""
    try:
        rows = IndexStatements(connect_to_write(path))
    except FileNotFoundError:
        return None
    except NewerIndexError:
        raise
    except ValueError as error:
        log(f"{error}: so it does now")
        return None
    try:
        wrong = rows.damage()
    except sqlite3.DatabaseError as error:
        wrong = str(error)
    if wrong:
        rows.connection.close()
        log(f"{path} is damaged ({wrong}): it is made anew from the trial folders")
        return None
    return rows


def _filled(
    rows: IndexStatements,
    old: IndexStatements | None,
    folder: RunFolder,
    files: Mapping[str, Stamp],
    log: Log,
) -> Collected:
    """Bring `rows` up to date: what there was before, or a new and empty index."""
    plan = stamp(folder.path / "plan.json")
    if rows.about("plan") != repr(plan):
        trials = folder.plan()
        with rows.transaction():
            rows.plan(trials, plan)
        del trials
    before = {} if old is None else old.stamps()
    known = before if old is rows else {}
    places = {key: place for place, key in enumerate(rows.places())}
    new = [key for key, file in files.items() if known.get(key) != file]
    # In the plan's order, so that readers in that order go straight through the file.
    new.sort(key=lambda key: (places.get(key, len(places)), key))
    work = _Work(rows, old, before, log, len(new))
    work.take(read_results(folder, new, READERS))
    gone = [key for key in before if key not in files or key in work.wrong]
    with rows.transaction():
        rows.drop(gone)
    _report(work, gone, folder, log)
    stray = sorted(set(rows.stamps()) - set(places))
    if stray:
        log(
            f"{len(stray)} results are of trials that the plan does not name ({_some(stray)}); "
            "they are kept, and are in no table"
        )
    return Collected(
        results=len(rows.stamps()),
        added=work.added,
        changed=tuple(work.changed),
        dropped=tuple(gone),
        unplanned=tuple(stray),
        unusable=tuple(work.wrong.values()),
        anew=old is not rows,
    )


@dataclass
class _Work:
    """Results on their way into the index."""

    rows: IndexStatements
    old: IndexStatements | None
    before: Mapping[str, Stamp | None]  # by trial id, of what the old index has
    log: Log
    total: int
    added: int = 0
    changed: list[str] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)  # by trial id, a message

    def take(self, results: Iterable[Read]) -> None:
        """Put all results in, some thousand at a time."""
        logged, waiting = time.monotonic(), []
        for seen, (key, packed, file, wrong) in enumerate(results, 1):
            if wrong:
                self.wrong[key] = wrong
            elif packed is not None:
                waiting.append((packed, file))
                self._count(key, packed, file)
            if len(waiting) == RESULTS_PER_TRANSACTION:
                self._put(waiting)
                waiting = []
                if time.monotonic() - logged > LOG_SECONDS:
                    logged = time.monotonic()
                    self.log(f"collected {seen:,} of {self.total:,} results")
        self._put(waiting)

    def _count(self, key: str, packed: Packed, file: Stamp | None) -> None:
        if self.old is None or key not in self.before:
            self.added += 1
        elif self.before[key] != file and self.old.packed(key) != packed:
            self.changed.append(key)

    def _put(self, results: Sequence[tuple[Packed, Stamp | None]]) -> None:
        with self.rows.transaction():
            self.rows.put(results)


def _report(work: _Work, gone: Sequence[str], folder: RunFolder, log: Log) -> None:
    for message in work.wrong.values():
        log(message)
    for key in work.changed:
        log(
            f"{folder.trial_folder(key) / 'result.json'} has changed since it was collected; "
            "its present content is taken"
        )
    lost = [key for key in gone if key not in work.wrong]
    if lost:
        log(f"{len(lost)} results are no longer there ({_some(lost)}); they are forgotten")


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:MAX_NAMED]) + (", ..." if len(keys) > MAX_NAMED else "")
