"""Where differences come from: shares of variance, hyper-parameters, ranges, failures."""

from collections import Counter
from collections.abc import Sequence

from coequal.analysis.model import ModelSummary
from coequal.analysis.range_position import Placed
from coequal.analysis.summary import DataSummary
from coequal.analysis.trials import TrialSummary
from coequal.report.formatting import full, numbered, p_value, percent, plain, range_text
from coequal.report.table import EMPTY, Cell, Heading, Record, Table, ends, name_cell, start
from coequal.statistics.sensitivity import Influence
from coequal.statistics.variance import VarianceComponent

READ = 400
"""Rows of a table of runs that a reader sees at the most, or one of each model."""

MEANS = {
    "evaluation": "the same network, other generated images",
    "seed": "the same setting, another training seed",
    "hyper-parameters": "the same model, another setting",
    "model": "another model",
}


def variance(summary: DataSummary) -> Table | None:
    """Shares of the variance of a single score; None with too few scores."""
    found = summary.variance
    if found is None:
        return None
    groups = [("score", found.scores.components)]
    if found.failures is not None:
        groups.append(("failure", found.failures.components))
    rows, records = [], []
    for kind, parts in groups:
        for part in parts:
            what = "a score" if kind == "score" else "a failure"
            share = "not separable" if part.fraction is None else percent(part.fraction)
            ends_text = "" if part.interval is None else _percents(part)
            rows.append(
                [
                    Cell(f"{part.source}, of {what}", MEANS[part.source]),
                    Cell(share, ends_text, sort="" if part.fraction is None else part.fraction),
                    Cell(part.note),
                ]
            )
            records.append(_part_record(summary, kind, part))
    scale = "logarithms of the scores" if found.scores.scale == "log" else "scores"
    return Table(
        name="variance",
        title="Where the differences come from",
        read=(
            f"Of all variance between single runs (of the {scale} of runs that finished), how much "
            "comes from each source, over its 95 % interval; failures have shares of their own."
        ),
        headings=[
            Heading("Source"),
            Heading("Share", "95 %"),
            Heading("How it is known", words=True),
        ],
        rows=rows,
        records=records,
        notes=[
            "The seed's variance is measured at the settings that were re-run, the best ones; bad "
            "settings usually vary more, so the hyper-parameters' share holds some of that."
        ],
    )


def influences(summary: DataSummary) -> Table | None:
    """What each searched hyper-parameter did in each model's search."""
    found = [(m, i) for m in summary.ranked for i in m.influences or ()]
    if not found:
        return None
    return Table(
        name="sensitivity",
        title="What each hyper-parameter did",
        read=(
            "The share of the variance of the settings' ranks that one hyper-parameter explains by "
            "itself, which of its values were better, and whether the best settings crowd at an "
            "end of its range, where a better value may lie outside."
        ),
        headings=[
            Heading("Model"),
            Heading("Hyper-parameter", words=True),
            Heading("share explained"),
            Heading("adjusted p-value"),
            Heading("better values", words=True),
            Heading("edge of the range", words=True),
        ],
        rows=[_influence_row(model, influence) for model, influence in found],
        records=[_influence_record(summary, model, i) for model, i in found],
    )


def hyperparameters(summary: DataSummary) -> Table | None:
    """Each model's chosen setting and where it lies in the declared ranges."""
    chosen = [m for m in summary.ranked if m.chosen]
    names = list(dict.fromkeys(p.name for m in chosen if m.chosen for p in m.chosen.values))
    if not names:
        return None
    rows = []
    for model in chosen:
        assert model.chosen is not None
        first = name_cell(model, numbered(model.chosen.number))
        rows.append([first, *(_place_cell(model.chosen.place(name)) for name in names)])
    return Table(
        name="hyperparameters",
        title="The chosen settings and where they lie in their ranges",
        read=(
            "The mark on a bar is the value's place between the low and the high end of the "
            "declared range (in the logarithm for a log range); within 5 % of an end it is "
            "flagged, because a better value may lie outside."
        ),
        headings=[Heading("Model"), *(Heading(n.replace("_", " "), words=True) for n in names)],
        rows=rows,
        records=[
            start(summary, model) | {"setting": model.chosen.number} | _placed_record(place)
            for model in summary.models
            if model.chosen
            for place in model.chosen.values
        ],
    )


