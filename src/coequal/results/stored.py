"""The results of a run as a mapping that reads each of them when it is asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from coequal.records import Result


class StoredResults(Mapping[str, Result]):
    """Results by trial id, in the plan's order; each is read when it is asked for, so that a
    hundred thousand of them take no memory.

    Args:
        read: reads the result of a trial; None if it has none.
        ids: of the trials that have a result.
    """

    def __init__(self, read: Callable[[str], Result | None], ids: Iterable[str]) -> None:
        self._read = read
        self._ids = dict.fromkeys(ids)

    def __getitem__(self, trial_id: str) -> Result:
        result = self._read(trial_id) if trial_id in self._ids else None
        if result is None:
            raise KeyError(trial_id)
        return result

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
