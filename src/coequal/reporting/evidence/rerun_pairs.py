"""Which chosen settings differ, by their re-runs."""

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import p_value, probability
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._nothing import no_reruns
from coequal.reporting.rerun_text import rerun_sentence
from coequal.reporting.setting_text import setting_text
from coequal.reporting.table import Cell, Column, Table, model_column, rival_column, tabulate
from coequal.statistics.comparison import Difference


def how_to_read(summary: DataSummary) -> str:
    """What the re-runs say of the settings, and how a reader reads the table."""
    return (
        f"The chosen settings, compared by their re-runs. {rerun_sentence(summary)} Runs are "
        "compared by the exact Mann-Whitney test, clearest pair first. A difference is significant "
        "if its p-value, Holm-adjusted over all pairs, is at most 0.05."
    )


def table(summary: DataSummary) -> Table | None:
    """Which chosen settings differ, by their re-runs; None without such a comparison."""
    comparison = summary.rerun_verdict
    if comparison is None or not comparison.differences:
        return None
    notes = []
    if comparison.not_compared:
        left_out = ", ".join(summary.title(name) for name in comparison.not_compared)
        notes.append(f"Too few re-runs to compare: {left_out}.")
    columns = [
        model_column(summary, "better", "better", "Better"),
        Column("better_setting", lambda d: _number(summary, d.better), "with", show=setting_text),
        rival_column(summary, "worse", "Worse"),
        Column("worse_setting", lambda d: _number(summary, d.worse), "with", show=setting_text),
        Column("wins", "", "wins", "of pairs of runs", cell=_wins_cell),
        Column("p_value", "", "p-value", show=p_value),
        Column("adjusted_p", "adjusted", "adjusted p-value", show=p_value),
        Column("shown", lambda d: int(d.shown), "shown at 95 %", cell=_shown_cell),
    ]
    return tabulate(columns, comparison.differences, summary=summary, notes=notes)


def nothing(summary: DataSummary) -> str:
    """Why the chosen settings are not compared; empty for a study that compares other pairs."""
    if table(summary):
        return ""
    return rerun_sentence(summary) or no_reruns(summary)


def _number(summary: DataSummary, name: str) -> int | None:
    rerun = summary.model(name).rerun
    return None if rerun is None else rerun.setting


def _wins_cell(difference: Difference) -> Cell:
    return Cell(probability(difference.wins), sort=difference.wins)


def _shown_cell(difference: Difference) -> Cell:
    return Cell("yes" if difference.shown else "no", strong=difference.shown)


EVIDENCE = Evidence[DataSummary](
    name="rerun_pairs",
    group=Group.RERUNS,
    place=45,
    title="Differences between chosen settings",
    how_to_read=how_to_read,
    table=table,
    nothing=nothing,
)
