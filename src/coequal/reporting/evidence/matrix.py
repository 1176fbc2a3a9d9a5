"""P(A better than B) and the outcome of every pair, as a matrix."""

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import probability
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._nothing import one_setting
from coequal.reporting.pair_rows import PairRow, pair_rows, turned
from coequal.reporting.table import EMPTY, Cell, Heading, Table, name_cell

ON_THE_DIAGONAL = Cell("·")


def table(summary: DataSummary) -> Table | None:
    """A row and a column for each model; None with fewer than three, of which the list of pairs
    says all."""
    verdict = summary.verdict
    if verdict is None or verdict.rules.pairs is not None or len(verdict.order) < 3:
        return None
    linear = verdict.rules.scale == "linear"
    found: dict[tuple[str, str], PairRow] = {}
    for row in pair_rows(summary):
        found[row.a, row.b] = row
        found[row.b, row.a] = turned(row, linear=linear)
    models = [summary.model(name) for name in verdict.order]
    rows = []
    for model in models:
        cells = [found.get((model.name, other.name)) for other in models]
        rows.append(
            [
                name_cell(model),
                *(
                    ON_THE_DIAGONAL if other is model else _cell(cell)
                    for other, cell in zip(models, cells, strict=True)
                ),
            ]
        )
    return Table(
        headings=[Heading("Model"), *(Heading(model.label) for model in models)],
        rows=rows,
        records=[
            {
                "data": summary.data,
                "metric": summary.metric.name,
                "model": model.name,
                **{
                    other.name: cell.pair.probability
                    for other in models
                    if (cell := found.get((model.name, other.name))) is not None
                },
            }
            for model in models
        ],
    )


def _cell(row: PairRow | None) -> Cell:
    if row is None:
        return EMPTY
    pair = row.pair
    tone = {"better": 1.0, "worse": -1.0}.get(pair.outcome, 0.0)
    return Cell(
        probability(pair.probability),
        pair.outcome if pair.decided else "",
        sort=pair.probability,
        shade=tone * 2 * abs(pair.probability - 0.5) or None,
        strong=pair.decided,
    )


EVIDENCE = Evidence[DataSummary](
    name="matrix",
    group=Group.VERDICT,
    place=2,
    open=True,
    title="P(A better than B)",
    how_to_read=(
        "The probability that the row's tuned model scores better than the column's. Shaded cells: "
        "the row's model is significantly better or worse. Pairs without a word are undecided. The "
        "list of pairs below gives intervals, ratios and levels."
    ),
    table=table,
    nothing=lambda summary: one_setting(summary) if table(summary) else "",
)
