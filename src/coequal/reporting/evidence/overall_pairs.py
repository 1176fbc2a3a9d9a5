"""Every pair of models over all datasets: the mean of P(A better than B)."""

from coequal.analysis.across_datasets import StudySummary
from coequal.formatting import probability
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import Cell, Column, Table, model_column, rival_column, tabulate
from coequal.statistics.joint import JointPair


def how_to_read(study: StudySummary) -> str:
    """How a reader reads the table."""
    names = ", ".join(summary.data for summary in study.datasets)
    return (
        "The probability that the row's tuned model scores better than the other: its mean over "
        f"the datasets ({names}), and its value on each. Intervals of the mean hold jointly over "
        "all pairs; they are over the draw of settings, not over the choice of datasets. The "
        "verdict on a single dataset holds for that dataset alone."
    )


def table(study: StudySummary) -> Table | None:
    """A row for each pair; None for a study with one dataset, or one that is not finished."""
    if not study.joint:
        return None
    first = study.datasets[0]

    def mean_cell(pair: JointPair) -> Cell:
        low, high = pair.interval
        return Cell(
            probability(pair.probability),
            f"{low:.2f}–{high:.2f}",
            sort=pair.probability,
            shade=2 * pair.probability - 1 if pair.shown else None,
            strong=pair.shown,
        )

    def on(place: int, data: str) -> Column:
        return Column(
            f"probability_better_{data}",
            lambda pair: pair.probabilities[place],
            data,
            show=probability,
        )

    columns = [
        model_column(first, "model", "a"),
        rival_column(first, "against", "against", "b"),
        Column(
            *("probability_better", "probability", "P(better), all datasets", "joint interval"),
            cell=mean_cell,
            ends="interval",
        ),
        Column("shown", lambda pair: int(pair.shown)),
        Column("level"),
        *(on(place, summary.data) for place, summary in enumerate(study.datasets)),
    ]
    return tabulate(columns, study.joint)


EVIDENCE = Evidence[StudySummary](
    name="overall_pairs",
    group=Group.TOGETHER,
    place=5,
    open=True,
    title="P(A better than B) over all datasets",
    how_to_read=how_to_read,
    table=table,
)
