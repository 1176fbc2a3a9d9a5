"""Every metric of the chosen settings: a row for each model, and one for real images."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.metric import NamedMetric
from coequal.analysis.model import ModelSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import capital, full, number
from coequal.report.table import (
    Cell,
    Heading,
    Record,
    Table,
    name_cell,
    start,
    value_cell,
)

_OF_RERUNS = (
    ": the mean of the re-runs, over their standard deviation (of seeds; none below two runs), or "
    "of the search's one run where there are none"
)


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    return (
        f"Test values where the chosen setting is judged{_OF_RERUNS if _rerun(summary) else ''}; "
        f"the setting was chosen by {summary.metric.label} alone, so the other columns are not a "
        "comparison of searches. Real images of the validation split score what a perfect "
        "generator would."
    )


def table(summary: DataSummary) -> Table | None:
    """What else was measured of the chosen settings; None if nothing was."""
    if not summary.other_metrics or not any(model.chosen for model in summary.models):
        return None
    metrics = [summary.metric, *summary.other_metrics]
    real = {m.name: (summary.reference.get("floor") or {}).get(m.name, math.nan) for m in metrics}
    rows: list[list[Cell]] = []
    records: list[Record] = []
    again = _rerun(summary)
    if any(math.isfinite(value) for value in real.values()):
        cells = [value_cell(value) for value in real.values()]
        rows.append([Cell("Real images", "validation split"), *cells])
        named_metrics = {name: full(value) for name, value in real.items()}
        about = {"data": summary.data, "metric": summary.metric.name, "model": "real images"}
        records.append({**about, "setting": "", **named_metrics})
    for model in summary.ranked:
        if model.chosen is None:
            continue
        cells = [_other(model, metric.name) for metric in metrics]
        rows.append([name_cell(model), *cells])
        values = {m.name: full(model.test_values.get(m.name, math.nan)) for m in metrics}
        record = start(summary, model) | {"setting": model.chosen.number} | values
        records.append(record | (_again(model, metrics) if again else {}))
    headings = [Heading("Model"), *(Heading(capital(m.label), m.better) for m in metrics)]
    return Table(
        headings=headings,
        rows=rows,
        records=records,
    )


def _rerun(summary: DataSummary) -> bool:
    return any(model.rerun_test_values for model in summary.models)


def _other(model: ModelSummary, name: str) -> Cell:
    """A metric of a model's re-runs, or of its one run."""
    runs = _runs(model, name)
    if not runs:
        return value_cell(model.test_values.get(name, math.nan))
    small = f"± {number(stdev(runs))}, {len(runs)} runs" if len(runs) > 1 else "1 run"
    return value_cell(fmean(runs), small)


def _runs(model: ModelSummary, name: str) -> list[float]:
    return [v for again in model.rerun_test_values if math.isfinite(v := again.get(name, math.nan))]


def _again(model: ModelSummary, metrics: Sequence[NamedMetric]) -> Record:
    """Mean and standard deviation over the re-runs, for the CSV file."""
    record: Record = {"reruns": len(model.rerun_test_values)}
    for metric in metrics:
        runs = _runs(model, metric.name)
        record[f"{metric.name}_rerun_mean"] = full(fmean(runs) if runs else math.nan)
        record[f"{metric.name}_rerun_sd"] = full(stdev(runs) if len(runs) > 1 else math.nan)
    return record


EVIDENCE = Evidence[DataSummary](
    name="other_metrics",
    place=30,
    title="Every metric of the chosen settings",
    how_to_read=how_to_read,
    table=table,
)
