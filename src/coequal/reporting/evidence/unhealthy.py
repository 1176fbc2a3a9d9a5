"""Runs that have a score and look bad nevertheless."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.health import fresh_runs
from coequal.records import TrialHealth
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._nothing import not_monitored
from coequal.reporting.evidence.failures import (
    TRIAL_COLUMN,
    Run,
    Runs,
    first_of_each,
    omitted,
    run_columns,
)
from coequal.reporting.evidence.health import since
from coequal.reporting.table import Cell, Column, Table, tabulate, within


def table(summary: DataSummary) -> Table | None:
    """Every run that has a score and looks bad nevertheless; None if there is none."""
    listed = _look_bad(summary)
    if not listed:
        return None
    verdict = "verdict", "trial.verdict", "Verdict"
    columns = [
        *run_columns(summary),
        Column(*verdict, show=lambda text: text.replace("_", " "), words=True),
        Column("test", "trial.test", f"test {summary.metric.label}"),
        *within(
            "trial.health",
            Column("step"),
            Column("evidence", heading="Evidence", cell=_seen_cell, words=True),
        ),
        TRIAL_COLUMN,
    ]
    first = first_of_each(listed, summary)
    return tabulate(columns, listed, summary=summary, shown=first)


def _seen_cell(health: TrialHealth) -> Cell:
    return Cell(health.evidence, since(health.step))


def _look_bad(summary: DataSummary) -> Runs:
    return [
        Run(model, trial)
        for model in summary.models
        for trial in (*model.tried, *fresh_runs(model))
        if trial.looks_bad
    ]


def nothing(summary: DataSummary) -> str:
    """That no run with a score looks bad."""
    if none := not_monitored(summary):
        return none
    return "" if _look_bad(summary) else "No run with a score looks bad."


EVIDENCE = Evidence[DataSummary](
    name="unhealthy",
    group=Group.HEALTH,
    place=280,
    title="Runs with a score that look bad",
    how_to_read=lambda summary: (
        "Every run that has a score but looks bad. Its score counts like any other; the evidence "
        "is from the end of training." + omitted(_look_bad(summary), summary, "unhealthy")
    ),
    table=table,
    nothing=nothing,
)
