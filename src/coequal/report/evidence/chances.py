"""P(A better than B) of every pair of models."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.pairs import ModelPair
from coequal.formatting import probability
from coequal.report.evidence._evidence import Evidence
from coequal.report.table import EMPTY, Cell, Column, Heading, Record, Table, name_cell, records
from coequal.statistics.better import Better

ON_THE_DIAGONAL = Cell("·")


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    assert summary.contest is not None  # or there were no table
    budget = summary.contest.verdict.budget
    return (
        f"The probability that the row's model, with its best of {budget} random "
        f"setting{'s' if budget > 1 else ''}, beats the column's, above its 95 % interval; one "
        "half means that neither is ahead. Each interval is for its pair alone: the verdict "
        "above accounts for the number of pairs."
    )


def table(summary: DataSummary) -> Table | None:
    """P(row better than column) for every pair, with intervals; None with fewer than two models."""
    contest = summary.contest
    if contest is None or not contest.pairs:
        return None
    shown = [m for m in summary.ranked if m.name in contest.verdict.settings]
    budget = contest.verdict.budget
    columns = [
        Column("a"),
        Column("b"),
        Column("budget", lambda _: budget),
        Column("p_a_better", "better.probability"),
        Column("p_low", "better.low"),
        Column("p_high", "better.high"),
        Column("method", lambda pair: pair.better.method if pair.better else pair.refusal),
    ]
    rows = []
    for model in shown:
        cells = [name_cell(model)]
        for other in shown:
            pair = contest.pair(model.name, other.name) if other is not model else None
            cells.append(ON_THE_DIAGONAL if pair is None else _chance_cell(pair, model.name))
        rows.append(cells)
    refused = sorted({pair.refusal for pair in contest.pairs if pair.refusal})
    return Table(
        headings=[Heading("Model"), *(Heading(model.label) for model in shown)],
        rows=rows,
        records=records(columns, contest.pairs, summary),
        notes=[f"No interval: {text}." for text in refused],
    )


def chances_over_budgets(summary: DataSummary) -> list[Record]:
    """A row for each pair of models and budget."""
    contest = summary.contest
    columns = [
        Column("model", "a"),
        Column("against", "b"),
        Column("settings", "budget"),
        Column(
            "probability_better",
            "better.probability",
            ends=lambda at: (at.better.low, at.better.high),
        ),
        Column("standard_error", "better.se"),
        Column("method", "better.method"),
    ]
    return records(columns, contest.over_budgets if contest else (), summary)


def _chance_cell(pair: ModelPair, row: str) -> Cell:
    better = pair.better
    if better is None:
        return EMPTY
    p, low, high = _turned(better, row == pair.a)
    return Cell(probability(p), f"{low:.2f}–{high:.2f}", sort=p, shade=2 * p - 1)


def _turned(better: Better, first: bool) -> tuple[float, float, float]:
    if first:
        return better.probability, better.low, better.high
    return 1 - better.probability, 1 - better.high, 1 - better.low


EVIDENCE = Evidence[DataSummary](
    name="chances",
    place=120,
    title="P(A better than B)",
    how_to_read=how_to_read,
    table=table,
    csv={"chances_over_budgets": chances_over_budgets},
)
