"""results.csv and timings.csv: every trial, every checkpoint, in the order of the plan."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coequal.files import write_whole
from coequal.records import Checkpoint, Result
from coequal.results.folder import RunFolder


def write_tables(folder: RunFolder) -> None:
    """Write both tables anew from the trial folders."""
    results = list(folder.results().values())
    write_whole(folder.path / "results.csv", csv_text(result_rows(results)).encode())
    write_whole(folder.path / "timings.csv", csv_text(timing_rows(results)).encode())


def result_rows(results: Iterable[Result]) -> list[dict[str, Any]]:
    """One row per trial and checkpoint; a trial that failed before its first has one row without
    values.

    Holds nothing that depends on the clock, so that equal runs give equal bytes.
    """
    rows = []
    for result in results:
        for checkpoint in result.checkpoints or (None,):
            last = checkpoint is None or checkpoint is result.checkpoints[-1]
            rows.append(_row(result, checkpoint, last))
    return rows


def timing_rows(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Seconds of training up to each checkpoint, evaluation off the clock."""
    return [
        {"trial": result.trial.id, "model": result.trial.model, "step": checkpoint.step}
        | {"seconds": round(checkpoint.spent.seconds, 3)}
        for result in results
        for checkpoint in result.checkpoints
    ]


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV; the columns are all keys in the order in which they first appear."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


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
        row[f"{measurement.metric}_{measurement.split}"] = repr(measurement.value)
        if measurement.standard_error is not None:
            name = f"{measurement.metric}_{measurement.split}_standard_error"
            row[name] = repr(measurement.standard_error)
        row[f"{measurement.metric}_{measurement.split}_protocol"] = measurement.protocol
    row["reason"] = result.reason or ""
    return row | {f"setting.{name}": value for name, value in trial.settings.items()}
