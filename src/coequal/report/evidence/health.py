"""Health of the runs: how their training went, whatever they score."""

from collections.abc import Mapping
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.health import (
    KINDS,
    NOT_WATCHED,
    count_health,
    fresh_runs,
    is_failure,
    watched,
)
from coequal.analysis.trials import STOPPED
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import count, full, setting_name
from coequal.report.table import (
    EMPTY,
    Cell,
    Heading,
    Record,
    Table,
    ends,
    name_cell,
    rate_cell,
    start,
)

HOW_TO_READ = (
    "The state of each trial of the search at its end, by rules over losses, gradients and "
    "images (docs/health.md of the project). The rules see no score and change none: choices and "
    "rankings do not depend on them. A failure is a trial that ended without a score, or one "
    "that has a score but looks bad; its rate is above Wilson's 95 % interval, which is over the "
    "draw of settings."
)

HOW_TO_READ_STOPPED = (
    " Trials that the study stops early (training.stop_on) end without a score because of these "
    "rules."
)


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    stops = any(
        t.status == STOPPED for m in summary.ranked for t in (*m.ended, *fresh_runs(m)) if m.ended
    )
    return HOW_TO_READ + (HOW_TO_READ_STOPPED if stops else "")


def table(summary: DataSummary) -> Table | None:
    """A row for each model: runs by verdict, and how often they fail; None if none was watched."""
    if not watched(summary):
        return None
    models = [model for model in summary.ranked if model.ended]
    counts = {model.name: count_health(model.ended) for model in models}
    kinds = [kind for kind in KINDS if any(count.kinds[kind] for count in counts.values())]
    again = any(fresh_runs(model) for model in models)
    rows: list[list[Cell]] = []
    records: list[Record] = []
    for model in models:
        of = counts[model.name]
        cells = [Cell(str(of.kinds[kind]) if of.kinds[kind] else EMPTY.text) for kind in kinds]
        parts = [Cell(str(of.runs)), *cells, Cell(str(of.without_score)), Cell(str(of.looks_bad))]
        rows.append([name_cell(model), *parts, rate_cell(of.failures, of.runs, of.interval)])
        record = start(summary, model) | {"trials": of.runs}
        record |= {kind.replace(" ", "_"): of.kinds[kind] for kind in kinds}
        record |= {"ended_without_score": of.without_score, "scored_but_looks_bad": of.looks_bad}
        record |= {"failure_rate": full(of.failures / of.runs)} | ends("failure_rate", of.interval)
        if again:
            more = count_health(fresh_runs(model))
            rows[-1].append(rate_cell(more.failures, more.runs, more.interval))
            record |= {"fresh_seeds": more.runs, "fresh_seeds_failed": more.failures}
        records.append(record)
    return Table(
        headings=[
            Heading("Model"),
            Heading("trials"),
            *(Heading(kind.replace("_", " ")) for kind in kinds),
            Heading("ended without a score"),
            Heading("ended with a score, but looks bad"),
            Heading("failures", "95 %"),
            *([Heading("failures of fresh seeds", "95 %")] if again else []),
        ],
        rows=rows,
        records=records,
        notes=_notes(summary, sum(counts[m.name].kinds[NOT_WATCHED] for m in models)),
    )


def health_trials(summary: DataSummary) -> list[Record]:
    """A row for each run that was watched, with what was seen."""
    return [
        start(summary, model)
        | {"setting": trial.number, "repeat": trial.repeat, "trial": trial.trial}
        | {"status": trial.status, "failure": int(is_failure(trial))}
        | seen_record(trial.health)
        for model in summary.models
        for trial in (*model.ended, *fresh_runs(model))
        if trial.health
    ]


def _notes(summary: DataSummary, unseen: int) -> list[str]:
    """What a reader must know: chosen settings that look bad, and runs that nobody watched."""
    notes = [
        f"{model.title}: {setting_name(chosen)}, which was chosen by its score, "
        f"looks bad: {chosen.verdict.replace('_', ' ')}{_comma(since(chosen.health['step']))}."
        for model in summary.ranked
        if (chosen := model.chosen) is not None and chosen.looks_bad and chosen.health
    ]
    if unseen:
        verb = "was" if unseen == 1 else "were"
        notes.append(
            f"{count(unseen, 'trial')} with a score {verb} not watched, and not counted as a "
            "failure."
        )
    return notes


def seen_record(health: Mapping[str, Any] | None) -> Record:
    """The verdict on a run, the step since when it holds, and the evidence, as columns."""
    found = health or {}
    step = found.get("step")
    said = {"verdict": found.get("verdict", ""), "step": "" if step is None else step}
    return said | {"evidence": found.get("evidence", "")}


def since(step: int | None) -> str:
    """The step since when a verdict holds, in words; empty without one."""
    return "" if step is None else f"since step {step:,}"


def _comma(text: str) -> str:
    return f", {text}" if text else ""


EVIDENCE = Evidence[DataSummary](
    name="health",
    place=260,
    title="Health",
    how_to_read=how_to_read,
    table=table,
    csv={"health_trials": health_trials},
)
