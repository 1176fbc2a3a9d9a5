"""What a reader sees first of a dataset: the answer, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import count
from coequal.reporting.image_grids import Row
from coequal.reporting.lead import LeadFigure, lead_figure
from coequal.reporting.observed_text import lowest, observed
from coequal.reporting.separation_text import other_metrics_in_short
from coequal.reporting.sure_text import Line, how_sure, more_on_how_sure
from coequal.reporting.verdict_text import (
    Answer,
    answers,
    short_verdict,
    verdict_note,
    verdict_sentence,
)


@dataclass(frozen=True)
class FirstScreen:
    """The top of a dataset's section.

    Attributes:
        data: the name of the dataset.
        about: what was measured of it, and how far the study is.
        answers: the answer, or one of the models as methods and one of their chosen settings.
        note: what the verdict does not say; empty where it says everything.
        figure: the picture; None where no model has a score.
        lines: how sure the verdict is, what it cost, what failed, and what other metrics say.
        more: everything else on how sure it is, and what was observed, in sentences.
    """

    data: str
    about: Sequence[str]
    answers: Sequence[Answer]
    note: str
    figure: LeadFigure | None
    lines: Sequence[Line]
    more: Sequence[str]

    @property
    def verdict(self) -> str:
        """The first answer alone."""
        return self.answers[0].text


def first_screen(
    summary: DataSummary, rows: Sequence[Row], target: Path, anchor: str
) -> FirstScreen:
    """Assemble the top of a dataset's section; its figure is written to `target`.

    Args:
        summary: the numbers of the dataset.
        rows: real images, and samples of the models.
        target: the folder of the figures.
        anchor: the dataset's name in names of files.
    """
    phase = summary.rerun_phase
    reruns = [f"{phase.ended} of {phase.planned} re-runs"] if phase else []
    figure = lead_figure(summary, rows, target, anchor)
    full = verdict_sentence(summary)
    more = [
        "" if short_verdict(summary) == full else full,
        *more_on_how_sure(summary),
        figure.meaning if figure else "",
        lowest(summary),
    ]
    metrics, sure = _metrics(summary), how_sure(summary)
    undecided = summary.verdict is None or not summary.verdict.could_separate
    return FirstScreen(
        data=summary.data,
        about=[
            count(len(summary.models), "model"),
            f"{summary.ended} of {summary.planned} trials of the search",
            *reruns,
            f"test {summary.metric.label}, {summary.metric.better}",
        ],
        answers=answers(summary),
        note=verdict_note(summary),
        figure=figure,
        # Where no model is shown to be better, what other metrics tell is the news.
        lines=[*metrics, *sure, *observed(summary)]
        if undecided
        else [*sure, *observed(summary), *metrics],
        more=[sentence for sentence in more if sentence],
    )


def _metrics(summary: DataSummary) -> list[Line]:
    """What separates models that the study's metric does not, and whether metrics agree."""
    text = other_metrics_in_short(summary)
    return [Line("Metrics", text)] if text else []
