"""Where one model overtakes another as the budget grows."""

from coequal.analysis.data_summary import DataSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.table import (
    Cell,
    Heading,
    Table,
    name_cell,
)


def table(summary: DataSummary) -> Table | None:
    """Where one model overtakes another as the budget grows; None without ranks."""
    ranks = summary.ranks
    if ranks is None or not ranks.budgets:
        return None
    titles = {model.name: model for model in summary.models}
    rows = [
        [
            Cell(f"n = {flip.budget}", sort=flip.budget),
            name_cell(titles[flip.ahead]),
            Cell(titles[flip.behind].label),
        ]
        for flip in ranks.flips
    ]
    if not rows:
        return None
    return Table(
        headings=[Heading("From"), Heading("ahead", words=True), Heading("of", words=True)],
        rows=rows,
        records=[{"data": summary.data, **vars(flip)} for flip in ranks.flips],
        notes=[]
        if len(ranks.budgets) == ranks.budgets[-1]
        else [f"Compared at {len(ranks.budgets)} values of n, up to {ranks.budgets[-1]:,}."],
    )


EVIDENCE = Evidence[DataSummary](
    name="rank_flips",
    place=100,
    title="Rank flips",
    how_to_read=(
        "From this budget on, the model is ahead, by expected best, of one that it was behind "
        "before; the size of the difference is not assessed."
    ),
    table=table,
)
