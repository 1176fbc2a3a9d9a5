"""results.csv and timings.csv: every trial, every checkpoint, in the order of the plan."""

import csv
import io
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from coequal.checkpoints import Checkpoint
from coequal.files import atomic_text_file
from coequal.records import Result
from coequal.results.folder import METRICS, RunFolder
from coequal.results.plan_file import PLAN
from coequal.results.result_log import ENTRIES
from coequal.results.study_file import STUDY
from coequal.selection import SelectionRule, best

RESULTS, TIMINGS = "results.csv", "timings.csv"
TIMING_COLUMNS = ("trial", "model", "step", "seconds")


def write_tables(
    folder: RunFolder, results: Mapping[str, Result] | None = None, into: Path | None = None
) -> None:
    """Write both tables anew.

    Args:
        folder: of the run.
        results: of the trials of its plan, in order; they are gone through twice. None: they are
            read from the trial folders, all at once, as it suits a small run.
        into: the folder to write to; None: that of the run.
    """
    results = folder.results() if results is None else results
    table = ResultTable(folder.rule(), results)
    with (
        atomic_text_file((into or folder.path) / RESULTS) as rows,
        atomic_text_file((into or folder.path) / TIMINGS) as timings,
    ):
        written, timed = _writer(rows, table.columns), _writer(timings, TIMING_COLUMNS)
        for result in results.values():
            written.writerows(table.rows_of(result))
            timed.writerows(timing_rows(result))


def refresh_tables(folder: RunFolder, results: Mapping[str, Result]) -> None:
    """Write both tables unless they are newer than all that they are made of: of a large run they
    are gigabytes. So a table that somebody edited stays until there is a further result.

    Args:
        folder: of the run.
        results: of the trials of its plan, in order.
    """
    tables = [_written(folder.path / name) for name in (RESULTS, TIMINGS)]
    made_of = [_written(folder.path / name) for name in (ENTRIES, PLAN, METRICS, STUDY)]
    if 0 in (*tables, made_of[0]) or min(tables) <= max(made_of):
        write_tables(folder, results)


class ResultTable:
    """The rows of results.csv: one per trial and checkpoint; a trial that failed before its first
    has one row without values.

    They hold nothing that depends on the clock, so that equal runs give equal bytes. Columns of
    health are there if some trial was watched.

    Args:
        rule: how the study chooses.
        results: of all trials of the plan, in order; they are gone through once.

    Attributes:
        columns: all keys of all rows, as they first appear.
    """

    def __init__(self, rule: SelectionRule, results: Mapping[str, Result]) -> None:
        self._rule = rule
        forms: dict[Hashable, dict[str, None]] = {}
        search: dict[tuple[str, str], list[tuple[float, int]]] = {}
        for result in results.values():
            trial = result.trial
            if trial.repeat == 0:
                score = (rule.cost(result), trial.setting)
                search.setdefault((trial.model, trial.data), []).append(score)
            form = _form(result)
            if form not in forms:
                forms[form] = dict.fromkeys(key for row in self._rows(result, 0) for key in row)
        self._chosen = {key: best(scores)[:1] for key, scores in search.items()}
        self.columns = list(dict.fromkeys(key for keys in forms.values() for key in keys))

    def rows_of(self, result: Result) -> Iterator[dict[str, Any]]:
        """The rows of one trial.

        `chosen` is 1 for every run of the setting that the study chooses for this model and data
        set by the results that there are; `reported` is 1 at the checkpoint that stands for the
        trial.
        """
        trial = result.trial
        chosen = trial.setting in self._chosen.get((trial.model, trial.data), ())
        return self._rows(result, int(chosen))

    def _rows(self, result: Result, chosen: int) -> Iterator[dict[str, Any]]:
        points = result.checkpoints
        reported = self._rule.chosen_index(result)
        for place, checkpoint in enumerate(points or (None,)):
            last = place >= len(points) - 1
            yield _row(result, checkpoint, (int(last), chosen, int(place == reported)))


def timing_rows(result: Result) -> Iterator[dict[str, Any]]:
    """Seconds of training of one trial up to each checkpoint, evaluation off the clock."""
    for checkpoint in result.checkpoints:
        seconds = round(checkpoint.spent.seconds, 3)
        values = (result.trial.id, result.trial.model, checkpoint.step, seconds)
        yield dict(zip(TIMING_COLUMNS, values, strict=True))


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV; the columns are all keys in the order in which they first appear."""
    file = io.StringIO()
    write_csv(file, list(dict.fromkeys(key for row in rows for key in row)), rows)
    return file.getvalue()


def write_csv(file: IO[str], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows as CSV, written one after another; what a row lacks is left empty.

    Raises:
        ValueError: a row has what no column is for.
    """
    _writer(file, columns).writerows(rows)


def _writer(file: IO[str], columns: Sequence[str]) -> "csv.DictWriter[str]":
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    writer.writeheader()
    return writer


def _written(path: Path) -> int:
    """When a file was written, in nanoseconds since 1970; 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _form(result: Result) -> Hashable:
    """What the columns of a result's rows depend on."""
    measured = tuple(
        (m.metric, m.split, *(_gaps(numbers) for numbers in (m.values, m.standard_errors)))
        for m in result.checkpoints.measured
    )
    return measured, len(result.checkpoints) > 0, result.health is None, (*result.trial.settings,)


def _gaps(numbers: Sequence[float | None] | None) -> Hashable:
    """Where numbers are missing; quick where none is."""
    if numbers is None or None not in numbers:
        return numbers is None
    return tuple(number is None for number in numbers)


def _row(
    result: Result, checkpoint: Checkpoint | None, marks: tuple[int, int, int]
) -> dict[str, Any]:
    """A row; `marks`: whether it is the last of its trial, `chosen`, and `reported`."""
    trial = result.trial
    spent = checkpoint.spent if checkpoint else result.spent
    row: dict[str, Any] = {
        "trial": trial.id,
        "model": trial.model,
        "data": trial.data,
        "setting": trial.setting,
        "repeat": trial.repeat,
        "seed": trial.seed,
        "status": result.status,
        "step": checkpoint.step if checkpoint else "",
        **dict(zip(("last", "chosen", "reported"), marks, strict=True)),
        "discriminator_steps": spent.discriminator_steps,
        "generator_steps": spent.generator_steps,
        "images": spent.images,
        "flops": spent.flops,
    }
    for measurement in checkpoint.measurements if checkpoint else ():
        value, error, protocol = _columns(measurement.metric, measurement.split)
        row[value] = repr(measurement.value)
        if measurement.standard_error is not None:
            row[error] = repr(measurement.standard_error)
        row[protocol] = measurement.protocol
    row["reason"] = result.reason or ""
    if result.health is not None:
        step = result.health.step
        row |= {"health": result.health.verdict, "health_step": "" if step is None else step}
    return row | {f"setting.{name}": value for name, value in trial.settings.items()}


@lru_cache(maxsize=4096)
def _columns(metric: str, split: str) -> tuple[str, str, str]:
    name = f"{metric}_{split}"
    return name, f"{name}_standard_error", f"{name}_protocol"
