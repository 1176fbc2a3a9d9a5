"""What trials that were stopped early left of their budgets."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.health import saved_budget
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import full, percent
from coequal.report.table import (
    Cell,
    Heading,
    Table,
    name_cell,
    start,
)


def table(summary: DataSummary) -> Table | None:
    """What the trials that were stopped early left of each model's budget; None without such."""
    budgets = {model.name: saved_budget(model) for model in summary.ranked if model.ended}
    if not any(left.stopped for left in budgets.values()):
        return None
    rows, records = [], []
    for name, left in budgets.items():
        model = summary.model(name)
        unit = left.unit.replace("_", " ")
        rows.append(
            [
                name_cell(model),
                Cell(f"{left.stopped}/{left.runs}", sort=left.stopped),
                Cell(
                    f"{left.unspent:,g}",
                    f"of {left.budget:,g} {unit}",
                    sort=left.unspent,
                ),
                Cell(percent(left.fraction), sort=left.fraction),
            ]
        )
        about = {"runs": left.runs, "stopped_early": left.stopped, "unit": left.unit}
        spent = {"unspent": full(left.unspent), "budget": full(left.budget)}
        records.append(start(summary, model) | about | spent | {"share": full(left.fraction)})
    return Table(
        headings=[
            Heading("Model"),
            Heading("stopped early"),
            Heading("unspent"),
            Heading("fraction of its whole budget"),
        ],
        rows=rows,
        records=records,
    )


EVIDENCE = Evidence[DataSummary](
    name="stopped_early",
    place=290,
    title="Stopped early",
    how_to_read=(
        "Trials that ended at a verdict at which the study stops (training.stop_on), fresh seeds "
        "among them, and the unspent part of their budgets. Each counts as a failure, like a "
        "trial that diverged. The unused budget is not reassigned: no model gets more settings "
        "or longer training for it."
    ),
    table=table,
)
