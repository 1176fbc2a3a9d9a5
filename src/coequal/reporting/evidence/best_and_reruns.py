"""The main table after Lucic et al. 2018, table 3: the best setting, and its re-runs."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import NONE, number, signed, with_error
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.setting_text import setting_text
from coequal.reporting.table import (
    EMPTY,
    Cell,
    Column,
    Rate,
    Table,
    interval_cell,
    model_column,
    rate_column,
    tabulate,
    value_cell,
    within,
)
from coequal.statistics.reruns import MIN_RUNS, MIN_RUNS_FOR_CLAIM, Reruns

MARKS = (
    "Re-run mean ± sd: ± is the spread between seeds, not a standard error. * means that mean ± sd "
    "excludes at least one severe outlier (a failed run, or one more than 5 robust standard "
    "deviations above the median and worse than 1.5 times the median); ** means that it excludes "
    "at least a fifth of the runs. The marks are those of Lucic et al. 2018; the rule behind them "
    "and its thresholds are coequal's. The IQM and the median use all runs: for the IQM, failures "
    "and runs worse than the cap count as the cap; for the median, failures rank worst and nothing "
    "is capped. The value to read first is bold: the median, whose interval is exact, if a run of "
    "the setting is an outlier or worse than the cap; otherwise the IQM."
)


def how_to_read(summary: DataSummary) -> str:
    """What the best setting's value is of, and what the re-runs add."""
    text = (
        f"Each model's best setting, chosen on validation, and its test {summary.metric.label} "
        f"({summary.metric.better}). The search's value comes from a single run"
    )
    if summary.rerun_phase is None:
        return f"{text}; there are no re-runs, so its variation between seeds is unknown."
    return (
        f"{text}. The re-runs repeat the setting with fresh seeds; the table gives their "
        "interquartile mean (IQM: the mean of the middle half, which is the middle six of ten "
        "runs), their median, and an interval for each."
    )


def table(summary: DataSummary) -> Table | None:
    """Best value after the search, and re-runs of the setting that it chose."""
    if not summary.ended:
        return None
    columns = _columns(summary)
    return tabulate(columns, summary.ranked, summary=summary, notes=_notes(summary))


def refusal(summary: DataSummary) -> str:
    """Why no interval over training seeds is given."""
    if summary.rerun_phase is not None:
        return ""
    return (
        "The study plans no re-runs, so there is no interval over training seeds and no mean ± sd "
        "(to add re-runs, write reruns: {best: 1, seeds: 10} in the study file)."
    )


def _columns(summary: DataSummary) -> list[Column]:
    reruns = summary.rerun_phase is not None
    best = f"Best {summary.metric.label} after the search", "chosen on validation, one run"

    def best_cell(model: ModelSummary) -> Cell:
        if model.chosen is None:
            return Cell("failed" if model.tried else NONE, strong=True)
        setting = setting_text(model.chosen.number)
        error = model.score_error()
        return value_cell(model.chosen.test, setting, error=error, strong=not reruns)

    return [
        model_column(summary),
        Column("settings_planned", lambda m: len(m.settings)),
        Column("settings_ended", lambda m: len(m.ended)),
        Column("chosen_setting", "chosen.number"),
        Column("search_test", "chosen.test", *best, cell=best_cell),
        *(RERUN_COLUMNS if reruns else ()),
        Column("failures", lambda m: len(m.failures)),
        rate_column("failure_rate", "Failed settings", _failure_rate, "95 %, Wilson"),
        Column(
            *("oracle_not_achievable", "oracle", "Oracle", "not achievable"),
            cell=lambda m: value_cell(m.oracle, error=m.score_error()),
            muted=True,
        ),
        Column("", "", "Oracle gap", "chosen − oracle", cell=_oracle_gap_cell, muted=True),
    ]


def _failure_rate(model: ModelSummary) -> Rate:
    return len(model.failures), len(model.ended), model.failure_interval


def _oracle_gap_cell(model: ModelSummary) -> Cell:
    gap = None if model.chosen is None else model.chosen.test - model.oracle
    return value_cell(gap, error=model.score_error())


