"""Every pair of models: P, the ratio of typical scores, and what was decided at which look."""

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import half_width, interval, number, p_value, probability
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._nothing import one_setting
from coequal.reporting.pair_rows import PairRow, pair_rows
from coequal.reporting.pair_sentences import within
from coequal.reporting.power_text import needed_text
from coequal.reporting.sure_text import anytime_level
from coequal.reporting.table import (
    EMPTY,
    Cell,
    Column,
    Record,
    Table,
    model_column,
    records,
    rival_column,
    tabulate,
)
from coequal.statistics.anytime import SignEvidence
from coequal.statistics.verdict import Verdict


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    verdict = summary.verdict
    assert verdict is not None  # or there were no table
    label = summary.metric.label
    failure = "a failure counts as the cap, or as the worst finished run if that is worse"
    quantity = (
        f"The ratio is that of their typical test {label} (geometric means; {failure})"
        if verdict.rules.scale == "log"
        else f"The difference is that of their mean test {label} ({failure})"
    )
    size = "ratio" if verdict.rules.scale == "log" else "difference"
    tuned = (
        "one random setting" if verdict.budget == 1 else (f"the best of {verdict.budget} settings")
    )
    text = (
        "Each row compares two tuned models. P is the probability that the row's model, with "
        f"{tuned}, scores better than the other. {quantity}. "
    )
    if verdict.looks_done:
        text += (
            "Intervals are at the level allotted to the pair's look, so that they hold jointly "
            "over all pairs and looks. "
        )
    if verdict.rules.margin is not None:
        text += (
            f"A pair is equivalent if the whole interval of its {size} lies "
            f"{within(verdict.rules)}. "
        )
    most, enough = verdict.rules.looks[-1].settings, 1 / anytime_level(verdict)
    return (
        f"{text}Settings needed: how many settings each model would need in all to decide the pair "
        f"with a power of 80 % (this study trains at most {most}). Valid at any time: on how many "
        "settings the row's model won and lost, and the betting evidence in its favour, which "
        f"decides the pair once it reaches {enough:,.0f}."
    )


def table(summary: DataSummary) -> Table | None:
    """A row for each pair, decided ones first; None where nothing is compared."""
    verdict, rows = summary.verdict, pair_rows(summary)
    if verdict is None or not rows:
        return None
    place = {name: k for k, name in enumerate(verdict.order)}
    shown = sorted(rows, key=lambda row: (not row.pair.decided, place[row.a], place[row.b]))
    notes = []
    if verdict.looks_done and all(row.pair.ratio_interval is None for row in rows):
        notes.append(
            "No ratio and no equivalence: a failure has no score to count as, or some scores are "
            "not above 0."
        )
    return tabulate(_columns(summary, verdict), rows, summary=summary, shown=shown, notes=notes)


def over_budgets(summary: DataSummary) -> list[Record]:
    """A row for each pair of models and budget."""
    contest = summary.contest
    columns = [
        Column("model", "a"),
        Column("against", "b"),
        Column("settings", "budget"),
        Column(
            "probability_better",
            "better.probability",
            ends=lambda at: (at.better.low, at.better.high),
        ),
        Column("standard_error", "better.se"),
        Column("method", "better.method"),
    ]
    return records(columns, contest.over_budgets if contest else (), summary)


def _columns(summary: DataSummary, verdict: Verdict) -> list[Column]:
    contest = summary.contest
    assert contest is not None
    linear, looks = verdict.rules.scale == "linear", verdict.rules.looks
    size = "difference" if linear else "ratio"
    level = anytime_level(verdict)

    def p_cell(row: PairRow) -> Cell:
        pair = row.pair
        ends = pair.probability_interval
        under = "" if ends is None else f"{ends.low:.2f}–{ends.high:.2f}"
        return Cell(probability(pair.probability), under, sort=pair.probability)

    def ratio_cell(row: PairRow) -> Cell:
        value, ends = row.pair.ratio, row.pair.ratio_interval
        if value is None:
            return EMPTY
        return Cell(number(value, half_width(ends)), interval(ends), sort=value)

    def outcome_cell(row: PairRow) -> Cell:
        pair = row.pair
        look = "" if pair.look is None else f"look {pair.look + 1} of {len(looks)}"
        return Cell(pair.outcome, look if pair.decided else "", strong=pair.decided)

    def p_value_cell(row: PairRow) -> Cell:
        value = row.pair.p_value
        if value is None:
            return EMPTY
        return Cell(p_value(value), f"level {row.pair.level:.2g}", sort=value)

    def needed_cell(row: PairRow) -> Cell:
        if row.pair.decided or row.needed is None:
            return EMPTY
        return Cell(needed_text(row.needed, contest.most_settings), sort=row.needed)

    def evidence_cell(row: PairRow) -> Cell:
        found = row.evidence
        if found is None:
            return EMPTY
        strong = found.shown(level)
        return Cell(
            f"{found.wins} : {found.losses}",
            f"evidence {_evidence(found)}",
            sort=found.e_value,
            strong=strong,
        )

    return [
        model_column(summary, "model", "a"),
        rival_column(summary, "against", "against", "b"),
        Column("outcome", "pair.outcome", "Outcome", cell=outcome_cell),
        Column("look", lambda row: None if row.pair.look is None else row.pair.look + 1),
        Column("settings", "pair.settings"),
        Column("budget", lambda _: verdict.budget),
        Column(
            *("probability_better", "pair.probability", "P(better)", "joint interval"),
            cell=p_cell,
            ends="pair.probability_interval",
        ),
        Column(
            *(size, "pair.ratio", size.capitalize(), "joint interval"),
            cell=ratio_cell,
            ends="pair.ratio_interval",
        ),
        Column("z", "pair.z"),
        Column("p_value", "pair.p_value", "p-value", cell=p_value_cell),
        Column("level", "pair.level"),
        Column("settings_needed", "needed", "Settings needed", "of each model", cell=needed_cell),
        Column("wins", "evidence.wins"),
        Column("losses", "evidence.losses"),
        Column(
            *("e_value", "evidence.e_value", "Valid at any time", "won : lost"), cell=evidence_cell
        ),
        Column("e_value_needed", lambda _: 1 / level),
    ]


def _evidence(found: SignEvidence) -> str:
    return number(found.e_value) if found.e_value < 1e6 else f"{found.e_value:.0e}"


EVIDENCE = Evidence[DataSummary](
    name="pairs",
    group=Group.VERDICT,
    place=4,
    title="Every pair",
    how_to_read=how_to_read,
    table=table,
    nothing=lambda summary: one_setting(summary) if table(summary) else "",
    csv={"pairs_over_budgets": over_budgets},
)
