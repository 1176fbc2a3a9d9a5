"""What trials that were stopped early left of their budgets."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.health import SavedBudget, saved_budget
from coequal.formatting import percent
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import Cell, Column, Table, model_column, tabulate, within


def table(summary: DataSummary) -> Table | None:
    """What the trials that were stopped early left of each model's budget; None without such."""
    budgets = {model.name: saved_budget(model) for model in summary.ranked if model.tried}
    if not any(left.stopped for left in budgets.values()):
        return None
    columns = [
        model_column(summary, value=lambda row: row[0]),
        *within(
            lambda row: row[1],
            Column("runs"),
            Column("stopped_early", "stopped", "stopped early", cell=_stopped_cell),
            Column("unit"),
            Column("unspent", "", "unspent", cell=_unspent_cell),
            Column("budget"),
            Column("share", "fraction", "fraction of its whole budget", show=percent),
        ),
    ]
    return tabulate(columns, budgets.items(), summary=summary)


def _stopped_cell(left: SavedBudget) -> Cell:
    return Cell(f"{left.stopped}/{left.runs}", sort=left.stopped)


def _unspent_cell(left: SavedBudget) -> Cell:
    whole = f"of {left.budget:,g} {left.unit.replace('_', ' ')}"
    return Cell(f"{left.unspent:,g}", whole, sort=left.unspent)


EVIDENCE = Evidence[DataSummary](
    name="stopped_early",
    group=Group.HEALTH,
    place=290,
    title="Stopped early",
    how_to_read=(
        "Trials, fresh seeds included, that the study stopped because of a health verdict "
        "(training.stop_on), and the unspent part of their budgets. Each counts as a failure, like "
        "a trial that diverged. The unused budget is not reassigned: no model gets more settings "
        "or longer training for it."
    ),
    table=table,
)
