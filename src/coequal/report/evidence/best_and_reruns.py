"""The main table after Lucic et al. 2018, table 3: the best setting, and its re-runs."""

import math

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.reruns import RerunSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import NONE, full, number, setting_text
from coequal.report.table import (
    EMPTY,
    Cell,
    Heading,
    Record,
    Table,
    ends,
    interval_cell,
    name_cell,
    rate_cell,
    start,
    value_cell,
)
from coequal.statistics.reruns import MIN_RUNS, MIN_RUNS_FOR_CLAIM, Reruns

MARKS = (
    "Re-run mean ± sd: ± is the spread between seeds, not a standard error. * marks that at "
    "least one severe outlier (a failed run, or one more than 5 robust standard deviations above "
    "the median and worse than 1.5 times it) was excluded from mean ± sd; ** that a fifth of the "
    "runs or more was. Lucic et al. 2018 have the marks but not the rule; rule and thresholds "
    "are this project's. IQM and median are over all runs, failures at the cap."
)


def how_to_read(summary: DataSummary) -> str:
    """What the best setting's value is of, and what the re-runs add."""
    text = (
        f"Each model's best setting was chosen on validation; its test {summary.metric.label} in "
        f"the search comes from a single run ({summary.metric.better})"
    )
    if summary.rerun_phase is None:
        return f"{text}; there are no re-runs, so its variation between seeds is unknown."
    return (
        f"{text}, and the re-runs show its values with fresh seeds: the interquartile mean (IQM: "
        "the mean of the middle half) and its interval. A separate table below lists which "
        "chosen settings differ."
    )


def table(summary: DataSummary) -> Table | None:
    """Best value after the search, and re-runs of the setting that it chose."""
    if not summary.ended:
        return None
    reruns = summary.rerun_phase is not None
    headings = [
        Heading("Model"),
        Heading(f"Best {summary.metric.label} after the search", "chosen on validation, one run"),
    ]
    if reruns:
        headings += [
            Heading("Re-runs: mean ± sd", "runs kept of all"),
            Heading("IQM of re-runs", "95 %, Yuen"),
            Heading("Median of re-runs", "95 %, order statistics"),
            Heading("Failed re-runs", "95 %, Wilson"),
            Heading("Selection gap", "search − re-runs"),
        ]
    headings += [
        Heading("Failed settings", "95 %, Wilson"),
        Heading("Oracle", "not achievable", muted=True),
        Heading("Oracle gap", "chosen − oracle", muted=True),
    ]
    return Table(
        headings=headings,
        rows=[_row(summary, model, reruns) for model in summary.ranked],
        records=[_record(summary, model) for model in summary.ranked],
        notes=_notes(summary),
    )


def refusal(summary: DataSummary) -> str:
    """Why no interval over training seeds is given."""
    if summary.rerun_phase is not None:
        return ""
    return (
        "No interval over training seeds, and no mean ± sd: the study plans no re-runs "
        "(`reruns: {best: 1, seeds: 10}` in the study file)."
    )


def _row(summary: DataSummary, model: ModelSummary, reruns: bool) -> list[Cell]:
    chosen = model.chosen
    best = Cell("failed" if model.ended else NONE, strong=True)
    if chosen is not None:
        best = value_cell(chosen.test, setting_text(chosen.number), strong=not reruns)
    cells = [name_cell(model), best]
    if reruns:
        cells += _rerun_cells(model.rerun, None if chosen is None else chosen.number)
    failed = rate_cell(len(model.failures), len(model.ended), model.failure_interval)
    gap = math.nan if chosen is None else chosen.test - model.oracle
    return [*cells, failed, value_cell(model.oracle), value_cell(gap)]


