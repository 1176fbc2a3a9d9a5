"""How many settings would separate the models of the first tier."""

from itertools import combinations

from coequal.analysis.data_summary import DataSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.table import Cell, Column, Table, model_column, rival_column, tabulate, within
from coequal.statistics.old_power import Needed


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
    refused = sorted({pair.needed_refusal for pair in pairs if pair.needed_refusal})
    notes = [f"Refused: {text}." for text in refused]
    return tabulate(_columns(summary), contest.pairs, summary=summary, shown=pairs, notes=notes)


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


def _columns(summary: DataSummary) -> list[Column]:
    return [
        model_column(summary, "a", "a"),
        rival_column(summary, "b", "against"),
        *within(
            "needed",
            Column("budget"),
            Column("", "measured", "settings now", show=_now),
            Column("settings_a", lambda needed: needed.measured[0]),
            Column("settings_b", lambda needed: needed.measured[1]),
            Column("log_difference", "difference"),
            Column("standard_error", "se"),
            Column("variance_a", lambda needed: needed.variances[0]),
            Column("variance_b", lambda needed: needed.variances[1]),
            Column("settings_low", "low", "at least", show=","),
            Column("settings_likely", "likely", "likeliest", show=","),
            Column("settings_high", "high", "at most", cell=_most_cell),
        ),
        Column("refused", "needed_refusal"),
    ]


def _now(measured: tuple[int, int]) -> str:
    return " and ".join(map(str, dict.fromkeys(measured)))


def _most_cell(needed: Needed) -> Cell:
    most = needed.high
    return Cell("or never") if most is None else Cell(f"{most:,}", sort=most)


EVIDENCE = Evidence[DataSummary](
    name="power",
    place=130,
    title="What it would take",
    how_to_read=how_to_read,
    table=table,
    refusal=refusal,
)
