"""The verdict as plain lines for a terminal."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import NONE, half_width, number
from coequal.reporting.growth_text import growth_sentences
from coequal.reporting.observed_text import lowest
from coequal.reporting.rerun_text import rerun_sentence
from coequal.reporting.setting_text import authors_outcome, score_text
from coequal.reporting.sure_text import anytime_sentence, how_sure
from coequal.reporting.verdict_text import (
    answers,
    joint_sentence,
    never_finished_sentences,
    progress,
)


def verdict_lines(summaries: Sequence[DataSummary], columns: int) -> list[str]:
    """The verdict over all datasets, then for each in a few sentences and a short table.

    Args:
        summaries: of the datasets.
        columns: that the tables may take; sentences are a line each, for the terminal to wrap.
    """
    lines = [*filter(None, (*never_finished_sentences(summaries), joint_sentence(summaries)))]
    for summary in summaries:
        if lines:
            lines.append("")
        if len(summaries) > 1:
            lines.append(f"== {summary.data} ==")
        sentences = (
            progress(summary),
            *map(str, answers(summary)),
            *map(str, how_sure(summary)),
            anytime_sentence(summary),
            *growth_sentences(summary),
            "" if len(answers(summary)) > 1 else rerun_sentence(summary),
            lowest(summary),
        )
        lines += [*filter(None, sentences), "", *_table(summary, columns)]
    return lines


def short_table(summary: DataSummary) -> list[list[str]]:
    """The models of a dataset with their best and their authors' settings, the best first.

    Args:
        summary: of the dataset.

    Returns:
        The headings, then a row for each model.
    """
    label = f"test {summary.metric.label}"
    columns: dict[str, Callable[[ModelSummary], str]] = {
        "model": lambda m: m.label,
        "settings": lambda m: f"{len(m.ended)}/{len(m.settings)}",
        f"best setting's\n{label}": score_text,
        f"authors'\n{label}": authors_outcome,
        "failures": lambda m: f"{len(m.failures)}/{len(m.ended)}",
        "re-runs": _rerun,
    }
    if not any(model.settings for model in summary.models):  # the authors' settings alone
        del columns["settings"], columns["failures"]
    if summary.rerun_phase is None:
        del columns["re-runs"]
    rows = [[value(model) for value in columns.values()] for model in summary.ranked]
    return [list(columns), *rows]


def _table(summary: DataSummary, width: int) -> list[str]:
    headings, *rows = short_table(summary)
    table = Table(box=None, pad_edge=False, header_style="")
    for place, name in enumerate(headings):
        table.add_column(Text(name), justify="right" if place else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(width=width, color_system=None)
    return [
        "".join(part.text for part in line).rstrip()
        for line in console.render_lines(table, pad=False)
    ]


def _rerun(model: ModelSummary) -> str:
    if model.rerun is None or model.rerun.numbers is None:
        return NONE
    numbers = model.rerun.numbers
    kind = "median" if numbers.collapsed else "IQM"
    failed = f", {numbers.failed}/{numbers.runs} failed" if numbers.failed else ""
    error = half_width(numbers.centre_interval) or numbers.sd
    return f"{kind} {number(numbers.centre, error)}{failed}"
