"""What the page and the Markdown file show: the evidence with its titles and reading sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coequal.analysis.across_datasets import StudySummary
from coequal.analysis.data_summary import DataSummary
from coequal.files import file_name
from coequal.reporting import caveats_text, methods_text, verdict_text
from coequal.reporting.evidence._evidence import Group
from coequal.reporting.evidence._order import ACROSS_DATASETS, ON_DATA
from coequal.reporting.first_screen import FirstScreen, first_screen
from coequal.reporting.image_grids import Row
from coequal.reporting.pieces import EvidencePart, PartGroup, grouped, shown
from coequal.reporting.sample_sheets import SampleSheets, Sheet
from coequal.reporting.table import Record


@dataclass(frozen=True)
class Section:
    """Everything that is shown of one dataset.

    Attributes:
        summary: the numbers.
        anchor: the dataset's name in links and in names of files.
        first: what stands at its top.
        groups: the evidence, in the order of the page.
        records: the rows of the CSV files behind figures, by the name of the file.
        rows: images of each model's chosen setting.
        sheets: pictures with more images.
        methods: headings and texts on how it was done.
        protocols: metric and split, and how it was measured.
        caveats: sentences on what a reader must know.
    """

    summary: DataSummary
    anchor: str
    first: FirstScreen
    groups: Sequence[PartGroup]
    records: Mapping[str, Sequence[Record]]
    rows: Sequence[Row]
    sheets: Sequence[Sheet]
    methods: Sequence[tuple[str, str]]
    protocols: Sequence[tuple[str, str]]
    caveats: Sequence[str]

    @property
    def parts(self) -> list[EvidencePart]:
        """The evidence that shows something."""
        return list(shown(self.groups))

    @property
    def without_images(self) -> list[str]:
        """The models that have no row of images."""
        with_images = {row.title for row in self.rows}
        return [m.label for m in self.summary.ranked if m.label not in with_images]


@dataclass(frozen=True)
class AcrossDatasets:
    """Everything that is shown of all datasets together.

    Attributes:
        unfinished: sentences on models that never ran, or never finished a trial.
        missing: sentences on what the whole study lacks; empty once it is finished.
        joint: one sentence on all datasets together; empty for a study with one.
        groups: the evidence, in the order of the page.
    """

    unfinished: Sequence[str]
    missing: Sequence[str]
    joint: str
    groups: Sequence[PartGroup]

    @property
    def parts(self) -> list[EvidencePart]:
        """The evidence that shows something."""
        return list(shown(self.groups))


def section(
    summary: DataSummary,
    study: Mapping[str, Any],
    images: SampleSheets,
    target: Path,
) -> Section:
    """Assemble what is shown of one dataset.

    Args:
        summary: the numbers.
        study: with every default filled in.
        images: of its models.
        target: the folder to which the figures are written.
    """
    anchor = file_name(summary.data)
    records = {name: rows(summary) for piece in ON_DATA for name, rows in piece.csv.items()}
    first = first_screen(summary, images.rows, target, anchor)
    at_top = first.figure.evidence if first.figure else ""
    groups = grouped(ON_DATA, summary, target, anchor, records, at_top)
    return Section(
        summary=summary,
        anchor=anchor,
        first=first,
        groups=[
            one
            for one in groups
            if summary.ended and (not one.empty or (one.group is Group.SAMPLES and images.rows))
        ],
        records=records,
        rows=images.rows,
        sheets=images.sheets,
        methods=methods_text.methods(summary, study),
        protocols=caveats_text.protocols(summary),
        caveats=caveats_text.caveats(summary, study),
    )


def across_datasets(study: StudySummary, target: Path) -> AcrossDatasets:
    """Assemble what is shown of all datasets together; its figures are written to `target`."""
    groups = grouped(ACROSS_DATASETS, study, target, "all", {}) if study.datasets else []
    missing = [f"{s.data}: {text}" for s in study.datasets if (text := verdict_text.progress(s))]
    moving = caveats_text.transfer_progress(study.transfers)
    return AcrossDatasets(
        unfinished=verdict_text.never_finished_sentences(study.datasets),
        missing=[*missing, *([moving] if moving else [])],
        joint=verdict_text.joint_sentence(study.datasets),
        groups=[one for one in groups if not one.empty],
    )
