"""All data sets together: normalised scores."""

import math

from coequal.analysis.across_datasets import NormalisedScores, StudySummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import (
    full,
    number,
)
from coequal.report.table import (
    EMPTY,
    Cell,
    Heading,
    Record,
    Table,
    ends,
    name_cell,
)


def how_to_read(study: StudySummary) -> str:
    """How a reader reads the table."""
    assert study.normalised is not None  # or there were no table
    return (
        f"Interquartile mean of the normalised scores of {study.normalised.kind}: 1 is the best "
        "possible score of a data set, 0 its cap or a failure; every data set weighs the same, "
        "and the interval is over the runs, not over the choice of data sets."
    )


def table(study: StudySummary) -> Table | None:
    """Every model over all data sets; None for a study with one, or without anything to say."""
    normalised = study.normalised
    if normalised is None or not normalised.means:
        return None
    rows, records = [], []
    order = sorted(study.datasets[0].models, key=lambda m: _place(normalised, m.name))
    for model in order:
        mean = normalised.means.get(model.name)
        if mean is None:
            rows.append([name_cell(model), EMPTY])
            continue
        span = "" if mean.low is None else f"{number(mean.low)}–{number(mean.high)}"
        rows.append([name_cell(model), Cell(number(mean.value), span or mean.note, mean.value)])
        both = (mean.low, mean.high)
        row: Record = {
            "model": model.name,
            "runs": normalised.kind,
            "normalised_iqm": full(mean.value),
        }
        records.append(row | ends("normalised_iqm", both) | {"note": mean.note})
    return Table(
        headings=[Heading("Model"), Heading("normalised IQM", "95 %, stratified bootstrap")],
        rows=rows,
        records=records,
    )


def refusal(study: StudySummary) -> str:
    """Why nothing can be normalised."""
    return "" if study.normalised is None else study.normalised.refusal


def _place(normalised: NormalisedScores, name: str) -> tuple[float, str]:
    mean = normalised.means.get(name)
    return (math.inf if mean is None else -mean.value, name)


EVIDENCE = Evidence[StudySummary](
    name="overall",
    place=20,
    across_datasets=True,
    title="All data sets together",
    how_to_read=how_to_read,
    table=table,
    refusal=refusal,
)
