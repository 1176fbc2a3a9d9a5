"""How the first tier came about: who was beaten by whom."""

from coequal.analysis.data_summary import DataSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import full, p_value, probability
from coequal.report.table import (
    Cell,
    Heading,
    Record,
    Table,
    name_cell,
)


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    assert summary.verdict is not None  # or there were no table
    return (
        "In the order of elimination: P is the probability that the other model's best of "
        f"{summary.verdict.budget} is better, z measures how clear that is, and the adjusted "
        "p-value accounts for all pairs."
    )


def table(summary: DataSummary) -> Table | None:
    """Who left the first tier, and who beat it; None where nobody did."""
    verdict = summary.verdict
    if verdict is None or not verdict.removed:
        return None
    models = {model.name: model for model in summary.models}
    rows = [
        [
            name_cell(models[r.model]),
            Cell(summary.title(r.beaten_by)),
            Cell(probability(r.probability), sort=r.probability),
            Cell("–" if r.z is None else f"{r.z:.2f}", sort="" if r.z is None else r.z),
            Cell(p_value(r.p_value), f"needed {p_value(r.threshold)}", sort=r.p_value),
            Cell(p_value(r.adjusted_p), sort=r.adjusted_p),
        ]
        for r in verdict.removed
    ]
    return Table(
        headings=[
            Heading("Model"),
            Heading("beaten by", words=True),
            Heading("P(the other is better)"),
            Heading("z"),
            Heading("p-value of the pair"),
            Heading("adjusted p-value"),
        ],
        rows=rows,
        records=[r for r in verdict_records(summary) if not r["first_tier"]],
    )


def verdict_records(summary: DataSummary) -> list[Record]:
    """A record for each model with results: in the first tier, or beaten by whom."""
    verdict = summary.verdict
    if verdict is None:
        return []
    number = {name: k for k, tier in enumerate(verdict.tiers, 1) for name in tier}
    beaten = {removal.model: removal for removal in verdict.removed}
    records = []
    for name in [*verdict.tier, *beaten]:
        removal = beaten.get(name)
        records.append(
            {
                "data": summary.data,
                "model": name,
                "first_tier": int(removal is None),
                "tier": number.get(name, ""),
                "budget": verdict.budget,
                "settings": verdict.settings[name],
                "adjusted_p": full(verdict.adjusted_p[name]),
                "beaten_by": removal.beaten_by if removal else "",
                "probability": full(removal.probability) if removal else "",
                "p_value": full(removal.p_value) if removal else "",
                "threshold": full(removal.threshold) if removal else "",
                "z": "" if removal is None or removal.z is None else repr(removal.z),
                "method": verdict.method,
            }
        )
    return records


EVIDENCE = Evidence[DataSummary](
    name="defeats",
    place=110,
    title="Who was beaten by whom",
    how_to_read=how_to_read,
    table=table,
    csv={"verdict": verdict_records},
)