def failures(summary: DataSummary) -> Table | None:
    """Every failed run, of the search and of later phases; None if there is none."""
    failed = [(model, t) for model in summary.models for t in _failed(model)]
    if not failed:
        return None
    first, left_out = first_of_each(failed, summary, "failures")
    rows = [
        [
            name_cell(model),
            Cell(which(trial), sort=trial.number),
            Cell(trial.status),
            Cell(trial.reason or "no reason was recorded"),
            Cell(trial.trial),
        ]
        for model, trial in first
    ]
    return Table(
        name="failures",
        title="Failures",
        read="Every run that ended without a score, where it stopped and what was seen." + left_out,
        headings=[
            Heading("Model"),
            Heading("Setting", words=True),
            Heading("Status", words=True),
            Heading("Reason", words=True),
            Heading("Trial", words=True),
        ],
        rows=rows,
        records=[
            start(summary, model)
            | {"setting": t.number, "repeat": t.repeat, "trial": t.trial}
            | {"status": t.status, "reason": t.reason}
            for model, t in failed
        ],
    )


def first_of_each(
    runs: Sequence[tuple[ModelSummary, TrialSummary]], summary: DataSummary, table: str
) -> tuple[Sequence[tuple[ModelSummary, TrialSummary]], str]:
    """The runs that a reader sees, all unless they are too many, and what is said of the others.

    Args:
        runs: model by model.
        summary: of the data set.
        table: the name of the file that has all of them.
    """
    if len(runs) <= READ:
        return runs, ""
    most, seen = max(1, READ // len(summary.models)), Counter[str]()
    first = []
    for model, trial in runs:
        seen[model.name] += 1
        if seen[model.name] <= most:
            first.append((model, trial))
    return first, (
        f" Of {len(runs):,} the first {len(first):,} are shown, as many of each model as of any "
        f"other; all of them are in tables/{table}.csv."
    )


def _percents(part: VarianceComponent) -> str:
    assert part.interval is not None
    return f"{percent(part.interval.low)[:-2]}–{percent(part.interval.high)}"


def _part_record(summary: DataSummary, kind: str, part: VarianceComponent) -> Record:
    row: Record = {"data": summary.data, "of": kind, "source": part.source}
    row |= {"variance": full(part.variance), "share": full(part.fraction)}
    return row | ends("share", part.interval) | {"note": part.note}


def _influence_row(model: ModelSummary, found: Influence) -> list[Cell]:
    share = percent(max(0.0, found.sobol_index))
    warns = found.edge is not None and found.edge.warns
    edge = ""
    if found.edge is not None:
        edge = f"best within {percent(found.edge.distance)} of the {found.edge.nearest} end"
    return [
        name_cell(model),
        Cell(found.name.replace("_", " ")),
        Cell(share, sort=found.sobol_index, strong=found.adjusted <= 0.05),
        Cell(p_value(found.adjusted), sort=found.adjusted),
        Cell((found.sobol_index > 0 and found.best_value) or found.direction or "no direction"),
        Cell(edge or "–", flag="range may be too narrow" if warns else ""),
    ]


def _influence_record(summary: DataSummary, model: ModelSummary, found: Influence) -> Record:
    edge = found.edge
    row = start(summary, model) | {"hyperparameter": found.name, "share": full(found.sobol_index)}
    row |= {"p_value": full(found.p_value), "adjusted_p": full(found.adjusted)}
    row |= {"direction": found.direction or "", "best_value": found.best_value or ""}
    return row | {
        "edge": edge.nearest if edge else "",
        "edge_distance": full(edge.distance) if edge else "",
        "edge_chance": full(edge.probability) if edge else "",
        "edge_adjusted_p": full(edge.adjusted) if edge else "",
    }


def _place_cell(place: Placed | None) -> Cell:
    if place is None:
        return EMPTY
    inside = None if place.position is None else min(1.0, max(0.0, place.position))
    value = place.value
    sort = float(value) if isinstance(value, int | float) else str(value)
    return Cell(plain(value), range_text(place), sort=sort, flag=place.flag, place=inside)


def _placed_record(place: Placed) -> Record:
    row: Record = {"hyperparameter": place.name, "value": place.value, "range": range_text(place)}
    return row | {"position": full(place.position), "flag": place.flag}


def _failed(model: ModelSummary) -> list[TrialSummary]:
    later = [t for runs in model.again.values() for t in runs if t.failed]
    return [*model.failures, *later]


def which(trial: TrialSummary) -> str:
    """A run by its setting and, of a fresh one, its seed."""
    text = "0, authors'" if trial.number == 0 else str(trial.number)
    return f"{text}, fresh seed {trial.repeat}" if trial.repeat else text
