"""The whole report: one self-contained page, one Markdown file, figures and tables.

No network, no torch, no date.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from markupsafe import Markup

from coequal import formatting
from coequal.analysis.across_datasets import study_summary
from coequal.analysis.data_summary import DataSummary
from coequal.analysis.source import Facts
from coequal.analysis.summary import summarise
from coequal.files import atomic_write
from coequal.reporting import caveats_text, verdict_text
from coequal.reporting.glossary import TERMS
from coequal.reporting.latex.table import longtable
from coequal.reporting.markdown import markdown
from coequal.reporting.marks import numbered
from coequal.reporting.pieces import EvidencePart
from coequal.reporting.sample_browser import PAGE_BYTES, SampleStrips, sample_strips
from coequal.reporting.sample_sheets import SampleSheets, sample_sheets
from coequal.reporting.section import AcrossDatasets, Section, across_datasets, section
from coequal.reporting.shared_styles import with_shared_styles
from coequal.reporting.style import (
    COLOURS,
    ON_DARK,
    variable,
    variables,
)
from coequal.reporting.table import Record, csv_record
from coequal.reporting.templating import template
from coequal.reporting.trial_table import TrialTable
from coequal.reporting.verdict_json import verdict_json
from coequal.results.folder import RunFolder
from coequal.results.results_csv import csv_text

NO_STRIPS = SampleStrips()
BROWSER = "<!-- samples of every setting -->"
"""Where on the page they stand, once it is known how much room is left for them."""
BROWSER_LINK = "<!-- link to samples of every setting -->"
LINK = '<li><a href="#browse-samples">Samples of every setting</a></li>'


def report_place(folder: RunFolder, wanted: Path | None = None) -> Path:
    """The folder of a run's report: the one that is wanted, else `report` in that of the run, and
    `NAME_report` beside a pack.

    Args:
        folder: of the run.
        wanted: by the user.

    Raises:
        FileExistsError: something that is no report lies there.
    """
    if wanted is not None:
        place = wanted
    elif folder.pack is not None:
        place = folder.pack.with_name(f"{folder.pack.stem}_report")
    else:
        return folder.path / "report"
    if place.is_file() or (
        place.exists() and any(place.iterdir()) and not (place / "index.html").exists()
    ):
        raise FileExistsError(
            f"{place} exists and is not a report; choose another folder with --out"
        )
    return place


def write_report(
    folder: RunFolder,
    log: Callable[[str], None] = lambda line: None,
    into: Path | None = None,
) -> Path:
    """Write the page, figures and tables of a run, finished or not; the path of the page.

    The same results give the same bytes.

    Args:
        folder: of the run.
        log: is told if the index had to be brought up to date.
        into: the folder to write to; None: `report_place` says it.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError: see `coequal.analysis.summary.summarise`.
    """
    return write_summaries(folder, summarise(folder, log), into)


def write_summaries(
    folder: RunFolder, summaries: Sequence[DataSummary], into: Path | None = None
) -> Path:
    """Write page, verdict, figures and tables from summaries that `summarise` computed.

    Args:
        folder: of the run, for the images of its models.
        summaries: one for each dataset.
        into: the folder to write to; None: `report_place` says it.
    """
    report = report_place(folder) if into is None else into
    sheets_by_data = {
        summary.data: sample_sheets(folder, summary, report / "figures") for summary in summaries
    }
    source = (folder.path / "study.yaml").read_text()
    strips = sample_strips(folder, summaries)
    return write_pages(report, folder.study(), source, summaries, sheets_by_data, strips)


def write_pages(
    report: Path,
    study: Mapping[str, Any],
    source: str,
    summaries: Sequence[DataSummary],
    sheets_by_data: Mapping[str, SampleSheets],
    strips: SampleStrips = NO_STRIPS,
) -> Path:
    """Write page, figures and tables from values, without a run's folder.

    Args:
        report: the folder to write to.
        study: with every default filled in.
        source: the study file, as it was read.
        summaries: one for each dataset.
        sheets_by_data: images of the models, by dataset.
        strips: a few images of many trials.
    """
    figures = report / "figures"
    sections = [
        section(summary, study, sheets_by_data.get(summary.data, SampleSheets()), figures)
        for summary in summaries
    ]
    whole = study_summary(summaries, study)
    across = across_datasets(whole, figures)
    _write_csv(report / "tables", sections, across)
    _write_latex(report / "tables", sections, across)
    atomic_write(report / "verdict.json", verdict_json(whole).encode())
    provenance = caveats_text.provenance(summaries[0].facts if summaries else Facts(), study)
    text = markdown(study, sections, across, provenance)
    atomic_write(report / "report.md", text.encode())
    trials = TrialTable(summaries)
    html = _html(study, source, sections, across, provenance, trials)
    html = numbered(html, trials.rows)
    browser = numbered(strips.html(trials, PAGE_BYTES - len(html)), trials.rows)
    html = html.replace(BROWSER, browser, 1).replace(BROWSER_LINK, LINK if browser else "", 1)
    atomic_write(report / "index.html", html.encode())
    return report / "index.html"


def _html(
    study: Mapping[str, Any],
    source: str,
    sections: Sequence[Section],
    across: AcrossDatasets,
    provenance: Sequence[tuple[str, str]],
    trials: TrialTable,
) -> str:
    html = template("page.html.jinja").render(
        study=study,
        source=source,
        sections=sections,
        across=across,
        provenance=provenance,
        trials=trials,
        words=formatting,
        glossary=TERMS,
        sentences=verdict_text,
        colour=variable,
        on_light=Markup(variables(COLOURS)),
        on_dark=Markup(variables(ON_DARK)),
    )
    return with_shared_styles(html)


def _write_csv(target: Path, sections: Sequence[Section], across: AcrossDatasets) -> None:
    """Write every table that is shown, and the numbers behind every figure, of all datasets."""
    files: dict[str, list[Record]] = {}
    for part in _parts(sections, across):
        if part.table is not None:
            files.setdefault(part.name, []).extend(part.table.records)
    for one in sections:
        for name, records in one.records.items():
            files.setdefault(name, []).extend(records)
    for name, rows in files.items():
        if rows:
            atomic_write(target / f"{name}.csv", csv_text(list(map(csv_record, rows))).encode())


def _write_latex(target: Path, sections: Sequence[Section], across: AcrossDatasets) -> None:
    captioned = [
        (part, f"{part.title}, {one.summary.data}") for one in sections for part in one.parts
    ]
    for part, caption in [*captioned, *((part, part.title) for part in across.parts)]:
        if part.table is not None:
            text = longtable(part.table, caption, part.how_to_read, part.anchor)
            atomic_write(target / f"{part.anchor}.tex", text.encode())


def _parts(sections: Sequence[Section], across: AcrossDatasets) -> Iterator[EvidencePart]:
    """Every piece that is shown, of all datasets."""
    return chain(*(one.parts for one in sections), across.parts)
