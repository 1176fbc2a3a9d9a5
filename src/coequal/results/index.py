"""The index of a run: what its trial folders hold, in one SQLite file for quick queries.

The trial folders are the truth; the index may be deleted at any time, and `coequal collect` (see
`coequal.results.collect`) makes it again. It has one writer: the coordinator of the run, or
`collect`. Anybody may read.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from coequal.records import Result, Trial
from coequal.results.database import (
    connect_to_read,
    connect_to_write,
    index_path,
    sqlite_errors,
    writer_lock,
)
from coequal.results.folder import RunFolder
from coequal.results.metric_history import (
    MetricHistories,
    MetricHistory,
    ProtocolUse,
    first_uses,
    packed_protocol_uses,
)
from coequal.results.packed_result import Window, pack, stamp, trial_of, unpack
from coequal.results.statements import IndexStatements, State


class Index:
    """An open index; use it as a context manager.

    With `write`, this is its one writer (the coordinator of the run, or `collect`).

    Raises:
        FileNotFoundError: there is no index yet.
        BlockingIOError: another process writes it; the message names it.
        ValueError: it can't be read, or a newer version wrote it.
    """

    def __init__(self, folder: RunFolder, *, write: bool = False, path: Path | None = None) -> None:
        self.folder, self.path, self.writes = folder, path or index_path(folder), write
        with ExitStack() as stack:
            if write:
                stack.enter_context(writer_lock(self.path))
            connection = connect_to_write(self.path) if write else connect_to_read(self.path)
            self.rows = IndexStatements(connection)
            stack.callback(connection.close)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    # --------------------------------------------------------------------------------------- write

    def record(self, result: Result) -> None:
        """Add the result of a trial, in a transaction of its own; an equal one changes nothing.

        Raises:
            ValueError: the trial has another result already.
        """
        packed = pack(result.as_dict())
        file = stamp(self.folder.trial_folder(packed.key) / "result.json")
        with sqlite_errors(self.path), self.rows.transaction():
            known = self.rows.packed(packed.key)
            if known is not None and known != packed:
                raise ValueError(
                    f"trial {packed.key} ({packed.model}, {packed.data}, setting "
                    f"{result.trial.setting}) has another result already; its folder is "
                    f"{self.folder.trial_folder(packed.key)}"
                )
            if known is None:
                self.rows.put([(packed, file)])

    def plan(self, trials: Sequence[Trial]) -> None:
        """Store the plan: every trial that is known by now, in order. What it no longer names
        leaves every table."""
        plan = stamp(self.folder.path / "plan.json")
        with sqlite_errors(self.path), self.rows.transaction():
            self.rows.plan(trials, plan)

    def note_tables(self) -> None:
        """Note that results.csv and timings.csv, as they lie there, hold what the index holds."""
        with sqlite_errors(self.path), self.rows.transaction():
            self.rows.tell("tables", self._tables())

    # ---------------------------------------------------------------------------------------- read

    def tables_are_current(self) -> bool:
        """Whether results.csv and timings.csv were written from exactly these results."""
        with sqlite_errors(self.path):
            return self.rows.about("tables") == self._tables()

    def _tables(self) -> str:
        names = ("results.csv", "timings.csv")
        return repr([stamp(self.folder.path / name) for name in names])

    def states(self) -> list[State]:
        """How far each trial of the plan is, in order; quick at any size."""
        with sqlite_errors(self.path):
            return self.rows.states()

    def knows_plan(self) -> bool:
        """Whether plan.json is still the one that was stored."""
        with sqlite_errors(self.path):
            return self.rows.about("plan") == repr(stamp(self.folder.path / "plan.json"))

    def trial_ids(self) -> set[str]:
        """The ids of all trials that have a result here, planned or not."""
        with sqlite_errors(self.path):
            return set(self.rows.stamps())

    def result(self, trial_id: str) -> Result | None:
        """The result of a trial, or None if it has none."""
        with sqlite_errors(self.path):
            packed = self.rows.packed(trial_id)
        return None if packed is None else unpack(packed, Window())

    def results(
        self,
        metrics: Collection[str] | None = None,
        splits: Collection[str] | None = None,
        last_only: bool = False,
        unplanned: bool = False,
    ) -> Iterator[Result]:
        """Read the results in the plan's order, one after another, so that memory stays small.

        Args:
            metrics: take these alone; None: all.
            splits: take these of the references alone; None: all.
            last_only: take the last checkpoint alone.
            unplanned: whether those whose trials the plan does not name follow at the end.
        """
        window = Window(metrics, splits, last_only)
        with sqlite_errors(self.path):
            for packed in self.rows.in_order(unplanned):
                yield unpack(packed, window)

    def histories(self, metric: str, beside: str) -> Iterator[tuple[Trial, MetricHistory | None]]:
        """Read the trials of the plan one after another, in order, with the history of one metric
        where there is a result.

        Args:
            metric: its name; the values of both splits are taken.
            beside: a second metric, of which the test values are taken.
        """
        histories = MetricHistories(metric, beside)
        with sqlite_errors(self.path):
            for key, description, packed in self.rows.planned():
                yield trial_of(key, description), None if packed is None else histories.of(packed)

    def protocol_uses(self) -> list[ProtocolUse]:
        """The first use of each protocol, by data set, metric and split, in the plan's order."""
        with sqlite_errors(self.path):
            layouts = self.rows.layouts()
            return first_uses(use for packed in layouts for use in packed_protocol_uses(packed))

    def heads(self) -> list[Result]:
        """For each form of result (settings, measurements, checkpoints), the first of the plan.

        They name every column that a table of all results has, in order of appearance.
        """
        with sqlite_errors(self.path):
            return [unpack(packed, Window()) for packed in self.rows.heads()]
