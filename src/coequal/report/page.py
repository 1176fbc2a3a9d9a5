"""The whole report: one self-contained page, one Markdown file, figures and tables.

No network, no torch, no date.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from markupsafe import Markup

from coequal.analysis.source import Facts
from coequal.analysis.summary import DataSummary, summarise
from coequal.files import atomic_write, whole_text_file
from coequal.report import formatting, methods_text, verdict_text
from coequal.report.csv_tables import LONG, records
from coequal.report.latex import latex
from coequal.report.markdown import markdown
from coequal.report.sample_sheets import Looks, looks_of
from coequal.report.section import Section, Together, section, together
from coequal.report.style import (
    COLOURS,
    ON_DARK,
    variable,
    variables,
)
from coequal.report.templating import template
from coequal.results.folder import RunFolder
from coequal.results.results_csv import csv_text


def write_report(folder: RunFolder, log: Callable[[str], None] = lambda line: None) -> Path:
    """Write the page, figures and tables of a run, finished or not; the path of the page.

    The same results give the same bytes.

    Args:
        folder: of the run.
        log: is told if the index had to be brought up to date.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError: see `coequal.analysis.summary.summarise`.
    """
    return write_summaries(folder, summarise(folder, log))


def write_summaries(folder: RunFolder, found: Sequence[DataSummary]) -> Path:
    """The same from what `summarise` found."""
    report = folder.path / "report"
    looks = {summary.data: looks_of(folder, summary, report / "figures") for summary in found}
    source = (folder.path / "study.yaml").read_text()
    return write_pages(report, folder.study(), source, found, looks)


def write_pages(
    report: Path,
    study: Mapping[str, Any],
    source: str,
    summaries: Sequence[DataSummary],
    looks: Mapping[str, Looks],
) -> Path:
    """The same from what was read.

    Args:
        report: the folder to write to.
        study: with every default filled in.
        source: the study file, as it was read.
        summaries: one for each data set.
        looks: pictures by data set.
    """
    figures = report / "figures"
    sections = [
        section(summary, study, looks.get(summary.data, Looks()), figures) for summary in summaries
    ]
    everything = together(summaries, study, figures)
    _write_tables(report / "tables", summaries, sections, everything)
    provenance = methods_text.provenance(summaries[0].facts if summaries else Facts(), study)
    text = markdown(study, sections, everything, provenance)
    atomic_write(report / "report.md", text.encode())
    html = _html(study, source, sections, everything, provenance)
    atomic_write(report / "index.html", html.encode())
    return report / "index.html"


def _html(
    study: Mapping[str, Any],
    source: str,
    sections: Sequence[Section],
    everything: Together,
    provenance: Sequence[tuple[str, str]],
) -> str:
    return template("page.html.jinja").render(
        study=study,
        source=source,
        sections=sections,
        together=everything,
        provenance=provenance,
        words=formatting,
        sentences=verdict_text,
        colour=variable,
        on_light=Markup(variables(COLOURS)),
        on_dark=Markup(variables(ON_DARK)),
    )


def _write_tables(
    target: Path,
    summaries: Sequence[DataSummary],
    sections: Sequence[Section],
    everything: Together,
) -> None:
    by_data = [dict(found.tables) for found in sections]
    for name, rows in records(summaries, by_data, everything.tables).items():
        atomic_write(target / f"{name}.csv", csv_text(rows).encode())
    for name, (columns, make) in LONG.items():
        listed = (row for summary in summaries for row in make(summary))
        first = next(listed, None)
        if first is not None:
            with whole_text_file(target / f"{name}.csv") as written:
                csv.writer(written, lineterminator="\n").writerows(chain([columns, first], listed))
    for found in sections:
        for name, table in found.tables.items():
            file = f"{found.anchor}-{name}"
            atomic_write(target / f"{file}.tex", latex(table, file).encode())
    for table in everything.tables:
        atomic_write(target / f"{table.name}.tex", latex(table, table.name).encode())