def _mean_cell(model: ModelSummary) -> Cell:
    rerun = model.rerun
    if rerun is None or rerun.setting is None or not rerun.runs:
        return EMPTY
    numbers = rerun.numbers
    if numbers is None:
        return Cell("no cap declared")
    kept = f"{numbers.kept} of {numbers.runs}"
    if model.chosen is None or rerun.setting != model.chosen.number:
        # Seeds of their own chose among several settings.
        kept += f"; setting {rerun.setting}, in the search {number(rerun.search, numbers.sd)}"
    if numbers.mean is None:
        return Cell("no centre: most runs fail", kept)
    text = with_error(numbers.mean, numbers.sd)
    return Cell(text, kept, sort=numbers.mean, mark=numbers.outliers.mark)


def _iqm_cell(numbers: Reruns) -> Cell:
    if numbers.at_cap:
        return Cell("at the cap or worse", sort=numbers.iqm)
    if numbers.iqm_interval is None:
        few = numbers.runs < MIN_RUNS
        why = f"below {MIN_RUNS} runs" if few else "without spread in the middle half"
        return value_cell(numbers.iqm, f"no interval {why}", error=numbers.sd)
    return interval_cell(numbers.iqm, numbers.iqm_interval, strong=numbers.headline == "iqm")


def _median_cell(numbers: Reruns) -> Cell:
    if numbers.median_interval is None:
        return value_cell(numbers.median, "no interval below 6 runs", error=numbers.sd)
    strong = numbers.headline == "median"
    return interval_cell(numbers.median, numbers.median_interval, strong=strong)


def _failed_reruns(numbers: Reruns) -> Rate:
    return numbers.failed, numbers.runs, numbers.failure_rate


def _gap_cell(model: ModelSummary) -> Cell:
    gap = model.rerun.gap if model.rerun else None
    if gap is None:
        return EMPTY
    error, relative = model.score_error(), ""
    if gap.relative is not None:
        per_cent = None if error is None else 100 * error / abs(gap.rerun)
        relative = f"{signed(100 * gap.relative, per_cent)} %"
    return value_cell(gap.difference, relative, error=error)


IQM = "IQM of re-runs", "95 %, Yuen"
MEDIAN = "Median of re-runs", "95 %, order statistics"

RERUN_COLUMNS = (
    Column("rerun_setting", "rerun.setting"),
    Column("rerun_candidates", lambda m: m.rerun and " ".join(map(str, m.rerun.candidates))),
    Column("reruns_planned", "rerun.planned"),
    Column("reruns_ended", lambda m: m.rerun and len(m.rerun.runs)),
    Column("rerun_oracle_gap", "rerun.oracle_gap"),
    Column("", "rerun.numbers", "Re-runs: mean ± sd", "runs kept of all", cell=_mean_cell),
    *within(
        "rerun.numbers",
        Column("reruns_kept", "kept"),
        Column("outlier_mark", "outliers.mark"),
        Column("rerun_mean", "mean"),
        Column("rerun_sd", "sd"),
        Column("scale"),
        Column("rerun_iqm", "iqm", *IQM, cell=_iqm_cell, ends="iqm_interval"),
        Column("rerun_median", "median", *MEDIAN, cell=_median_cell, ends="median_interval"),
        Column("reruns_failed", "failed"),
        rate_column("rerun_failure_rate", "Failed re-runs", _failed_reruns, "95 %, Wilson"),
    ),
    Column(
        *("selection_gap", "rerun.gap.difference", "Selection gap", "search − re-runs"),
        cell=_gap_cell,
    ),
)


def _notes(summary: DataSummary) -> list[str]:
    if summary.rerun_phase is None:
        return []
    notes = [MARKS]
    runs = [len(m.rerun.runs) for m in summary.models if m.rerun and m.rerun.runs]
    if runs and min(runs) < MIN_RUNS_FOR_CLAIM:
        notes.append(
            f"With fewer than {MIN_RUNS_FOR_CLAIM} re-runs, an interval is a screening and not a "
            f"claim; with fewer than {MIN_RUNS}, only the points are shown."
        )
    split = next((m.rerun for m in summary.models if m.rerun and m.rerun.chosen_by), None)
    if split is not None:
        notes.append(
            f"The best {len(split.candidates)} settings of each search were re-run. The first "
            f"{split.chosen_by} seeds of each served to choose between them, by median validation "
            "score; only the other seeds are reported."
        )
    return notes


EVIDENCE = Evidence[DataSummary](
    name="best_and_reruns",
    group=Group.VERDICT,
    place=20,
    open=True,
    title=lambda summary: f"Best {summary.metric.label} after the search, and re-runs",
    how_to_read=how_to_read,
    table=table,
    refusal=refusal,
)
