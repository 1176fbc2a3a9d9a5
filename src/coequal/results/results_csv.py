"""results.csv and timings.csv: every trial, every checkpoint, in the order of the plan."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import IO, Any

from coequal.files import atomic_text_file
from coequal.records import Checkpoint, Result
from coequal.results.folder import RunFolder
from coequal.results.index import Index


def write_tables(folder: RunFolder, index: Index | None = None) -> None:
    """Write both tables anew.

    Args:
        folder: of the run.
        index: an up-to-date one, from which results come one after another; None: from the trial
            folders, all at once, as it suits a small run.
    """
    if index is not None:
        with atomic_text_file(folder.path / "results.csv") as file:
            write_csv(file, result_columns(index.heads()), result_rows(index.results()))
        with atomic_text_file(folder.path / "timings.csv") as file:
            write_csv(file, TIMINGS, timing_rows(index.results(metrics=())))
        if index.writes:
            index.note_tables()
        return
    results = list(folder.results().values())
    with atomic_text_file(folder.path / "results.csv") as file:
        write_csv(file, result_columns(results), result_rows(results))
    with atomic_text_file(folder.path / "timings.csv") as file:
        write_csv(file, TIMINGS, timing_rows(results))


def refresh_tables(folder: RunFolder, index: Index) -> None:
    """Write both tables unless they already hold what the index holds: of a large run they are
    gigabytes.

    Args:
        folder: of the run.
        index: an up-to-date one, open to read or to write.
    """
    if index.tables_are_current():
        return
    if index.writes:
        write_tables(folder, index)
        return
    try:
        with Index(folder, write=True) as mine:
            write_tables(folder, mine)
    except BlockingIOError:  # a coordinator keeps it, and writes them again in the end
        write_tables(folder, index)


TIMINGS = ("trial", "model", "step", "seconds")


def result_rows(results: Iterable[Result]) -> Iterator[dict[str, Any]]:
    """One row per trial and checkpoint; a trial that failed before its first has one row without
    values.

    Holds nothing that depends on the clock, so that equal runs give equal bytes. Columns of health
    are there if some trial was watched.
    """
    for result in results:
        for checkpoint in result.checkpoints or (None,):
            last = checkpoint is None or checkpoint is result.checkpoints[-1]
            yield _row(result, checkpoint, last)


def result_columns(results: Iterable[Result]) -> list[str]:
    """The columns of a table of results: all keys of its rows, as they first appear.

    Args:
        results: all, or those in which something appears first.
    """
    return list(dict.fromkeys(key for row in result_rows(results) for key in row))


def timing_rows(results: Iterable[Result]) -> Iterator[dict[str, Any]]:
    """Seconds of training up to each checkpoint, evaluation off the clock."""
    for result in results:
        for checkpoint in result.checkpoints:
            seconds = round(checkpoint.spent.seconds, 3)
            values = (result.trial.id, result.trial.model, checkpoint.step, seconds)
            yield dict(zip(TIMINGS, values, strict=True))


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
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _row(result: Result, checkpoint: Checkpoint | None, last: bool) -> dict[str, Any]:
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
        "last": int(last),
        "discriminator_steps": spent.discriminator_steps,
        "generator_steps": spent.generator_steps,
        "images": spent.images,
        "flops": spent.flops,
    }
    for measurement in checkpoint.measurements if checkpoint else ():
        value, error, protocol = _columns(measurement.metric, measurement.split)
        # A whole number in a file that somebody else wrote is the same number.
        row[value] = repr(float(measurement.value))
        if measurement.standard_error is not None:
            row[error] = repr(float(measurement.standard_error))
        row[protocol] = measurement.protocol
    row["reason"] = result.reason or ""
    if result.health is not None:
        step = result.health["step"]
        row |= {"health": result.health["verdict"], "health_step": "" if step is None else step}
    return row | {f"setting.{name}": value for name, value in trial.settings.items()}


@lru_cache(maxsize=4096)
def _columns(metric: str, split: str) -> tuple[str, str, str]:
    name = f"{metric}_{split}"
    return name, f"{name}_standard_error", f"{name}_protocol"
