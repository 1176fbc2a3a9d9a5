"""All datasets together: normalised scores."""

import math

from coequal.analysis.across_datasets import NormalisedScores, StudySummary
from coequal.formatting import half_width, interval, number
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import Cell, Column, Table, model_column, tabulate, within
from coequal.statistics.aggregate import Estimate


def how_to_read(study: StudySummary) -> str:
    """How a reader reads the table."""
    assert study.normalised is not None  # or there were no table
    return (
        f"Interquartile mean of the normalised scores of {study.normalised.kind}. A score of 1 is "
        "the best possible on a dataset; 0 is its cap, or a failure. All datasets have equal "
        "weight. The interval is over runs, not over the choice of datasets."
    )


def table(study: StudySummary) -> Table | None:
    """Every model over all datasets; None for a study with one, or without anything to say."""
    normalised = study.normalised
    if normalised is None or not normalised.means:
        return None
    means = normalised.means
    models = sorted(study.datasets[0].models, key=lambda m: _place(normalised, m.name))
    heading = "normalised IQM", "95 %, stratified bootstrap"
    columns = [
        model_column(study.datasets[0]),
        Column("runs", lambda _: normalised.kind),
        *within(
            lambda m: means.get(m.name),
            Column(
                "normalised_iqm",
                "value",
                *heading,
                cell=_mean_cell,
                ends=lambda mean: (mean.low, mean.high),
            ),
            Column("note"),
        ),
    ]
    return tabulate(columns, [m for m in models if m.name in means], shown=models)


def _mean_cell(mean: Estimate) -> Cell:
    ends = mean.low, mean.high
    return Cell(number(mean.value, half_width(ends)), interval(ends) or mean.note, mean.value)


def nothing(study: StudySummary) -> str:
    """Why nothing can be normalised."""
    return "" if study.normalised is None else study.normalised.refusal


def _place(normalised: NormalisedScores, name: str) -> tuple[float, str]:
    mean = normalised.means.get(name)
    return (math.inf if mean is None else -mean.value, name)


EVIDENCE = Evidence[StudySummary](
    name="overall",
    group=Group.TOGETHER,
    place=20,
    open=True,
    title="All datasets together",
    how_to_read=how_to_read,
    table=table,
    nothing=nothing,
)
