"""The verdict as plain lines for a terminal, no wider than 100 columns."""

import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import NONE, number
from coequal.report.setting_text import outcome
from coequal.report.verdict_text import (
    lowest,
    power_sentence,
    progress,
    rerun_sentence,
    verdict_note,
    verdict_sentence,
)

MAX_COLUMNS = 100


def verdict_lines(summaries: Sequence[DataSummary]) -> list[str]:
    """The verdict in a few sentences and a short table, for each data set."""
    lines: list[str] = []
    for summary in summaries:
        if lines:
            lines.append("")
        if len(summaries) > 1:
            lines += textwrap.wrap(f"== {summary.data} ==", MAX_COLUMNS)
        sentences = (
            progress(summary),
            verdict_sentence(summary),
            verdict_note(summary),
            power_sentence(summary),
            rerun_sentence(summary),
            lowest(summary),
        )
        for sentence in sentences:
            lines += textwrap.wrap(sentence, MAX_COLUMNS, break_on_hyphens=False)
        lines += ["", *_table(summary)]
    return lines


def _table(summary: DataSummary) -> list[str]:
    label = f"test {summary.metric.label}"
    head = ("model", "settings", f"best setting's {label}", f"authors' {label}", "failures")
    again = summary.rerun_phase is not None
    table = Table(box=None, pad_edge=False, header_style="")
    for column, name in enumerate([*head, *(["re-runs"] if again else [])]):
        table.add_column(Text(name), justify="right" if column else "left")
    for model in summary.ranked:
        table.add_row(*map(Text, [*_row(model), *([_rerun(model)] if again else [])]))
    console = Console(width=MAX_COLUMNS, color_system=None)
    return [
        "".join(part.text for part in line).rstrip()
        for line in console.render_lines(table, pad=False)
    ]


def _row(model: ModelSummary) -> tuple[str, ...]:
    return (
        model.label,
        f"{len(model.ended)}/{len(model.settings)}",
        number(model.chosen.test) if model.chosen else NONE,
        outcome(model.authors),
        f"{len(model.failures)}/{len(model.ended)}",
    )


def _rerun(model: ModelSummary) -> str:
    if model.rerun is None or model.rerun.numbers is None:
        return NONE
    numbers = model.rerun.numbers
    kind = "median" if numbers.collapsed else "IQM"
    failed = f", {numbers.failed}/{numbers.runs} failed" if numbers.failed else ""
    return f"{kind} {number(numbers.centre)}{failed}"
