"""How each dataset's best setting does on the other datasets."""

import math

from coequal.analysis.across_datasets import StudySummary
from coequal.analysis.transfer import Transferred
from coequal.formatting import number
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import (
    EMPTY,
    Cell,
    Heading,
    Record,
    Table,
    name_cell,
)


def how_to_read(study: StudySummary) -> str:
    """How a reader reads the table."""
    label = study.datasets[0].metric.label
    return (
        "Each row is one model's best setting on one dataset, chosen there on validation. The "
        f"columns give its test {label} on every dataset: the interquartile mean over fresh seeds, "
        "with failures at the cap, and its ratio to the value of that dataset's own best setting."
    )


def table(study: StudySummary) -> Table | None:
    """How each dataset's best setting does on the others; None for a study without transfer."""
    transfers = study.transfers
    if not any(t.runs for listed in transfers.values() for t in listed if t.source != t.target):
        return None
    data = [summary.data for summary in study.datasets]
    rows, records = [], []
    for model in study.datasets[0].models:
        for source in data:
            listed = [t for t in transfers[model.name] if t.source == source]
            setting = listed[0].setting
            small = "no setting" if setting is None else f"setting {setting}"
            rows.append([name_cell(model), Cell(source, small), *map(_cell, listed)])
            records += [_record(t) for t in listed]
    return Table(
        headings=[
            Heading("Model"),
            Heading("best setting of", words=True),
            *(Heading(f"on {name}") for name in data),
        ],
        rows=rows,
        records=records,
        notes=["A value in brackets comes from the search's single run, without fresh seeds."],
    )


def _cell(transferred: Transferred) -> Cell:
    if math.isnan(transferred.iqm):
        waiting = transferred.planned and transferred.setting is not None
        return Cell("–", "no run yet") if waiting else EMPTY
    times = "" if math.isnan(transferred.ratio) else f"× {number(transferred.ratio)}"
    home = transferred.source == transferred.target
    text = f"({number(transferred.iqm)})" if transferred.one_run else number(transferred.iqm)
    return Cell(text, "" if home else times, sort=transferred.iqm, strong=home)


def _record(transferred: Transferred) -> Record:
    return {
        "model": transferred.model,
        "source": transferred.source,
        "target": transferred.target,
        "setting": transferred.setting,
        "runs": len(transferred.runs),
        "failed": sum(run.failed for run in transferred.runs),
        "iqm": transferred.iqm,
        "search_run_only": int(transferred.one_run),
        "ratio_to_own_best": transferred.ratio,
    }


EVIDENCE = Evidence[StudySummary](
    name="transfer",
    group=Group.TOGETHER,
    place=10,
    title="Transfer",
    how_to_read=how_to_read,
    table=table,
)
