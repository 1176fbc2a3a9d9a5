"""Where one model overtakes another as the budget grows."""

from coequal.analysis.data_summary import DataSummary
from coequal.report.evidence.evidence import Evidence
from coequal.report.table import (
    Cell,
    Heading,
    Table,
    name_cell,
)


def table(summary: DataSummary) -> Table | None:
    """Where one model overtakes another as the budget grows; None without ranks."""
    found = summary.ranks
    if found is None or not found.budgets:
        return None
    titles = {model.name: model for model in summary.models}
    rows = [
        [
            Cell(f"n = {flip.budget}", sort=flip.budget),
            name_cell(titles[flip.ahead]),
            Cell(titles[flip.behind].label),
        ]
        for flip in found.flips
    ]
    if not rows:
        return None
    return Table(
        headings=[Heading("From"), Heading("ahead", words=True), Heading("of", words=True)],
        rows=rows,
        records=[{"data": summary.data, **vars(flip)} for flip in found.flips],
        notes=[]
        if len(found.budgets) == found.budgets[-1]
        else [f"Compared at {len(found.budgets)} values of n, up to {found.budgets[-1]:,}."],
    )


EVIDENCE = Evidence[DataSummary](
    name="rank_flips",
    title="Rank flips",
    how_to_read=(
        "From this budget on, the model is ahead, by expected best, of one that it was behind "
        "before; the size of the difference is not assessed."
    ),
    table=table,
)
