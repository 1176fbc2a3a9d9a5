"""Every metric of the chosen settings: a row for each model, and one for real images."""

import math
from statistics import fmean, stdev

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.estimates import estimate
from coequal.analysis.metric import NamedMetric
from coequal.analysis.model import ModelSummary
from coequal.formatting import capital, count, with_error
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.separation_text import leaders_sentence, separation_sentences
from coequal.reporting.table import Cell, Column, Table, name_cell, tabulate, value_cell

_OF_RERUNS = (
    ": mean ± standard deviation over the seeds of the re-runs, or the value of the search's run "
    "if there are none"
)
_OF_ONE_RUN = (
    " For a single run, s.e. is the standard error of its measurement, where known: over new "
    "images and, for classifiers, over their seeds, but not over training seeds."
)


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    return (
        "Test values of the chosen settings at the checkpoint where they are "
        f"judged{_OF_RERUNS if _rerun(summary) else ''}. Settings were chosen by "
        f"{summary.metric.label} alone, so the other columns do not compare searches. The row of "
        "real images (validation split) shows what a perfect generator would "
        f"score.{_OF_ONE_RUN if _one_run(summary) else ''}"
    )


def table(summary: DataSummary) -> Table | None:
    """What else was measured of the chosen settings; None if nothing was."""
    if not summary.other_metrics or not any(model.chosen for model in summary.models):
        return None
    metrics = [summary.metric, *summary.other_metrics]
    real = {m.name: (summary.reference.get("floor") or {}).get(m.name, math.nan) for m in metrics}
    models = [model for model in summary.ranked if model.chosen]
    rows = [None, *models] if any(map(math.isfinite, real.values())) else models
    columns = [
        Column("model", lambda m: m.name if m else "real images", "Model", cell=_name_cell),
        Column("setting", "chosen.number"),
        *(_column(metric, real[metric.name]) for metric in metrics),
        *(_error_column(metric.name) for metric in metrics),
    ]
    if _rerun(summary):
        columns.append(Column("reruns", lambda m: m and len(m.rerun_test_values)))
        for metric in metrics:
            columns += _rerun_columns(metric.name)
    notes = [leaders_sentence(summary), *separation_sentences(summary)]
    return tabulate(columns, rows, summary=summary, notes=[note for note in notes if note])


def _rerun(summary: DataSummary) -> bool:
    return any(model.rerun_test_values for model in summary.models)


def _one_run(summary: DataSummary) -> bool:
    """Whether a cell has the error of a single measurement."""
    found = [
        estimate(model, metric.name)
        for model in summary.models
        for metric in (summary.metric, *summary.other_metrics)
    ]
    return any(one is not None and one.runs == 1 and one.error is not None for one in found)


def _name_cell(model: ModelSummary | None) -> Cell:
    return name_cell(model) if model else Cell("Real images", "validation split")


def _column(metric: NamedMetric, real: float) -> Column:
    """A metric of a model's re-runs, or of its one run; for None of real images."""

    def value(model: ModelSummary | None) -> float:
        return model.test_values.get(metric.name, math.nan) if model else real

    def cell(model: ModelSummary | None) -> Cell:
        found = estimate(model, metric.name) if model else None
        if found is None:
            return value_cell(value(model))
        sd = stdev(_runs(model, metric.name)) if found.runs > 1 else None
        error = found.error if sd is None else sd
        runs = count(found.runs, "run")
        small = f"{runs}, s.e." if sd is None and error else runs
        return Cell(with_error(found.value, error), small, sort=found.value)

    return Column(metric.name, value, capital(metric.label), metric.better, cell=cell)


def _error_column(name: str) -> Column:
    """The standard error of the measurement of the chosen setting's own run, for the CSV file."""
    return Column(f"{name}_standard_error", lambda m: m.test_errors.get(name) if m else None)


def _rerun_columns(name: str) -> list[Column]:
    """Mean and standard deviation over the re-runs, for the CSV file."""

    def mean(model: ModelSummary | None) -> float | None:
        runs = _runs(model, name)
        return fmean(runs) if runs else None

    def deviation(model: ModelSummary | None) -> float | None:
        runs = _runs(model, name)
        return stdev(runs) if len(runs) > 1 else None

    return [Column(f"{name}_rerun_mean", mean), Column(f"{name}_rerun_sd", deviation)]


def _runs(model: ModelSummary | None, name: str) -> list[float]:
    values = model.rerun_test_values if model else ()
    return [value for run in values if math.isfinite(value := run.get(name, math.nan))]


EVIDENCE = Evidence[DataSummary](
    name="other_metrics",
    group=Group.METRICS,
    place=30,
    open=True,
    title="Every metric of the chosen settings",
    how_to_read=how_to_read,
    table=table,
)
