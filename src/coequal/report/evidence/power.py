"""How many settings would separate the models of the first tier."""

from itertools import combinations

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.pairs import ModelPair
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import full
from coequal.report.table import (
    EMPTY,
    Cell,
    Heading,
    Record,
    Table,
    name_cell,
)


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    assert summary.contest is not None  # or there were no table
    return (
        "The number of settings per model, in all, that would show the difference in expected "
        "best observed here at 95 % with a power of 80 %, as a single pair (the verdict accounts "
        f"for all pairs and takes more) at the same budget n = {summary.contest.verdict.budget}. "
        "It is a range because the difference itself is only estimated; 'or never' where there "
        "may be none."
    )


def table(summary: DataSummary) -> Table | None:
    """How many settings would separate each pair of the first tier; None where there is none."""
    contest = summary.contest
    if contest is None or len(contest.verdict.tier) < 2:
        return None
    tier = contest.verdict.tier
    pairs = [pair for a, b in combinations(tier, 2) if (pair := contest.pair(a, b))]
    if not any(pair.needed for pair in pairs):
        return None
    titles = {model.name: model for model in summary.models}
    rows = []
    for pair in pairs:
        first = [name_cell(titles[pair.a]), Cell(titles[pair.b].label)]
        rows.append([*first, *_power_cells(pair)])
    refused = sorted({pair.needed_refusal for pair in pairs if pair.needed_refusal})
    return Table(
        headings=[
            Heading("Model"),
            Heading("against", words=True),
            Heading("settings now"),
            Heading("at least"),
            Heading("likeliest"),
            Heading("at most"),
        ],
        rows=rows,
        records=[_power_record(summary, pair) for pair in contest.pairs],
        notes=[f"Refused: {text}." for text in refused],
    )


def refusal(summary: DataSummary) -> str:
    """Why no number of settings can be named."""
    contest = summary.contest
    if contest is None or len(contest.verdict.tier) < 2:
        return ""
    tier = contest.verdict.tier
    pairs = [p for p in contest.pairs if p.a in tier and p.b in tier]
    if any(pair.needed for pair in pairs):
        return ""
    why = "; ".join(sorted({pair.needed_refusal for pair in pairs}))
    return f"No number of settings that would separate the first tier can be named: {why}."


def _power_cells(pair: ModelPair) -> list[Cell]:
    needed = pair.needed
    if needed is None:
        return [EMPTY] * 4
    now = " and ".join(str(n) for n in dict.fromkeys(needed.measured))
    high = Cell("or never") if needed.high is None else Cell(f"{needed.high:,}", sort=needed.high)
    likely = Cell("–" if needed.likely is None else f"{needed.likely:,}", sort=needed.likely)
    return [Cell(now), Cell(f"{needed.low:,}", sort=needed.low), likely, high]


def _power_record(summary: DataSummary, pair: ModelPair) -> Record:
    row: Record = {"data": summary.data, "a": pair.a, "b": pair.b}
    needed = pair.needed
    if needed is None:
        return row | {"refused": pair.needed_refusal}
    return row | {
        "budget": needed.budget,
        "settings_a": needed.measured[0],
        "settings_b": needed.measured[1],
        "log_difference": full(needed.difference),
        "standard_error": full(needed.se),
        "variance_a": full(needed.variances[0]),
        "variance_b": full(needed.variances[1]),
        "settings_low": needed.low,
        "settings_likely": "" if needed.likely is None else needed.likely,
        "settings_high": "" if needed.high is None else needed.high,
        "refused": "",
    }


EVIDENCE = Evidence[DataSummary](
    name="power",
    place=130,
    title="What it would take",
    how_to_read=how_to_read,
    table=table,
    refusal=refusal,
)
