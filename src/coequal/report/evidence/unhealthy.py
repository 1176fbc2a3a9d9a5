"""Runs that have a score and look bad nevertheless."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.health import fresh_runs
from coequal.report.evidence._evidence import Evidence
from coequal.report.evidence.failures import Runs, first_of_each, omitted, which
from coequal.report.evidence.health import seen_record, since
from coequal.report.formatting import full
from coequal.report.table import (
    Cell,
    Heading,
    Record,
    Table,
    name_cell,
    start,
    value_cell,
)


def table(summary: DataSummary) -> Table | None:
    """Every run that has a score and looks bad nevertheless; None if there is none."""
    listed = _look_bad(summary)
    if not listed:
        return None
    first = first_of_each(listed, summary)
    rows, records = [], []
    for model, trial in first:
        seen = trial.health or {}
        rows.append(
            [
                name_cell(model),
                Cell(which(trial), sort=trial.number),
                Cell(trial.verdict.replace("_", " ")),
                value_cell(trial.test),
                Cell(str(seen["evidence"]), since(seen["step"])),
                Cell(trial.trial),
            ]
        )
    for model, trial in listed:
        about: Record = {"setting": trial.number, "repeat": trial.repeat, "trial": trial.trial}
        about |= {"test": full(trial.test)} | seen_record(trial.health)
        records.append(start(summary, model) | about)
    return Table(
        headings=[
            Heading("Model"),
            Heading("Setting", words=True),
            Heading("Verdict", words=True),
            Heading(f"test {summary.metric.label}"),
            Heading("What was seen", words=True),
            Heading("Trial", words=True),
        ],
        rows=rows,
        records=records,
    )


def _look_bad(summary: DataSummary) -> Runs:
    return [
        (model, trial)
        for model in summary.models
        for trial in (*model.ended, *fresh_runs(model))
        if trial.looks_bad
    ]


EVIDENCE = Evidence[DataSummary](
    name="unhealthy",
    place=280,
    title="Runs with a score that look bad",
    how_to_read=lambda summary: (
        "Every run that has a score and looks bad. Its score counts like any other; the evidence "
        "is from its end." + omitted(_look_bad(summary), summary, "unhealthy")
    ),
    table=table,
)
