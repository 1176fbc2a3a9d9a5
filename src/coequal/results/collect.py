"""Bring the log of a run up to date with its trial folders."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from coequal.files import atomic_write
from coequal.pace import Pace
from coequal.results.folder import RunFolder
from coequal.results.on_disk import result_files
from coequal.results.result_file import RESULT, StoredResult, read_file
from coequal.results.result_log import Entry, Line, LogReader, LogWriter, log_writer
from coequal.results.run_results import RunResults, logged_results, results_on_disk

Log = Callable[[str], None]

PORTION = 1000  # results that are held in memory, and then written together
MAX_NAMED = 3  # trials in a message about many


@dataclass
class Collected:
    """What `collect` found and did.

    Attributes:
        results: in the log now, of the plan's trials or not.
        added: how many of them are new.
        changed: ids of trials whose result.json says something else than before.
        lost: ids of trials that have no result any more.
        converted: how many were in the form of an older version.
        unplanned: ids of results that the plan does not name; they are in no table.
        unusable: by trial id, what is wrong with its result.json.
    """

    results: int = 0
    added: int = 0
    changed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    converted: int = 0
    unplanned: list[str] = field(default_factory=list)
    unusable: dict[str, str] = field(default_factory=dict)

    def refuse_unusable(self) -> None:
        """Refuse to go on without a result that can't be used.

        Raises:
            ValueError: there is such a result; one line for each.
        """
        if self.unusable:
            raise ValueError("\n".join(self.unusable.values()))


def collect(folder: RunFolder, log: Log = lambda line: None) -> Collected:
    """Bring the log of a run up to date with its trial folders, or make it.

    Results in the form of an older version are written again in the present one.

    Args:
        folder: of the run.
        log: is told what is wrong with which file, and about long work.

    Raises:
        FileNotFoundError: the folder holds no study.
        BlockingIOError: another process writes the log.
        PermissionError: there is no writing there.
        ValueError: a file of the study itself can't be read.
    """
    folder.study()
    with log_writer(folder) as writer:
        return update(writer, log)


def open_results(folder: RunFolder, log: Log = lambda line: None) -> RunResults:
    """The results of a run, the plan's in its order and then all others; none that can be used is
    missing.

    The log is brought up to date first, unless the coordinator keeps it at this moment or the
    folder may not be written to: then what it lacks is read from the trial folders.

    Args:
        folder: of the run.
        log: is told what is wrong with which file, and about long work.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError: a result can't be used; no trial is ever left out in silence.
    """
    results, unusable = usable_results(folder, log)
    if unusable:
        raise ValueError("\n".join(unusable.values()))
    return results


def usable_results(
    folder: RunFolder, log: Log = lambda line: None
) -> tuple[RunResults, Mapping[str, str]]:
    """As `open_results`, and what is wrong with results that can't be used, by trial id."""
    folder.study()
    try:
        with log_writer(folder) as writer:
            wrong = update(writer, log).unusable
            return logged_results(writer), wrong
    except OSError as error:
        if error.errno not in (None, errno.EAGAIN, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
    results = results_on_disk(folder, log)
    wrong = dict(_unusable(results))
    return results.of(key for key in results if key not in wrong), wrong


def _unusable(results: RunResults) -> Iterator[tuple[str, str]]:
    for key in results:
        try:
            results[key]
        except ValueError as error:
            yield key, str(error)


def update(writer: LogWriter, log: Log) -> Collected:
    """Bring the log that is open up to date; see `collect`."""
    folder, found = writer.folder, Collected()
    files = result_files(folder, log)
    before, old = dict(writer.entries), LogReader(folder)
    stale = {key for key, entry in before.items() if files.get(key) != entry.stamp}
    if stale:
        writer.restart()  # lines are only ever added; what has not changed is copied
    planned = folder.planned()
    found.unplanned = sorted(files.keys() - planned.keys())
    order = [*(key for key in planned if key in files), *found.unplanned]
    missing = [key for key in order if key not in writer.entries]

    def lines() -> Iterator[Line]:
        for key in missing:
            entry, line = before.get(key), None
            if entry is not None:
                line = old.line(entry)
                if line is not None and key not in stale:
                    yield entry, line
                    continue
            try:
                stored = _in_present_form(folder, key, found)
            except ValueError as error:
                found.unusable[key] = str(error)
                continue
            if stored is None:
                continue  # it has gone since they were listed
            found.added += entry is None
            if line is not None and line != stored.text:
                found.changed.append(key)
            yield Entry.of(stored), stored.text

    waiting = lines()
    pace = Pace("collecting", len(missing), log, announced=False, unit="results")
    while portion := list(islice(waiting, PORTION)):
        writer.append(portion)
        pace.add(len(portion))
    found.results = len(writer.entries)
    found.lost = [key for key in before if key not in files]
    _report(found, folder, log)
    return found


def _in_present_form(folder: RunFolder, key: str, found: Collected) -> StoredResult | None:
    """The result of a trial; its file is written again if it has another form."""
    stored = folder.read_result(key)
    if stored is None or stored.as_written:
        return stored
    path = folder.trial_folder(key) / RESULT
    atomic_write(path, stored.text)
    os.utime(path, ns=(stored.stamp[1], stored.stamp[1]))  # by which `status` knows when it ended
    found.converted += 1
    return read_file(path, key)


def _report(found: Collected, folder: RunFolder, log: Log) -> None:
    for message in found.unusable.values():
        log(message)
    if found.converted:
        log(f"{found.converted:,} results of an older version were converted")
    for key in found.changed:
        log(
            f"{folder.trial_folder(key) / RESULT} has changed since it was collected; "
            "its present content is used"
        )
    if found.lost:
        log(f"{len(found.lost)} results are no longer there ({_some(found.lost)})")
    if found.unplanned:
        log(
            f"{len(found.unplanned)} results belong to trials that are not in the plan "
            f"({_some(found.unplanned)}); they are kept, but are in no table"
        )


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:MAX_NAMED]) + (", ..." if len(keys) > MAX_NAMED else "")
