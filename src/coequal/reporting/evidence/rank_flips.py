"""Where one model overtakes another as the budget grows."""

from coequal.analysis.data_summary import DataSummary
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._nothing import no_curve
from coequal.reporting.table import Column, Table, model_column, rival_column, tabulate


def table(summary: DataSummary) -> Table | None:
    """Where one model overtakes another as the budget grows; None without ranks."""
    ranks = summary.ranks
    if ranks is None or not ranks.budgets:
        return None
    if not ranks.flips:
        return None
    columns = [
        Column("budget", "", "From", show=lambda budget: f"n = {budget}"),
        model_column(summary, "ahead", "ahead", "ahead", words=True),
        rival_column(summary, "behind", "of"),
    ]
    whole = len(ranks.budgets) == ranks.budgets[-1]
    compared = f"Compared at {len(ranks.budgets)} values of n, up to {ranks.budgets[-1]:,}."
    notes = [] if whole else [compared]
    return tabulate(columns, ranks.flips, summary=summary, notes=notes)


def nothing(summary: DataSummary) -> str:
    """That there are no curves, or that none crosses another."""
    if few := no_curve(summary):
        return few
    known = summary.ranks is not None and summary.ranks.budgets
    if not known or table(summary):
        return ""
    return "No model overtakes another as the budget grows."


EVIDENCE = Evidence[DataSummary](
    name="rank_flips",
    group=Group.SEARCH,
    place=100,
    title="Rank flips",
    how_to_read=(
        "Where one model overtakes another as the budget grows. From this budget on, its expected "
        "best is ahead of that of a model that led before; the size of the difference is not "
        "assessed."
    ),
    table=table,
    nothing=nothing,
)
