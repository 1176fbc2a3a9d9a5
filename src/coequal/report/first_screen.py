"""What a reader sees first of a data set: the answer, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import count
from coequal.report import verdict_text
from coequal.report.image_grids import Row
from coequal.report.lead import LeadFigure, lead_figure
from coequal.report.separation_text import leaders_sentence, separation_sentences


@dataclass(frozen=True)
class FirstScreen:
    """The top of a data set's section.

    Attributes:
        data: the name of the data set.
        about: what was measured of it, and how far the study is.
        verdict: the answer in one sentence.
        note: what the verdict does not say; empty where it says everything.
        figure: the picture; None where no trial has ended.
        sure: how sure the verdict is, in sentences.
        facts: what was observed beside it, in sentences.
    """

    data: str
    about: Sequence[str]
    verdict: str
    note: str
    figure: LeadFigure | None
    sure: Sequence[str]
    facts: Sequence[str]


def first_screen(
    summary: DataSummary, rows: Sequence[Row], target: Path, anchor: str
) -> FirstScreen:
    """Assemble the top of a data set's section; its figure is written to `target`.

    Args:
        summary: the numbers of the data set.
        rows: real images, and samples of the models.
        target: the folder of the figures.
        anchor: the data set's name in names of files.
    """
    phase = summary.rerun_phase
    reruns = [f"{phase.ended} of {phase.planned} re-runs"] if phase else []
    return FirstScreen(
        data=summary.data,
        about=[
            count(len(summary.models), "model"),
            f"{summary.ended} of {summary.planned} trials of the search",
            *reruns,
            f"test {summary.metric.label}, {summary.metric.better}",
        ],
        verdict=verdict_text.verdict_sentence(summary),
        note=verdict_text.verdict_note(summary),
        figure=lead_figure(summary, rows, target, anchor),
        sure=verdict_text.how_sure(summary),
        facts=[
            *filter(None, [" ".join(separation_sentences(summary, most=1))]),
            *filter(None, [leaders_sentence(summary)]),
            *verdict_text.facts(summary),
        ],
    )
