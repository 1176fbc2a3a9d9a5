"""The numbers behind the figures, for programs only: one row per point."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from coequal.analysis.budget_curves import Curve
from coequal.analysis.summary import DataSummary
from coequal.report.formatting import full
from coequal.report.table import Record, Table, ends, start
from coequal.report.tables import contests, health, known


def settings(summary: DataSummary) -> list[Record]:
    """A row for each setting of the search."""
    return [
        start(summary, model)
        | {"setting": s.number, "trial": s.trial, "seed": s.seed, "status": s.status}
        | {"validation": full(s.validation), "test": full(s.test)}
        | {"chosen": int(s is model.chosen)}
        | {f"setting.{place.name}": place.value for place in s.values}
        for model in summary.models
        for s in model.settings
    ]


def fresh_seeds(summary: DataSummary) -> list[Record]:
    """A row for each run with a fresh seed: re-runs and transfers."""
    return [
        start(summary, model)
        | {"setting": setting, "repeat": run.repeat, "trial": run.trial, "status": run.status}
        | {"validation": full(run.validation), "test": full(run.test)}
        | {"reported": int(model.rerun is not None and run in model.rerun.runs)}
        for model in summary.models
        for setting, runs in sorted(model.again.items())
        for run in runs
    ]


def budget_curves(summary: DataSummary) -> list[Record]:
    """A row for each model and number of settings, and one for what the whole search found."""
    return _curves(summary, summary.curves, summary.metric.name)


def f1_curves(summary: DataSummary) -> list[Record]:
    """The same of F1."""
    return _curves(summary, summary.f1_curves, "f1")


def cost_curves(summary: DataSummary) -> list[Record]:
    """A row for each model, unit and budget."""
    return [
        {"data": summary.data, "metric": summary.metric.name, "model": name, "unit": unit}
        | {"budget": full(point.budget), "search_total": full(curve.total)}
        | {"expected_best": full(point.expected)}
        | ends("expected_best", (point.low, point.high))
        for unit, by_model in summary.cost_curves.items()
        for name, curve in by_model.items()
        for point in curve.points
    ]


def chances_over_budgets(summary: DataSummary) -> list[Record]:
    """A row for each pair of models and budget."""
    found = summary.contest
    return [
        {"data": summary.data, "metric": summary.metric.name, "model": at.a, "against": at.b}
        | {"settings": at.budget, "probability_better": full(at.better.probability)}
        | ends("probability_better", (at.better.low, at.better.high))
        | {"standard_error": full(at.better.se), "method": at.better.method}
        for at in (found.over_budgets if found else ())
    ]


def ranks(summary: DataSummary) -> list[Record]:
    """A row for each model and budget."""
    found = summary.ranks
    if found is None:
        return []
    return [
        {"data": summary.data, "model": name, "settings": budget}
        | {"expected_best": full(summary.metric.cost(expected)), "rank": full(rank)}
        for name, values, places in zip(found.models, found.expected, found.ranks, strict=True)
        for budget, expected, rank in zip(found.budgets, values, places, strict=True)
    ]


LEARNING = ("data", "metric", "model", "setting", "repeat", "status", "step", "validation", "test")


def learning_curves(summary: DataSummary) -> Iterator[tuple[Any, ...]]:
    """A row of `LEARNING` for each checkpoint of each trial, failed ones too: one after another,
    for of a large study there are millions."""
    for model in summary.models:
        first = tuple(start(summary, model).values())
        for s in (*model.settings, *(run for runs in model.again.values() for run in runs)):
            about = (*first, s.number, s.repeat, s.status)
            for step, validation, test, _ in s.moments:
                yield (*about, step, full(validation), full(test))


def _curves(summary: DataSummary, curves: Mapping[str, Curve], metric: str) -> list[Record]:
    rows: list[Record] = []
    for name, curve in curves.items():
        first = {"data": summary.data, "metric": metric, "model": name, "of": curve.settings}
        failures = {"failures": len(summary.model(name).failures)}
        for point in curve.points:
            note = "" if curve.solid(point) else "the interval's better end is the metric's bound"
            row: Record = first | {"settings": point.budget} | failures
            row |= {"expected_best": full(point.expected)}
            rows.append(row | ends("expected_best", (point.low, point.high)) | {"note": note})
        last = first | {"settings": curve.settings} | failures
        last |= {"expected_best": full(curve.observed), **ends("expected_best", None)}
        rows.append(last | {"note": "observed, no expectation"})
    return rows


BEHIND: dict[str, Callable[[DataSummary], list[Record]]] = {
    "settings": settings,
    "fresh_seeds": fresh_seeds,
    "budget_curves": budget_curves,
    "cost_curves": cost_curves,
    "f1_curves": f1_curves,
    "ranks": ranks,
    "chances_over_budgets": chances_over_budgets,
    "verdict": contests.verdict_records,
    "manifold_settings": known.manifold_settings,
    "health_trials": health.health_trials,
}
"""Tables for programs."""

LONG: dict[str, tuple[Sequence[str], Callable[[DataSummary], Iterator[tuple[Any, ...]]]]] = {
    "learning_curves": (LEARNING, learning_curves),
}
"""The same, too long to be held: columns, and rows one after another."""


def records(
    summaries: Sequence[DataSummary],
    by_data: Sequence[dict[str, Table]],
    together: Sequence[Table],
) -> dict[str, list[Record]]:
    """Every CSV by name: the rows of all data sets, one after the other; empty ones left out."""
    found: dict[str, list[Record]] = {}
    for tables in by_data:
        for name, table in tables.items():
            found.setdefault(name, []).extend(table.records)
    for table in together:
        found[table.name] = list(table.records)
    for name, make in BEHIND.items():
        found[name] = [row for summary in summaries for row in make(summary)]
    return {name: rows for name, rows in found.items() if rows}
