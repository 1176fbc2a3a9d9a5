"""Which chosen settings differ, by their re-runs."""

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import p_value
from coequal.report.evidence._evidence import Evidence
from coequal.report.table import Cell, Column, Table, model_column, rival_column, tabulate
from coequal.statistics.comparison import Difference


def table(summary: DataSummary) -> Table | None:
    """Which chosen settings differ, by their re-runs; None without such a comparison."""
    comparison = summary.rerun_verdict
    if comparison is None or not comparison.differences:
        return None
    notes = ["This compares the chosen settings, not the models."]
    if comparison.not_compared:
        left_out = ", ".join(summary.title(name) for name in comparison.not_compared)
        notes.append(f"Too few re-runs to compare: {left_out}.")
    columns = [
        model_column(summary, "better", "better", "Better"),
        rival_column(summary, "worse", "Worse"),
        Column("t", "", "t", cell=_t_cell),
        Column("degrees"),
        Column("p_value", "", "p-value", show=p_value),
        Column("adjusted_p", "adjusted", "adjusted p-value", show=p_value),
        Column("shown", lambda d: int(d.shown), "shown at 95 %", cell=_shown_cell),
        Column("scale", lambda _: comparison.scale),
    ]
    return tabulate(columns, comparison.differences, summary=summary, notes=notes)


def _t_cell(difference: Difference) -> Cell:
    return Cell(f"{difference.t:.2f}", f"{difference.degrees:.1f} degrees", sort=difference.t)


def _shown_cell(difference: Difference) -> Cell:
    return Cell("yes" if difference.shown else "no", strong=difference.shown)


EVIDENCE = Evidence[DataSummary](
    name="rerun_pairs",
    place=140,
    title="Which chosen settings differ",
    how_to_read=(
        "Interquartile means of the re-runs, compared by Yuen's t, clearest first. A difference "
        "is shown if its p-value, adjusted over all pairs after Holm, is at most 0.05."
    ),
    table=table,
)
