"""The table that goes into a paper: each model with its score, how often it failed, and in bold
what the verdict supports."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.tiers import Basis, Standing, Tiers, tiers
from coequal.formatting import (
    NONE,
    count,
    half_width,
    interval,
    listed,
    number,
    with_error,
)
from coequal.reporting.changes import Change, changes
from coequal.reporting.pair_sentences import within
from coequal.reporting.table import Cell, Heading, Table


@dataclass(frozen=True)
class MainTable:
    """One table.

    Attributes:
        name: of its label.
        caption: what a reader must know, in sentences.
        table: what stands in it.
    """

    name: str
    caption: str
    table: Table


def main_tables(summaries: Sequence[DataSummary]) -> list[MainTable]:
    """The main table of a study; several of a study of changes, one for each model that others are
    compared with, and of datasets whose scores are not of one kind.

    Args:
        summaries: one for each dataset.
    """
    found: list[MainTable] = []
    rest: dict[tuple[Basis, str], list[tuple[DataSummary, Tiers]]] = {}
    for summary in summaries:
        if summary.rerun_comparison.effects:
            found += _of_changes(summary, len(summaries) > 1)
        else:
            placed = tiers(summary)
            rest.setdefault((placed.basis, summary.metric.name), []).append((summary, placed))
    for place, group in enumerate(rest.values()):
        found.append(_of_models(group, f"main-{place + 1}" if place else "main"))
    return found


def _of_models(placed: Sequence[tuple[DataSummary, Tiers]], name: str) -> MainTable:
    """All models: best first on one dataset; in the study's order, datasets side by side, on
    several."""
    first, standings = placed[0][0], placed[0][1].standings
    names = [s.model for s in standings] if len(placed) == 1 else [m.name for m in first.models]
    headings, columns = [Heading("Model")], [[Cell(first.title(name)) for name in names]]
    counts = {_runs(s, t.basis, s.model(n)) for s, t in placed for n in names}
    for summary, found in placed:
        by_name = {standing.model: standing for standing in found.standings}
        models = [summary.model(name) for name in names]
        data = summary.data if len(placed) > 1 else ""
        bold = _bold(found)
        headings += [Heading(f"test {summary.metric.label}", data)]
        columns += [[_score(by_name[m.name], m, found.basis, m.name in bold) for m in models]]
        if len(counts) > 1 or len(placed) == 1:
            headings += [Heading("n", data)]
            columns += [[Cell(f"{_runs(summary, found.basis, m)}") for m in models]]
        headings += [Heading("failed", data)]
        columns += [[Cell(_failed(m, found.basis)) for m in models]]
    rows = list(zip(*columns, strict=True))
    return MainTable(name, _caption(placed, counts), Table(headings, rows))


def _bold(found: Tiers) -> set[str]:
    """Models that were not shown to be worse than another, where some were."""
    return {standing.model for standing in found.unbeaten} if found.beaten else set()


def _score(standing: Standing, model: ModelSummary, basis: Basis, strong: bool) -> Cell:
    """The score with its error."""
    score, ends = standing.score, standing.interval
    mark = ""
    if score is None or not math.isfinite(score):
        return Cell(NONE)
    if basis == "tuned":
        between = f" ({text})" if (text := interval(ends)) else ""
        text = f"{number(score, half_width(ends))}{between}"
    elif basis == "reruns":
        numbers = model.rerun.numbers if model.rerun else None
        if numbers is None or numbers.mean is None:
            return Cell("most failed")
        text, mark = with_error(numbers.mean, numbers.sd), numbers.outliers.mark
    else:
        point = model.chosen.checkpoint if model.chosen else None
        text = with_error(score, None if point is None or math.isnan(point.error) else point.error)
    return Cell(text, strong=strong, mark=mark)


def _runs(summary: DataSummary, basis: Basis, model: ModelSummary) -> int:
    """The settings or runs that a score is over."""
    if basis == "tuned":
        assert summary.verdict is not None
        return summary.verdict.settings.get(model.name, 0)
    if basis == "reruns":
        return len(model.rerun.runs) if model.rerun else 0
    return len(model.tried)


def _failed(model: ModelSummary, basis: Basis) -> str:
    """How many of these settings or runs ended without a score."""
    if basis == "reruns":
        numbers = model.rerun.numbers if model.rerun else None
        return f"{numbers.failed}/{numbers.runs}" if numbers else NONE
    runs = model.ended if basis == "tuned" else model.tried
    return f"{sum(trial.failed for trial in runs)}/{len(runs)}" if runs else NONE


def _caption(placed: Sequence[tuple[DataSummary, Tiers]], counts: set[int]) -> str:
    summary, found = placed[0]
    label, metric = summary.metric.label, summary.metric
    where = listed([one.data for one, _ in placed])
    texts = [*_unfinished([one for one, _ in placed]), f"Test {label} on {where} ({metric.better})"]
    texts.append(_what(summary, found.basis, placed))
    if len(counts) == 1 and len(placed) > 1:
        texts.append(f"n = {min(counts)} everywhere")
    texts += list(dict.fromkeys(_meaning(one, tier) for one, tier in placed))
    return " ".join(f"{text.removesuffix('.')}." for text in texts if text)


def _what(summary: DataSummary, basis: Basis, placed: Sequence[tuple[DataSummary, Tiers]]) -> str:
    """What the scores, n and failures are of."""
    if basis == "tuned":
        assert summary.verdict is not None
        rules, budget = summary.verdict.rules, summary.verdict.budget
        mean = "Geometric mean" if rules.scale == "log" else "Mean"
        best = "one random setting" if budget == 1 else f"the best of {budget} random settings"
        return (
            f"{mean} for {best}, with its 95 % interval over the draw of the n settings that were "
            "trained; failed: settings without a score"
        )
    if basis == "reruns":
        marked = any(
            model.rerun and model.rerun.numbers and model.rerun.numbers.outliers.mark
            for one, _ in placed
            for model in one.models
        )
        outliers = "; * excludes at least one severe outlier, ** at least a fifth of the runs"
        return (
            "Mean ± standard deviation over n runs of the chosen setting with fresh seeds"
            f"{outliers if marked else ''}; failed: runs without a score"
        )
    return (
        "One run of the setting chosen on validation among n, ± the standard error over new "
        "generated images where known; failed: settings without a score"
    )


def _meaning(summary: DataSummary, found: Tiers) -> str:
    """What bold means, or that nothing is bold, and what was decided."""
    if found.basis == "runs":
        return "Single runs cannot show a difference, so nothing is bold"
    pairs = _pairs(summary, found)
    if found.beaten:
        bold = "Bold: not shown to be worse than another model"
        equal = _all_equivalent(found.unbeaten)
        margin = within(summary.verdict.rules) if summary.verdict else ""
        more = f"; these are equivalent {margin}" if equal else ""
        alone = len(found.unbeaten) == 1
        rest = "" if alone or equal else ", which does not mean equal"
        return f"{bold}{rest}{more} (at 95 % jointly over {pairs})"
    if _all_equivalent(found.standings):
        margin = within(summary.verdict.rules) if summary.verdict else ""
        return f"All models are equivalent {margin} (at 95 % jointly over {pairs})"
    beside = " beside equivalent ones" if any(s.equivalent for s in found.standings) else ""
    return f"No model was shown to be worse than another{beside}, so nothing is bold"


def _all_equivalent(standings: Sequence[Standing]) -> bool:
    return len(standings) > 1 and all(
        len(standing.equivalent) >= len(standings) - 1 for standing in standings
    )


def _pairs(summary: DataSummary, found: Tiers) -> str:
    if found.basis == "tuned" and summary.verdict is not None:
        return count(len(summary.verdict.pairs), "pair")
    verdict = summary.rerun_verdict
    return count(len(verdict.differences) if verdict else 0, "pair")


def _unfinished(summaries: Sequence[DataSummary]) -> list[str]:
    """That results are missing, in a sentence; nothing of a finished study."""
    if all(summary.finished for summary in summaries):
        return []
    ended = sum(s.ended + (s.rerun_phase.ended if s.rerun_phase else 0) for s in summaries)
    planned = sum(s.planned + (s.rerun_phase.planned if s.rerun_phase else 0) for s in summaries)
    return [f"Preliminary: {ended:,} of {planned:,} runs have ended"]


def _of_changes(summary: DataSummary, name_data: bool) -> list[MainTable]:
    """A table for each model that others are compared with."""
    found = []
    grouped = groupby(changes(summary), key=lambda change: change.effect.against)
    for base, group in grouped:
        rows = list(group)
        name = f"main-{base}-{summary.data}" if name_data else f"main-{base}"
        relative = rows[0].relative
        headings = [
            Heading("Change"),
            Heading(f"{summary.metric.label}{', %' if relative else ''}"),
            Heading("95 % jointly"),
            Heading("n"),
            Heading("failed"),
        ]
        cells = [_change_cells(row, summary) for row in rows]
        caption = _caption_of_changes(summary, base, rows)
        found.append(MainTable(name, caption, Table(headings, cells)))
    return found


def _change_cells(row: Change, summary: DataSummary) -> list[Cell]:
    model = summary.model(row.effect.name)
    mark = "†" if row.outcome == "worse" else ""
    per_cent = " %" if row.relative else ""
    return [
        Cell(row.name + mark, strong=row.outcome == "better"),
        Cell(row.text.removesuffix(per_cent), strong=row.outcome == "better"),
        Cell(row.between.removesuffix(per_cent)),
        Cell(f"{_runs(summary, 'reruns', model)}"),
        Cell(_failed(model, "reruns")),
    ]


def _caption_of_changes(summary: DataSummary, base: str, rows: Sequence[Change]) -> str:
    metric, model = summary.metric, summary.model(base)
    numbers = model.rerun.numbers if model.rerun else None
    own = ""
    if numbers is not None and numbers.mean is not None:
        value = with_error(numbers.mean, numbers.sd)
        own = f" ({value}, mean ± standard deviation over {count(numbers.runs, 'run')})"
    how = "ratio" if rows[0].relative else "difference"
    comparisons = summary.rerun_comparison.comparisons
    outcomes = {row.outcome for row in rows}
    texts = [
        *_unfinished([summary]),
        f"{model.title}{own} with one change each: test {metric.label} on {summary.data} "
        f"({metric.better}), as the median {how} over pairs of runs (n fresh seeds of each), with "
        f"intervals at 95 % jointly over all {comparisons} comparisons of the study; failed: runs "
        "without a score.",
    ]
    if not outcomes & {"better", "worse"}:
        texts.append("No change was shown to be better or worse, so nothing is bold.")
    if "better" in outcomes:
        texts.append("Bold: shown to be better.")
    if "worse" in outcomes:
        texts.append("†: shown to be worse.")
    return " ".join(f"{text.removesuffix('.')}." for text in texts)
