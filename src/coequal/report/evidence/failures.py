"""Every run that ended without a score."""

from collections import Counter
from collections.abc import Sequence

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import TrialSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.table import (
    Cell,
    Heading,
    Table,
    name_cell,
    start,
)

MAX_ROWS = 400
"""Rows of a table of runs that a reader sees at the most, or one of each model."""


def table(summary: DataSummary) -> Table | None:
    """Every failed run, of the search and of later phases; None if there is none."""
    failed = _failed(summary)
    if not failed:
        return None
    first = first_of_each(failed, summary)
    rows = [
        [
            name_cell(model),
            Cell(which(trial), sort=trial.number),
            Cell(trial.status),
            Cell(trial.reason or "no reason was recorded"),
            Cell(trial.trial),
        ]
        for model, trial in first
    ]
    return Table(
        headings=[
            Heading("Model"),
            Heading("Setting", words=True),
            Heading("Status", words=True),
            Heading("Reason", words=True),
            Heading("Trial", words=True),
        ],
        rows=rows,
        records=[
            start(summary, model)
            | {"setting": t.number, "repeat": t.repeat, "trial": t.trial}
            | {"status": t.status, "reason": t.reason}
            for model, t in failed
        ],
    )


Runs = Sequence[tuple[ModelSummary, TrialSummary]]


def first_of_each(runs: Runs, summary: DataSummary) -> Runs:
    """The runs that a reader sees: all, or equally many of each model if there are too many.

    Args:
        runs: model by model.
        summary: of the data set.
    """
    if len(runs) <= MAX_ROWS:
        return runs
    most, seen = max(1, MAX_ROWS // len(summary.models)), Counter[str]()
    first = []
    for model, trial in runs:
        seen[model.name] += 1
        if seen[model.name] <= most:
            first.append((model, trial))
    return first


def omitted(runs: Runs, summary: DataSummary, table: str) -> str:
    """The sentence about runs that a table does not list; empty if it lists all.

    Args:
        runs: model by model.
        summary: of the data set.
        table: the name of the file that has all of them.
    """
    first = first_of_each(runs, summary)
    if len(first) == len(runs):
        return ""
    return (
        f" Of {len(runs):,} the first {len(first):,} are shown, as many of each model as of any "
        f"other; all of them are in tables/{table}.csv."
    )


def _failed(summary: DataSummary) -> Runs:
    return [
        (model, trial)
        for model in summary.models
        for trial in (*model.failures, *(t for runs in model.fresh_seeds.values() for t in runs))
        if trial.failed
    ]


def which(trial: TrialSummary) -> str:
    """A run by its setting and, of a fresh one, its seed."""
    text = "0, authors'" if trial.number == 0 else str(trial.number)
    return f"{text}, fresh seed {trial.repeat}" if trial.repeat else text


EVIDENCE = Evidence[DataSummary](
    name="failures",
    place=1010,
    title="Failures",
    how_to_read=lambda summary: (
        "Every run that ended without a score, when it stopped, and the reason."
        + omitted(_failed(summary), summary, "failures")
    ),
    table=table,
)
