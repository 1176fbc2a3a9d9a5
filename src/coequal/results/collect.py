"""`coequal collect`: the index made to say what the trial folders hold."""

import errno
import os
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
    said,
    writer_lock,
)
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.results.packed_result import Packed, stamp
from coequal.results.statements import IndexStatements, Stamp

Log = Callable[[str], None]

BATCH = 2000  # results in a transaction
READERS = 2  # processes; more only wait for the one that writes
EVERY = 10.0  # seconds between two words about a long work
NAMED = 3  # trials named in a message about many


@dataclass(frozen=True)
class Collected:
    """What `collect` found."""

    results: int  # in the index now, of the plan's trials or not
    added: int
    changed: tuple[str, ...]  # ids of trials whose result.json is another than before
    dropped: tuple[str, ...]  # ids of trials that have no usable result any more
    unplanned: tuple[str, ...]  # ids of results that the plan does not name: in no table
    unusable: tuple[str, ...]  # a message for each result.json that can't be used
    anew: bool  # the index was made anew

    @property
    def news(self) -> bool:
        """Whether the index said anything else before."""
        return bool(self.added or self.changed or self.dropped)


def collect(
    folder: RunFolder, log: Log = lambda line: None, *, path: Path | None = None
) -> Collected:
    """Make the index say what the trial folders hold; make it if it is not there or can't be read.

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
    with writer_lock(path), said(path):
        if kind := network(path):
            log(
                f"{path} lies on a network disk ({kind}), where readers and the writer wait for "
                "each other; with COEQUAL_INDEX=FOLDER the index goes to a local one"
            )
        found = _on_disk(folder, log)
        with ExitStack() as stack:
            old = _opened(path, log)
            if old is not None:
                stack.enter_context(closing(old.connection))
                before = old.stamps()
                new = sum(before.get(key) != file for key, file in found.items())
                if new <= max(BATCH, len(before)):
                    return _filled(old, old, folder, found, log)
            stack.callback(draft_path(path).unlink, missing_ok=True)
            draft = IndexStatements(begin_draft(path))
            with closing(draft.connection):
                collected = _filled(draft, old, folder, found, log)
                finish_draft(draft.connection, path)
        return collected


@contextmanager
def view(folder: RunFolder, log: Log = lambda line: None) -> Iterator[Index]:
    """An index of a run to read: collected first, unless a coordinator keeps it at this moment.

    A folder that may not be written to gets an index in a temporary place.

    Raises:
        FileNotFoundError, ValueError: as `collect`.
    """
    with collected_view(folder, log) as (index, _):
        yield index


@contextmanager
def collected_view(
    folder: RunFolder, log: Log = lambda line: None
) -> Iterator[tuple[Index, Collected | None]]:
    """The same, with what was found in the trial folders; None: a coordinator keeps the index."""
    path, found = index_path(folder), None
    with ExitStack() as stack:
        try:
            found = collect(folder, log)
        except BlockingIOError:
            log(f"{folder.path} is being worked in: what has ended by now is taken")
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="coequal-index-"))
            log(f"{path.parent} may not be written to; the index is made in {name}")
            path = Path(name) / path.name
            found = collect(folder, log, path=path)
        yield stack.enter_context(Index(folder, path=path)), found


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
    found: Mapping[str, Stamp],
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
    new = [key for key, file in found.items() if known.get(key) != file]
    # In the plan's order, so that whoever reads in that order later goes straight through the file.
    new.sort(key=lambda key: (places.get(key, len(places)), key))
    work = _Work(rows, old, before, log, len(new))
    work.take(read_results(folder, new, READERS))
    gone = [key for key in before if key not in found or key in work.wrong]
    with rows.transaction():
        rows.drop(gone)
    _say(work, gone, folder, log)
    stray = sorted(set(rows.stamps()) - set(places))
    if stray:
        log(
            f"{len(stray)} results are of trials that the plan does not name ({_some(stray)}); "
            "they are kept, and stand in no table"
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
        said_last, waiting = time.monotonic(), []
        for seen, (key, packed, file, wrong) in enumerate(results, 1):
            if wrong:
                self.wrong[key] = wrong
            elif packed is not None:
                waiting.append((packed, file))
                self._count(key, packed, file)
            if len(waiting) == BATCH:
                self._put(waiting)
                waiting = []
                if time.monotonic() - said_last > EVERY:
                    said_last = time.monotonic()
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


def _say(work: _Work, gone: Sequence[str], folder: RunFolder, log: Log) -> None:
    for message in work.wrong.values():
        log(message)
    for key in work.changed:
        log(
            f"{folder.trial_folder(key) / 'result.json'} has changed since it was collected; "
            "what it says now is taken"
        )
    lost = [key for key in gone if key not in work.wrong]
    if lost:
        log(f"{len(lost)} results are no longer there ({_some(lost)}); they are forgotten")


def _on_disk(folder: RunFolder, log: Log) -> dict[str, Stamp]:
    """By trial id, the stamp of each result.json."""
    found: dict[str, Stamp] = {}
    foreign, place = [], str(folder.path / "trials")
    for trial in trial_folders(folder):
        try:
            status = os.stat(f"{trial}/result.json")
        except (FileNotFoundError, NotADirectoryError):
            continue
        name = os.path.basename(trial)
        if trial != f"{place}/{name[:2]}/{name}":  # as `RunFolder.trial_folder`, but quick
            foreign.append(f"{trial}/result.json")
        else:
            found[name] = (status.st_size, status.st_mtime_ns)
    for file in foreign:
        log(f"{file} does not lie where a trial of its name does; it is left alone")
    return found


def trial_folders(folder: RunFolder) -> Iterator[str]:
    """The path of everything that lies where a trial's folder would."""
    try:
        with os.scandir(folder.path / "trials") as groups:
            names = sorted(group.path for group in groups if group.is_dir())
    except FileNotFoundError:
        return
    for name in names:
        with os.scandir(name) as trials:
            yield from sorted(entry.path for entry in trials if not entry.name.startswith("."))


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:NAMED]) + (", ..." if len(keys) > NAMED else "")
