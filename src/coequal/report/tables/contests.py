"""Who beats whom: defeats, chances of every pair, what it would take, re-runs, rank flips."""

from itertools import combinations

from coequal.analysis.pairs import Pair
from coequal.analysis.summary import DataSummary
from coequal.report.formatting import chance, full, p_value
from coequal.report.table import EMPTY, Cell, Heading, Record, Table, ends, name_cell
from coequal.statistics.better import Better

SAME = Cell("·")


def defeats(summary: DataSummary) -> Table | None:
    """Who left the first tier, and who beat it; None where nobody did."""
    found = summary.verdict
    if found is None or not found.removed:
        return None
    models = {model.name: model for model in summary.models}
    rows = [
        [
            name_cell(models[r.model]),
            Cell(summary.title(r.beaten_by)),
            Cell(chance(r.probability), sort=r.probability),
            Cell("–" if r.z is None else f"{r.z:.2f}", sort="" if r.z is None else r.z),
            Cell(p_value(r.p_value), f"needed {p_value(r.threshold)}", sort=r.p_value),
            Cell(p_value(r.adjusted_p), sort=r.adjusted_p),
        ]
        for r in found.removed
    ]
    return Table(
        name="defeats",
        title="Who was beaten by whom",
        read=(
            "In the order in which they left the comparison: P is the chance that the other's "
            f"best of {found.budget} is better, z how clear that is, the adjusted p-value "
            "allows for all pairs."
        ),
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
    found = summary.verdict
    if found is None:
        return []
    number = {name: k for k, tier in enumerate(found.tiers, 1) for name in tier}
    beaten = {removal.model: removal for removal in found.removed}
    records = []
    for name in [*found.tier, *beaten]:
        removal = beaten.get(name)
        records.append(
            {
                "data": summary.data,
                "model": name,
                "first_tier": int(removal is None),
                "tier": number.get(name, ""),
                "budget": found.budget,
                "settings": found.settings[name],
                "adjusted_p": full(found.adjusted_p[name]),
                "beaten_by": removal.beaten_by if removal else "",
                "probability": full(removal.probability) if removal else "",
                "p_value": full(removal.p_value) if removal else "",
                "threshold": full(removal.threshold) if removal else "",
                "z": "" if removal is None or removal.z is None else repr(removal.z),
                "method": found.method,
            }
        )
    return records


def chances(summary: DataSummary) -> Table | None:
    """P(row better than column) for every pair, with intervals; None with fewer than two models."""
    contest = summary.contest
    if contest is None or not contest.pairs:
        return None
    shown = [m for m in summary.ranked if m.name in contest.verdict.settings]
    rows = []
    for model in shown:
        cells = [name_cell(model)]
        for other in shown:
            pair = contest.pair(model.name, other.name) if other is not model else None
            cells.append(SAME if pair is None else _chance_cell(pair, model.name))
        rows.append(cells)
    budget = contest.verdict.budget
    refused = sorted({pair.refusal for pair in contest.pairs if pair.refusal})
    return Table(
        name="chances",
        title="P(A better than B)",
        read=(
            f"The chance that the row's model, with its best of {budget} random "
            f"setting{'s' if budget > 1 else ''}, beats the column's, over its 95 % interval; one "
            "half means nobody is ahead. The intervals are for each pair by itself: the verdict "
            "above allows for their number."
        ),
        headings=[Heading("Model"), *(Heading(model.label) for model in shown)],
        rows=rows,
        records=[_chance_record(summary, pair, budget) for pair in contest.pairs],
        notes=[f"No interval: {text}." for text in refused],
    )


def power(summary: DataSummary) -> Table | None:
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
        name="power",
        title="What it would take",
        read=(
            "How many settings per model, in all, would show the difference in expected best seen "
            "here at 95 % with a chance of 80 %, as a pair by itself (the verdict allows for all "
            f"pairs and takes more), the budget kept at n = {contest.verdict.budget}: a range, "
            "because the difference itself is only estimated; 'or never' where it may be none."
        ),
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


def rerun_pairs(summary: DataSummary) -> Table | None:
    """Which chosen settings differ, by their re-runs; None without such a comparison."""
    found = summary.rerun_verdict
    if found is None or not found.differences:
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
        for d in found.differences
    ]
    notes = ["This compares the chosen settings, not the models."]
    if found.not_compared:
        left_out = ", ".join(summary.title(name) for name in found.not_compared)
        notes.append(f"Too few re-runs to compare: {left_out}.")
    return Table(
        name="rerun_pairs",
        title="Which chosen settings differ",
        read=(
            "Interquartile means of the re-runs compared by Yuen's t, clearest first; a difference "
            "is shown if its p-value, adjusted over all pairs after Holm, is at most 0.05."
        ),
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
            | {"adjusted_p": full(d.adjusted), "shown": int(d.shown), "scale": found.scale}
            for d in found.differences
        ],
        notes=notes,
    )


def flips(summary: DataSummary) -> Table | None:
    """Where one model overtakes another as the budget grows; None without ranks."""
    found = summary.ranks
    if found is None or not found.budgets:
        return None
    titles = {model.name: model for model in summary.models}
    rows = [
        [
            Cell(f"n = {flip.budget}", sort=flip.budget),
            name_cell(titles[flip.ahead]),
            Cell(titles[flip.behind].label),
        ]
        for flip in found.flips
    ]
    if not rows:
        return None
    return Table(
        name="rank_flips",
        title="Rank flips",
        read=(
            "From this budget on the model was ahead, by expected best, of one that it was behind "
            "before; nothing is claimed about the size of the difference."
        ),
        headings=[Heading("From"), Heading("ahead", words=True), Heading("of", words=True)],
        rows=rows,
        records=[{"data": summary.data, **vars(flip)} for flip in found.flips],
        notes=[]
        if len(found.budgets) == found.budgets[-1]
        else [f"Looked at: {len(found.budgets)} values of n, up to {found.budgets[-1]:,}."],
    )


def _chance_cell(pair: Pair, row: str) -> Cell:
    found = pair.better
    if found is None:
        return EMPTY
    p, low, high = _turned(found, row == pair.a)
    return Cell(chance(p), f"{low:.2f}–{high:.2f}", sort=p, shade=2 * p - 1)


def _turned(found: Better, first: bool) -> tuple[float, float, float]:
    if first:
        return found.probability, found.low, found.high
    return 1 - found.probability, 1 - found.high, 1 - found.low


def _chance_record(summary: DataSummary, pair: Pair, budget: int) -> Record:
    found = pair.better
    row: Record = {"data": summary.data, "a": pair.a, "b": pair.b, "budget": budget}
    if found is None:
        return row | {"p_a_better": "", **ends("p", None), "method": pair.refusal}
    both = (found.low, found.high)
    return row | {"p_a_better": full(found.probability), **ends("p", both), "method": found.method}


def _power_cells(pair: Pair) -> list[Cell]:
    needed = pair.needed
    if needed is None:
        return [EMPTY] * 4
    now = " and ".join(str(n) for n in dict.fromkeys(needed.measured))
    high = Cell("or never") if needed.high is None else Cell(f"{needed.high:,}", sort=needed.high)
    likely = Cell("–" if needed.likely is None else f"{needed.likely:,}", sort=needed.likely)
    return [Cell(now), Cell(f"{needed.low:,}", sort=needed.low), likely, high]


def _power_record(summary: DataSummary, pair: Pair) -> Record:
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
