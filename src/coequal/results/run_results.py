"""The results of a run as a mapping that reads each of them when it is asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from coequal.records import Result
from coequal.results.folder import RunFolder
from coequal.results.on_disk import result_files
from coequal.results.result_log import Entry, LogReader, LogWriter, read_entries


class RunResults(Mapping[str, Result]):
    """Results by trial id; each is read when it is asked for, so that a hundred thousand of them
    take no memory: from the log of the run where that is up to date, else from the trial's folder.

    Args:
        folder: of the run.
        entries: by the id of each trial that has a result, in the order of the mapping, what the
            log says of it; None where the trial's folder is read.
        lines: the log; None: as it is now.
    """

    def __init__(
        self,
        folder: RunFolder,
        entries: Mapping[str, Entry | None],
        lines: LogReader | None = None,
    ) -> None:
        self._folder, self._entries = folder, entries
        self._lines = lines or LogReader(folder)

    def __getitem__(self, trial_id: str) -> Result:
        entry = self._entries[trial_id]
        result = self._lines.result(entry) if entry else None
        if result is None:
            result = self._folder.result(trial_id)
        if result is None:
            raise KeyError(trial_id)
        return result

    def __contains__(self, trial_id: object) -> bool:
        return trial_id in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def of(self, trial_ids: Iterable[str]) -> "RunResults":
        """The results of these trials, in this order, as far as they have one."""
        kept = {key: self._entries[key] for key in trial_ids if key in self._entries}
        return RunResults(self._folder, kept, self._lines)


def results_on_disk(
    folder: RunFolder, log: Callable[[str], None] = lambda line: None
) -> RunResults:
    """The results that lie in a run's folder at this moment: those of the plan, in its order, then
    all others.

    Nothing is written, and none is read yet: one that can't be used is refused when it is asked
    for.

    Args:
        folder: of the run.
        log: is told of files that lie in a wrong place; they are left alone.
    """
    lines, entries = LogReader(folder), read_entries(folder)
    found: dict[str, Entry | None] = {}
    for key, stamp in result_files(folder, log).items():
        entry = entries.get(key)
        found[key] = entry if entry and entry.stamp == stamp else None
    return RunResults(folder, _in_order(folder, found), lines)


def logged_results(log: LogWriter) -> RunResults:
    """The results that are in a log by now: those of the plan, in its order, then all others."""
    return RunResults(log.folder, _in_order(log.folder, log.entries))


def _in_order(folder: RunFolder, found: Mapping[str, Entry | None]) -> dict[str, Entry | None]:
    order = dict.fromkeys(key for key in folder.planned() if key in found)
    return {key: found[key] for key in (*order, *sorted(found.keys() - order.keys()))}
