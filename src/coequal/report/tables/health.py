"""Health of the runs: what became of them while they trained, whatever they score."""

from collections.abc import Mapping
from typing import Any

from coequal.analysis.health import KINDS, UNSEEN, counted, fresh, is_failure, saved, watched
from coequal.analysis.summary import DataSummary
from coequal.analysis.trials import STOPPED
from coequal.report.formatting import count, full, percent, setting_name
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
    value_cell,
)
from coequal.report.tables.spread import first_of_each, which

READ = (
    "What each trial of the search looked like at its end, by rules over losses, gradients and "
    "images (docs/health.md of the project). The rules see no score and change none: who is chosen "
    "or ranked does not depend on them. A failure is a trial that ended without a score, or one "
    "that has a score and looks bad nevertheless; over their rate Wilson's 95 % interval, over the "
    "draw of settings."
)
GIVEN_UP = (
    " Trials that the study stops early (training.stop_on) end without a score because of what the "
    "rules say."
)


def health(summary: DataSummary) -> Table | None:
    """A row for each model: runs by verdict, and how often they fail; None if none was watched."""
    if not watched(summary):
        return None
    models = [model for model in summary.ranked if model.ended]
    found = {model.name: counted(model.ended) for model in models}
    kinds = [kind for kind in KINDS if any(count.kinds[kind] for count in found.values())]
    again = any(fresh(model) for model in models)
    stops = any(t.status == STOPPED for m in models for t in (*m.ended, *fresh(m)))
    rows: list[list[Cell]] = []
    records: list[Record] = []
    for model in models:
        of = found[model.name]
        cells = [Cell(str(of.kinds[kind]) if of.kinds[kind] else EMPTY.text) for kind in kinds]
        parts = [Cell(str(of.runs)), *cells, Cell(str(of.without_score)), Cell(str(of.looks_bad))]
        rows.append([name_cell(model), *parts, rate_cell(of.failures, of.runs, of.interval)])
        record = start(summary, model) | {"trials": of.runs}
        record |= {kind.replace(" ", "_"): of.kinds[kind] for kind in kinds}
        record |= {"ended_without_score": of.without_score, "scored_but_looks_bad": of.looks_bad}
        record |= {"failure_rate": full(of.failures / of.runs)} | ends("failure_rate", of.interval)
        if again:
            more = counted(fresh(model))
            rows[-1].append(rate_cell(more.failures, more.runs, more.interval))
            record |= {"fresh_seeds": more.runs, "fresh_seeds_failed": more.failures}
        records.append(record)
    return Table(
        name="health",
        title="Health",
        read=READ + (GIVEN_UP if stops else ""),
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
        notes=_notes(summary, sum(found[m.name].kinds[UNSEEN] for m in models)),
    )


def unhealthy(summary: DataSummary) -> Table | None:
    """Every run that has a score and looks bad nevertheless; None if there is none."""
    listed = [
        (model, trial)
        for model in summary.models
        for trial in (*model.ended, *fresh(model))
        if trial.looks_bad
    ]
    if not listed:
        return None
    first, left_out = first_of_each(listed, summary, "unhealthy")
    rows, records = [], []
    for model, trial in first:
        seen = trial.health or {}
        rows.append(
            [
                name_cell(model),
                Cell(which(trial), sort=trial.number),
                Cell(trial.verdict.replace("_", " ")),
                value_cell(trial.test),
                Cell(str(seen["evidence"]), _since(seen["step"])),
                Cell(trial.trial),
            ]
        )
    for model, trial in listed:
        about: Record = {"setting": trial.number, "repeat": trial.repeat, "trial": trial.trial}
        about |= {"test": full(trial.test)} | _seen(trial.health)
        records.append(start(summary, model) | about)
    return Table(
        name="unhealthy",
        title="Runs with a score that look bad",
        read="Every run whose score counts like any other, and what was seen at its end."
        + left_out,
        headings=[
            Heading("Model"),
            Heading("Setting", words=True),
            Heading("Verdict", words=True),
            Heading(f"test {summary.metric.label}"),
            Heading("What was seen", words=True),
            Heading("Trial", words=True),
        ],
        rows=rows,
        records=records,
    )


def stopped_early(summary: DataSummary) -> Table | None:
    """What the trials that were stopped early left of each model's budget; None without such."""
    found = {model.name: saved(model) for model in summary.ranked if model.ended}
    if not any(left.stopped for left in found.values()):
        return None
    rows, records = [], []
    for name, left in found.items():
        model = summary.model(name)
        unit = left.unit.replace("_", " ")
        rows.append(
            [
                name_cell(model),
                Cell(f"{left.stopped}/{left.runs}", sort=left.stopped),
                Cell(
                    f"{left.unspent:,g}",
                    f"of {left.budget:,g} {unit}",
                    sort=left.unspent,
                ),
                Cell(percent(left.share), sort=left.share),
            ]
        )
        about = {"runs": left.runs, "stopped_early": left.stopped, "unit": left.unit}
        spent = {"unspent": full(left.unspent), "budget": full(left.budget)}
        records.append(start(summary, model) | about | spent | {"share": full(left.share)})
    return Table(
        name="stopped_early",
        title="Stopped early",
        read=(
            "Trials that ended at a verdict that the study stops at (training.stop_on), and what "
            "they left of their budgets, fresh seeds among them. Each is a failure like one that "
            "diverged. Nothing of what is left is given to anybody else: no model gets more "
            "settings or a longer training for it."
        ),
        headings=[
            Heading("Model"),
            Heading("stopped early"),
            Heading("left unspent"),
            Heading("share of its whole budget"),
        ],
        rows=rows,
        records=records,
    )


def health_trials(summary: DataSummary) -> list[Record]:
    """A row for each run that was watched, with what was seen."""
    return [
        start(summary, model)
        | {"setting": trial.number, "repeat": trial.repeat, "trial": trial.trial}
        | {"status": trial.status, "failure": int(is_failure(trial))}
        | _seen(trial.health)
        for model in summary.models
        for trial in (*model.ended, *fresh(model))
        if trial.health
    ]


def _notes(summary: DataSummary, unseen: int) -> list[str]:
    """What a reader must know: chosen settings that look bad, and runs that nobody watched."""
    found = [
        f"{model.title}: {setting_name(chosen)}, which was chosen by its score, "
        f"looks bad: {chosen.verdict.replace('_', ' ')}{_comma(_since(chosen.health['step']))}."
        for model in summary.ranked
        if (chosen := model.chosen) is not None and chosen.looks_bad and chosen.health
    ]
    if unseen:
        verb = "was" if unseen == 1 else "were"
        found.append(
            f"{count(unseen, 'trial')} with a score {verb} not watched, and can only count as no "
            "failure."
        )
    return found


def _seen(health: Mapping[str, Any] | None) -> Record:
    found = health or {}
    step = found.get("step")
    said = {"verdict": found.get("verdict", ""), "step": "" if step is None else step}
    return said | {"evidence": found.get("evidence", "")}


def _since(step: int | None) -> str:
    return "" if step is None else f"since step {step:,}"


def _comma(text: str) -> str:
    return f", {text}" if text else ""
