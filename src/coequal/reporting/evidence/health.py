"""Health of the runs: how their training went, whatever they score."""

from typing import NamedTuple

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.health import (
    KINDS,
    NOT_WATCHED,
    HealthCount,
    count_health,
    fresh_runs,
    watched,
)
from coequal.analysis.trials import STOPPED
from coequal.formatting import NONE, count
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._nothing import not_monitored
from coequal.reporting.setting_text import setting_name
from coequal.reporting.table import (
    Cell,
    Column,
    Rate,
    Table,
    model_column,
    rate_column,
    tabulate,
    within,
)

HOW_TO_READ = (
    "How each model's training runs went, regardless of their scores. The table counts the state "
    "in which each trial of the search ended, judged by rules over losses, gradients and images "
    "(coequal's docs/explanation/health.md). The rules neither see nor change any score, so "
    "choices and rankings do not depend on them. A failure is a trial that ended without a score, "
    "or one that has a score but looks bad. Below each failure rate is its 95 % interval (Wilson), "
    "over the draw of settings."
)

HOW_TO_READ_STOPPED = (
    " Trials that the study stops early (training.stop_on) end without a score because of these "
    "rules."
)


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    stops = any(
        t.status == STOPPED for m in summary.ranked for t in (*m.tried, *fresh_runs(m)) if m.tried
    )
    return HOW_TO_READ + (HOW_TO_READ_STOPPED if stops else "")


def table(summary: DataSummary) -> Table | None:
    """A row for each model: runs by verdict, and how often they fail; None if none was watched."""
    if not watched(summary):
        return None
    rows = [
        _Counts(model.name, count_health(model.tried), count_health(fresh_runs(model)))
        for model in summary.ranked
        if model.tried
    ]
    kinds = [kind for kind in KINDS if any(row.search.kinds[kind] for row in rows)]
    fresh = any(row.fresh_seeds.runs for row in rows)
    columns = [
        model_column(summary),
        *within(
            "search",
            Column("trials", "runs", "trials"),
            *map(_kind_column, kinds),
            Column("ended_without_score", "without_score", "ended without a score"),
            Column("scored_but_looks_bad", "looks_bad", "has a score, but looks bad"),
            rate_column("failure_rate", "failures", _failures),
        ),
        *within(
            "fresh_seeds",
            Column("fresh_seeds", "runs"),
            Column("fresh_seeds_failed", "failures"),
            rate_column("fresh_seeds_failure_rate", "failures of fresh seeds", _failures),
        )[: None if fresh else 0],
    ]
    unseen = sum(row.search.kinds[NOT_WATCHED] for row in rows)
    return tabulate(columns, rows, summary=summary, notes=_notes(summary, unseen))


class _Counts(NamedTuple):
    name: str  # of the model
    search: HealthCount
    fresh_seeds: HealthCount


def _kind_column(kind: str) -> Column:
    def cell(counted: HealthCount) -> Cell:
        return Cell(str(counted.kinds[kind] or NONE))

    name, heading = kind.replace(" ", "_"), kind.replace("_", " ")
    return Column(name, lambda counted: counted.kinds[kind], heading, cell=cell)


def _failures(counted: HealthCount) -> Rate:
    return counted.failures, counted.runs, counted.interval


def _notes(summary: DataSummary, unseen: int) -> list[str]:
    """What a reader must know: chosen settings that look bad, and runs that nobody watched."""
    notes = [
        f"{model.title}: {setting_name(chosen)}, chosen by its score, looks bad: "
        f"{chosen.verdict.replace('_', ' ')}{_comma(since(chosen.health.step))}."
        for model in summary.ranked
        if (chosen := model.chosen) is not None and chosen.looks_bad and chosen.health
    ]
    if unseen:
        verb = "was" if unseen == 1 else "were"
        notes.append(
            f"{count(unseen, 'trial')} with a score {verb} not watched while training and "
            f"{'does' if unseen == 1 else 'do'} not count as "
            f"{'a failure' if unseen == 1 else 'failures'}."
        )
    return notes


def since(step: int | None) -> str:
    """The step since when a verdict holds, in words; empty without one."""
    return "" if step is None else f"since step {step:,}"


def _comma(text: str) -> str:
    return f", {text}" if text else ""


EVIDENCE = Evidence[DataSummary](
    name="health",
    group=Group.HEALTH,
    place=260,
    title="Health",
    how_to_read=how_to_read,
    table=table,
    nothing=not_monitored,
)
