"""How the first tier came about: who was beaten by whom."""

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import p_value, probability
from coequal.report.evidence._evidence import Evidence
from coequal.report.table import (
    Cell,
    Column,
    Record,
    Table,
    model_column,
    records,
    tabulate,
    within,
)
from coequal.statistics.elimination import Removal, Verdict


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
    removed = [removal.model for removal in verdict.removed]
    return tabulate(_columns(summary, verdict), removed, summary=summary)


def verdict_records(summary: DataSummary) -> list[Record]:
    """A record for each model with results: in the first tier, or beaten by whom."""
    verdict = summary.verdict
    if verdict is None:
        return []
    names = [*verdict.tier, *(removal.model for removal in verdict.removed)]
    return records(_columns(summary, verdict), names, summary)


def _columns(summary: DataSummary, verdict: Verdict) -> list[Column]:
    """What is said of a model by its name; what is said of its defeat is empty without one."""
    tiers = {name: k for k, tier in enumerate(verdict.tiers, 1) for name in tier}
    defeats = {removal.model: removal for removal in verdict.removed}
    return [
        model_column(summary, value=str),
        Column("first_tier", lambda name: int(name not in defeats)),
        Column("tier", tiers.get),
        Column("budget", lambda _: verdict.budget),
        Column("settings", lambda name: verdict.settings[name]),
        *within(
            defeats.get,
            Column("beaten_by", "", "beaten by", show=summary.title, words=True),
            Column("probability", "", "P(the other is better)", show=probability),
            Column("z", "", "z", show=".2f"),
            Column("p_value", "", "p-value of the pair", cell=_p_cell),
            Column("threshold"),
        ),
        Column("adjusted_p", verdict.adjusted_p.get, "adjusted p-value", show=p_value),
        Column("method", lambda _: verdict.method),
    ]


def _p_cell(defeat: Removal) -> Cell:
    return Cell(p_value(defeat.p_value), f"needed {p_value(defeat.threshold)}", sort=defeat.p_value)


EVIDENCE = Evidence[DataSummary](
    name="defeats",
    place=110,
    title="Who was beaten by whom",
    how_to_read=how_to_read,
    table=table,
    csv={"verdict": verdict_records},
)
