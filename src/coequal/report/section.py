"""What the page and the Markdown file show: the evidence with its titles and reading sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from matplotlib.figure import Figure

from coequal.analysis.across_datasets import StudySummary
from coequal.analysis.data_summary import DataSummary
from coequal.files import file_name
from coequal.report import caveats_text, methods_text, verdict_text
from coequal.report.drawn import DrawnFigure, written
from coequal.report.evidence._evidence import Evidence
from coequal.report.evidence._order import ACROSS_DATASETS, AFTER_SAMPLES, BEFORE_SAMPLES
from coequal.report.first_screen import FirstScreen, first_screen
from coequal.report.image_grids import Row
from coequal.report.sample_sheets import SampleSheets, Sheet
from coequal.report.style import house_style
from coequal.report.table import Table

S = TypeVar("S")


@dataclass(frozen=True)
class EvidencePart:
    """One piece of evidence as it is shown, or why there is none.

    Attributes:
        name: of the evidence, and of the files of its table.
        title: its heading.
        how_to_read: the sentence below the heading; empty if nothing is shown.
        figure: the figure, if there is one.
        table: the table, if there is one.
        refusal: why something is missing; empty if nothing is.
    """

    name: str
    title: str
    how_to_read: str = ""
    figure: DrawnFigure | None = None
    table: Table | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Section:
    """Everything that is shown of one data set.

    Attributes:
        summary: the numbers.
        anchor: the data set's name in links and in names of files.
        first: what stands at its top.
        parts: the evidence, in the order of the page.
        last: the evidence that follows the samples.
        rows: images of each model's chosen setting.
        sheets: pictures with more images.
        methods: headings and texts on how it was done.
        protocols: metric and split, and how it was measured.
        caveats: sentences on what a reader must know.
    """

    summary: DataSummary
    anchor: str
    first: FirstScreen
    parts: Sequence[EvidencePart]
    last: Sequence[EvidencePart]
    rows: Sequence[Row]
    sheets: Sequence[Sheet]
    methods: Sequence[tuple[str, str]]
    protocols: Sequence[tuple[str, str]]
    caveats: Sequence[str]

    @property
    def without_images(self) -> list[str]:
        """The models that have no row of images."""
        with_images = {row.title for row in self.rows}
        return [m.label for m in self.summary.ranked if m.label not in with_images]


@dataclass(frozen=True)
class AcrossDatasets:
    """Everything that is shown of all data sets together.

    Attributes:
        unfinished: sentences on models that never ran, or never finished a trial.
        missing: sentences on what the whole study lacks; empty once it is finished.
        joint: one sentence on all data sets together; empty for a study with one.
        parts: the evidence, in the order of the page.
    """

    unfinished: Sequence[str]
    missing: Sequence[str]
    joint: str
    parts: Sequence[EvidencePart]


def section(
    summary: DataSummary,
    study: Mapping[str, Any],
    images: SampleSheets,
    target: Path,
) -> Section:
    """Assemble what is shown of one data set.

    Args:
        summary: the numbers.
        study: with every default filled in.
        images: of its models.
        target: the folder to which the figures are written.
    """
    anchor = file_name(summary.data)
    first = first_screen(summary, images.rows, target, anchor)
    parts = _parts(BEFORE_SAMPLES, summary, target, anchor, refuse=summary.ended > 0)
    if first.figure is not None:  # it stands at the top, and not a second time
        parts = [replace(p, figure=None) if p.name == first.figure.evidence else p for p in parts]
    return Section(
        summary=summary,
        anchor=anchor,
        first=first,
        parts=parts,
        last=_parts(AFTER_SAMPLES, summary, target, anchor),
        rows=images.rows,
        sheets=images.sheets,
        methods=methods_text.methods(summary, study),
        protocols=caveats_text.protocols(summary),
        caveats=caveats_text.caveats(summary, study),
    )


def across_datasets(study: StudySummary, target: Path) -> AcrossDatasets:
    """Assemble what is shown of all data sets together; its figures are written to `target`."""
    missing = [f"{s.data}: {text}" for s in study.datasets if (text := verdict_text.progress(s))]
    moving = caveats_text.transfer_progress(study.transfers)
    return AcrossDatasets(
        unfinished=verdict_text.never_finished_sentences(study.datasets),
        missing=[*missing, *([moving] if moving else [])],
        joint=verdict_text.joint_sentence(study.datasets),
        parts=_parts(ACROSS_DATASETS, study, target, "all") if study.datasets else [],
    )


def _parts(
    order: Sequence[Evidence[S]], summary: S, target: Path, anchor: str, *, refuse: bool = True
) -> list[EvidencePart]:
    """Every piece of evidence that there is, and every refusal if `refuse`."""
    parts = []
    for evidence in order:
        figure = _draw(evidence, summary, target / f"{anchor}-{evidence.name}")
        table = evidence.table(summary) if evidence.table else None
        refusal = evidence.refusal(summary) if evidence.refusal and refuse else ""
        if figure or table or refusal:
            shown = figure is not None or table is not None
            how_to_read = evidence.how_to_read_for(summary) if shown else ""
            title = evidence.title_for(summary)
            parts.append(EvidencePart(evidence.name, title, how_to_read, figure, table, refusal))
    return parts


def _draw(evidence: Evidence[S], summary: S, path: Path) -> DrawnFigure | None:
    """Write the figure to `path` with the endings .svg and .pdf; None if there is none."""
    if evidence.figure is None:
        return None
    with house_style():
        figure: Figure | None = evidence.figure(summary)
        if figure is None:
            return None
        return written(figure, path)
