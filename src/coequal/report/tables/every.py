"""Which tables there are, in the order of the page."""

from collections.abc import Callable

from coequal.analysis.summary import DataSummary
from coequal.report.table import Table
from coequal.report.tables import contests, effects, health, known, others, results, spread

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


def shown(summary: DataSummary) -> dict[str, Table]:
    """The tables of a data set by name, in the order of the page."""
    found = (make(summary) for make in SHOWN)
    return {table.name: table for table in found if table is not None}
