"""Every run that ended without a score."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import TrialSummary
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import Cell, Column, Table, model_column, tabulate

MAX_ROWS = 400
"""Rows of a table of runs that a reader sees at the most, or one of each model."""


class Run(NamedTuple):
    """A run in a table of runs of all models."""

    model: ModelSummary
    trial: TrialSummary


Runs = Sequence[Run]


def table(summary: DataSummary) -> Table | None:
    """Every failed run, of the search and of later phases; None if there is none."""
    failed = _failed(summary)
    if not failed:
        return None
    reason = "reason", "trial.reason", "Reason"
    columns = [
        *run_columns(summary),
        Column("status", "trial.status", "Status", words=True),
        Column(*reason, show=lambda text: text or "no reason was recorded", words=True),
        TRIAL_COLUMN,
    ]
    return tabulate(columns, failed, summary=summary, shown=first_of_each(failed, summary))


def nothing(summary: DataSummary) -> str:
    """That no run failed."""
    if _failed(summary) or not summary.ended:
        return ""
    phase = summary.rerun_phase
    reruns = f", and none of the {phase.ended} re-runs" if phase and phase.ended else ""
    return f"None of the {summary.ended} trials of the search failed{reruns}."


def run_columns(summary: DataSummary) -> list[Column]:
    """The first columns of a table of runs: of which model, setting and seed each is."""
    return [
        model_column(summary, value="model.name"),
        Column("setting", "trial.number", "Setting", cell=_which_cell, words=True),
        Column("repeat", "trial.repeat"),
    ]


def _which_cell(run: Run) -> Cell:
    return Cell(which(run.trial), sort=run.trial.number)


TRIAL_COLUMN = Column("trial", "trial.trial", "Trial", words=True)


def first_of_each(runs: Runs, summary: DataSummary) -> Runs:
    """The runs that a reader sees: all, or equally many of each model if there are too many.

    Args:
        runs: model by model.
        summary: of the dataset.
    """
    if len(runs) <= MAX_ROWS:
        return runs
    most, seen = max(1, MAX_ROWS // len(summary.models)), Counter[str]()
    first = []
    for run in runs:
        seen[run.model.name] += 1
        if seen[run.model.name] <= most:
            first.append(run)
    return first


def omitted(runs: Runs, summary: DataSummary, table: str) -> str:
    """The sentence about runs that a table does not list; empty if it lists all.

    Args:
        runs: model by model.
        summary: of the dataset.
        table: the name of the file that has all of them.
    """
    first = first_of_each(runs, summary)
    if len(first) == len(runs):
        return ""
    return (
        f" The first {len(first):,} of {len(runs):,} are shown, equally many of each model; all "
        f"are in tables/{table}.csv."
    )


def _failed(summary: DataSummary) -> Runs:
    return [
        Run(model, trial)
        for model in summary.models
        for trial in (*model.tried, *(t for runs in model.fresh_seeds.values() for t in runs))
        if trial.failed
    ]


def which(trial: TrialSummary) -> str:
    """A run by its setting and, of a fresh one, its seed."""
    text = "0, authors'" if trial.number == 0 else str(trial.number)
    return f"{text}, fresh seed {trial.repeat}" if trial.repeat else text


EVIDENCE = Evidence[DataSummary](
    name="failures",
    group=Group.HEALTH,
    place=300,
    title="Failures",
    how_to_read=lambda summary: (
        "Every run that ended without a score: when it stopped, and why."
        + omitted(_failed(summary), summary, "failures")
    ),
    table=table,
    nothing=nothing,
)