def _rerun_cells(rerun: RerunSummary | None, searched: int | None) -> list[Cell]:
    if rerun is None or rerun.setting is None or not rerun.runs:
        return [EMPTY] * 5
    numbers = rerun.numbers
    if numbers is None:
        return [Cell("no cap declared"), EMPTY, EMPTY, EMPTY, EMPTY]
    kept = f"{numbers.kept} of {numbers.runs}"
    if rerun.setting != searched:  # seeds of their own chose among several settings
        kept += f"; setting {rerun.setting}, in the search {number(rerun.search)}"
    if numbers.mean is None:
        mean = Cell("no centre: most runs fail", kept)
    else:
        spread = "" if numbers.sd is None else f" ± {number(numbers.sd)}"
        text = f"{number(numbers.mean)}{spread}"
        mean = Cell(text, kept, sort=numbers.mean, mark=numbers.outliers.mark)
    gap = EMPTY
    if rerun.gap is not None:
        relative = rerun.gap.relative
        small = "" if relative is None else f"{100 * relative:+.1f} %"
        gap = value_cell(rerun.gap.difference, small)
    return [
        mean,
        _or_refused(numbers.iqm, numbers, numbers.headline == "iqm"),
        interval_cell(numbers.median, numbers.median_interval, strong=numbers.headline == "median")
        if numbers.median_interval
        else value_cell(numbers.median, "no interval below 6 runs"),
        rate_cell(numbers.failed, numbers.runs, numbers.failure_rate),
        gap,
    ]


def _or_refused(value: float, numbers: Reruns, strong: bool) -> Cell:
    if numbers.iqm_interval is None:
        return value_cell(value, f"no interval below {MIN_RUNS} runs")
    return interval_cell(value, numbers.iqm_interval, strong=strong)


def _notes(summary: DataSummary) -> list[str]:
    if summary.rerun_phase is None:
        return []
    notes = [MARKS]
    runs = [len(m.rerun.runs) for m in summary.models if m.rerun and m.rerun.runs]
    if runs and min(runs) < MIN_RUNS_FOR_CLAIM:
        notes.append(
            f"With fewer than {MIN_RUNS_FOR_CLAIM} re-runs an interval is a screening, not "
            f"a claim; with fewer than {MIN_RUNS} only the points are shown."
        )
    split = next((m.rerun for m in summary.models if m.rerun and m.rerun.chosen_by), None)
    if split is not None:
        notes.append(
            f"The best {len(split.candidates)} settings of each search were re-run: the first "
            f"{split.chosen_by} seeds of each chose among them by their validation median, and "
            "only the other seeds are reported."
        )
    return notes


def _record(summary: DataSummary, model: ModelSummary) -> Record:
    chosen = model.chosen
    row = start(summary, model) | {
        "settings_planned": len(model.settings),
        "settings_ended": len(model.ended),
        "failures": len(model.failures),
        **ends("failure_rate", model.failure_interval),
        "chosen_setting": chosen.number if chosen else "",
        "search_test": full(chosen.test) if chosen else "",
        "oracle_not_achievable": full(model.oracle),
    }
    rerun = model.rerun
    if rerun is None:
        return row
    row |= {
        "rerun_setting": "" if rerun.setting is None else rerun.setting,
        "rerun_candidates": " ".join(map(str, rerun.candidates)),
        "reruns_planned": rerun.planned,
        "reruns_ended": len(rerun.runs),
        "rerun_oracle_gap": full(rerun.oracle_gap),
    }
    numbers = rerun.numbers
    if numbers is None:
        return row
    return row | {
        "reruns_failed": numbers.failed,
        **ends("rerun_failure_rate", numbers.failure_rate),
        "reruns_kept": numbers.kept,
        "outlier_mark": numbers.outliers.mark,
        "rerun_mean": full(numbers.mean),
        "rerun_sd": full(numbers.sd),
        "rerun_iqm": full(numbers.iqm),
        **ends("rerun_iqm", numbers.iqm_interval),
        "rerun_median": full(numbers.median),
        **ends("rerun_median", numbers.median_interval),
        "selection_gap": full(rerun.gap.difference) if rerun.gap else "",
        "scale": numbers.scale,
    }


EVIDENCE = Evidence[DataSummary](
    name="best_and_reruns",
    place=20,
    title=lambda summary: f"Best {summary.metric.label} after the search, and re-runs",
    how_to_read=how_to_read,
    table=table,
    refusal=refusal,
)
