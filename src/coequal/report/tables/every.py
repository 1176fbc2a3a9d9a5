"""Which tables there are, in the order of the page."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from coequal.report.summary import DataSummary
from coequal.report.table import Record, Table
from coequal.report.tables import contests, data, effects, health, known, others, results, spread

SHOWN: tuple[Callable[[DataSummary], Table | None], ...] = (
    results.best_and_reruns,
    results.search,
    others.other_metrics,
    known.manifold_choice,
    contests.defeats,
    contests.chances,
    contests.power,
    effects.effects,
    contests.rerun_pairs,
    contests.flips,
    spread.variance,
    spread.influences,
    spread.hyperparameters,
    health.health,
    health.unhealthy,
    health.stopped_early,
    spread.failures,
)
"""Tables of one data set that a reader sees; None where there is nothing to show."""

BEHIND: dict[str, Callable[[DataSummary], list[Record]]] = {
    "settings": data.settings,
    "fresh_seeds": data.fresh_seeds,
    "budget_curves": data.budget_curves,
    "cost_curves": data.cost_curves,
    "f1_curves": data.f1_curves,
    "ranks": data.ranks,
    "chances_over_budgets": data.chances_over_budgets,
    "verdict": contests.verdict_records,
    "manifold_settings": known.manifold_settings,
    "health_trials": health.health_trials,
}
"""Tables for programs."""


LONG: dict[str, tuple[Sequence[str], Callable[[DataSummary], Iterator[tuple[Any, ...]]]]] = {
    "learning_curves": (data.LEARNING, data.learning_curves),
}
"""The same, too long to be held: columns, and rows one after another."""


def shown(summary: DataSummary) -> dict[str, Table]:
    """The tables of a data set by name, in the order of the page."""
    found = (make(summary) for make in SHOWN)
    return {table.name: table for table in found if table is not None}


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
