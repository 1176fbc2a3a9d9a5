"""Trials that several of the joined runs have trained: how well one reproduces the other."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import percent
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import Column, Table, model_column, tabulate
from coequal.results.merged_file import SharedTrial


def table(summary: DataSummary) -> Table | None:
    """Every trial of the dataset that two runs have; None if the study is of one run, or if no
    trial is in two."""
    shared = _shared(summary)
    if not shared:
        return None
    columns = [
        model_column(summary, value="model"),
        Column("setting", "setting", "Setting"),
        Column("repeat", "repeat", "Seed"),
        Column("verdict", "verdict", "Agreement", words=True),
        Column("number", _of("name"), "Largest deviation", show=str, words=True),
        Column("step", _of("step"), "Step", show=str),
        Column("kept_value", _of("one"), "Kept"),
        Column("other_value", _of("other"), "Compared"),
        Column("relative", _of("relative"), "Difference", show=percent),
        Column("standard_errors", _of("errors"), "In standard errors", show=".2g"),
        Column("environment", "differing", "Differences of environment", words=True),
        Column("kept", "kept", "Run kept", words=True),
        Column("compared", "compared", "Run compared", words=True),
        Column("trial", "trial"),
    ]
    return tabulate(columns, shared, summary=summary)


def _of(field: str) -> Callable[[SharedTrial], Any]:
    """Get a field of a trial's largest deviation; None if there is none."""
    return lambda trial: None if trial.deviation is None else trial.deviation[field]


def _shared(summary: DataSummary) -> list[SharedTrial]:
    merged = summary.facts.merged
    return [each for each in merged.shared if each.data == summary.data] if merged else []


def how_to_read(summary: DataSummary) -> str:
    """The reading sentence, with how many trials agree how well."""
    counts = Counter(trial.verdict for trial in _shared(summary))
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    merged = summary.facts.merged
    assert merged is not None
    return (
        f"This study was merged from {len(merged.runs)} runs, and each of these trials was trained "
        f'in two of them: {found}. The comparison ignores clocks and environments; "within the '
        "evaluation's error\" means that no number differs by more standard errors of a new "
        f"evaluation than chance allows over all of the trial's numbers. Rule: {merged.rule}."
    )


EVIDENCE = Evidence[DataSummary](
    name="reproducibility",
    group=Group.METRICS,
    place=235,
    title="Trials that two of the merged runs have",
    how_to_read=how_to_read,
    table=table,
)
