"""A run as a fragment of HTML for notebooks: verdict, table and samples, and nothing to load."""

from collections.abc import Sequence
from dataclasses import dataclass

from coequal.analysis.data_summary import DataSummary
from coequal.reporting.image_grids import Row, sample_rows
from coequal.reporting.sure_text import how_sure
from coequal.reporting.templating import template
from coequal.reporting.terminal import short_table
from coequal.reporting.verdict_text import (
    answers,
    joint_sentence,
    never_finished_sentences,
    progress,
)
from coequal.results.folder import RunFolder


@dataclass(frozen=True)
class _Section:
    """What is shown of one dataset: its verdict, the table with its headings, rows of images."""

    data: str
    verdict: Sequence[str]
    table: Sequence[Sequence[str]]
    rows: Sequence[Row]


def run_fragment(
    folder: RunFolder, summaries: Sequence[DataSummary], title: str, notes: Sequence[str] = ()
) -> str:
    """The verdict, a short table and the samples of a run, as HTML that a notebook shows.

    Args:
        folder: of the run, for the images.
        summaries: one for each dataset.
        title: stands at the top.
        notes: sentences below the title.
    """
    sentences = [*notes, *never_finished_sentences(summaries), joint_sentence(summaries)]
    return template("run_fragment.html.jinja").render(
        title=title,
        place=str(folder.place),
        sentences=[sentence for sentence in sentences if sentence],
        sections=[_section(folder, summary) for summary in summaries],
    )


def _section(folder: RunFolder, summary: DataSummary) -> _Section:
    compared = len(summary.models) > 1
    verdict = [*map(str, answers(summary)), *map(str, how_sure(summary))] if compared else []
    return _Section(
        summary.data,
        [sentence for sentence in (progress(summary), *verdict) if sentence],
        short_table(summary),
        sample_rows(folder, summary),
    )
