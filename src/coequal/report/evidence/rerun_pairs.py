"""Which chosen settings differ, by their re-runs."""

from coequal.analysis.data_summary import DataSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import full, p_value
from coequal.report.table import (
    Cell,
    Heading,
    Table,
    name_cell,
)


def table(summary: DataSummary) -> Table | None:
    """Which chosen settings differ, by their re-runs; None without such a comparison."""
    comparison = summary.rerun_verdict
    if comparison is None or not comparison.differences:
        return None
    titles = {model.name: model for model in summary.models}
    rows = [
        [
            name_cell(titles[d.better]),
            Cell(titles[d.worse].label),
            Cell(f"{d.t:.2f}", f"{d.degrees:.1f} degrees", sort=d.t),
            Cell(p_value(d.p_value), sort=d.p_value),
            Cell(p_value(d.adjusted), sort=d.adjusted),
            Cell("yes" if d.shown else "no", strong=d.shown),
        ]
        for d in comparison.differences
    ]
    notes = ["This compares the chosen settings, not the models."]
    if comparison.not_compared:
        left_out = ", ".join(summary.title(name) for name in comparison.not_compared)
        notes.append(f"Too few re-runs to compare: {left_out}.")
    return Table(
        headings=[
            Heading("Better"),
            Heading("Worse", words=True),
            Heading("t"),
            Heading("p-value"),
            Heading("adjusted p-value"),
            Heading("shown at 95 %"),
        ],
        rows=rows,
        records=[
            {"data": summary.data, "better": d.better, "worse": d.worse, "t": full(d.t)}
            | {"degrees": full(d.degrees), "p_value": full(d.p_value)}
            | {"adjusted_p": full(d.adjusted), "shown": int(d.shown), "scale": comparison.scale}
            for d in comparison.differences
        ],
        notes=notes,
    )


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
