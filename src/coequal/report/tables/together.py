"""Tables over all data sets: transfer of the best settings, and everything normalised."""

import math
from collections.abc import Mapping, Sequence

from coequal.analysis.across_datasets import Overall
from coequal.analysis.summary import DataSummary
from coequal.analysis.transfer import Transferred
from coequal.report.formatting import full, number
from coequal.report.table import EMPTY, Cell, Heading, Record, Table, ends, name_cell


def transfer(
    found: Mapping[str, Sequence[Transferred]], summaries: Sequence[DataSummary]
) -> Table | None:
    """How each data set's best setting does on the others; None for a study without transfer."""
    if not any(t.runs for listed in found.values() for t in listed if t.source != t.target):
        return None
    data = [summary.data for summary in summaries]
    rows, records = [], []
    for model in summaries[0].models:
        for source in data:
            listed = [t for t in found[model.name] if t.source == source]
            setting = listed[0].setting
            small = "no setting" if setting is None else f"setting {setting}"
            rows.append([name_cell(model), Cell(source, small), *map(_cell, listed)])
            records += [_record(t) for t in listed]
    label = summaries[0].metric.label
    return Table(
        name="transfer",
        title="Transfer",
        read=(
            f"Each row is one model's best setting on one data set (chosen there on validation); "
            f"the columns are its test {label} on every data set, the interquartile mean of fresh "
            "seeds with failures at the cap, and how many times the value of that data set's own "
            "best setting it is."
        ),
        headings=[
            Heading("Model"),
            Heading("best setting of", words=True),
            *(Heading(f"on {name}") for name in data),
        ],
        rows=rows,
        records=records,
        notes=["A value in brackets is the search's one run: there are no fresh seeds of it."],
    )


def overall(found: Overall | None, summaries: Sequence[DataSummary]) -> Table | None:
    """Every model over all data sets; None for a study with one, or without anything to say."""
    if found is None or not found.means:
        return None
    rows, records = [], []
    order = sorted(summaries[0].models, key=lambda m: _place(found, m.name))
    for model in order:
        mean = found.means.get(model.name)
        if mean is None:
            rows.append([name_cell(model), EMPTY])
            continue
        span = "" if mean.low is None else f"{number(mean.low)}–{number(mean.high)}"
        rows.append([name_cell(model), Cell(number(mean.value), span or mean.note, mean.value)])
        both = (mean.low, mean.high)
        row: Record = {"model": model.name, "runs": found.kind, "normalised_iqm": full(mean.value)}
        records.append(row | ends("normalised_iqm", both) | {"note": mean.note})
    return Table(
        name="overall",
        title="All data sets together",
        read=(
            f"Interquartile mean of the normalised scores of {found.kind}: 1 is the best possible "
            "score of a data set, 0 its cap or a failure; every data set weighs the same, and the "
            "interval is over the runs, not over the choice of data sets."
        ),
        headings=[Heading("Model"), Heading("normalised IQM", "95 %, stratified bootstrap")],
        rows=rows,
        records=records,
    )


def _place(found: Overall, name: str) -> tuple[float, str]:
    mean = found.means.get(name)
    return (math.inf if mean is None else -mean.value, name)


def _cell(found: Transferred) -> Cell:
    if math.isnan(found.iqm):
        waiting = found.planned and found.setting is not None
        return Cell("–", "no run yet") if waiting else EMPTY
    times = "" if math.isnan(found.ratio) else f"× {found.ratio:.2f}"
    home = found.source == found.target
    text = f"({number(found.iqm)})" if found.one_run else number(found.iqm)
    return Cell(text, "" if home else times, sort=found.iqm, strong=home)


def _record(found: Transferred) -> Record:
    return {
        "model": found.model,
        "source": found.source,
        "target": found.target,
        "setting": "" if found.setting is None else found.setting,
        "runs": len(found.runs),
        "failed": sum(run.failed for run in found.runs),
        "iqm": full(found.iqm),
        "search_run_only": int(found.one_run),
        "ratio_to_own_best": full(found.ratio),
    }
