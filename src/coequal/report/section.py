"""What the page and the Markdown file show, in order: figures, tables, and refusals in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from coequal.analysis.across_datasets import overall
from coequal.analysis.summary import DataSummary
from coequal.analysis.transfer import transfers
from coequal.files import atomic_write
from coequal.report import methods_text as methods
from coequal.report import reading, verdict_text
from coequal.report.figures import together as together_figures
from coequal.report.figures.every import FIGURES
from coequal.report.image_grids import Row
from coequal.report.sample_sheets import Looks, Sheet
from coequal.report.style import as_pdf, as_svg, house_style, inline
from coequal.report.table import Table
from coequal.report.tables import together as together_tables
from coequal.report.tables.every import shown
from coequal.results.folder import file_name

ORDER = (
    "effects",
    "best_and_reruns",
    "other_metrics",
    "reruns",
    "distribution",
    "best_of_n",
    "bands",
    "cost",
    "ranks",
    "rank_flips",
    "defeats",
    "chances",
    "power",
    "rerun_pairs",
    "learning",
    "f1",
    "manifold_plane",
    "manifold_distance",
    "manifold_choice",
    "by_class",
    "confusion",
    "search",
    "variance",
    "sensitivity",
    "hyperparameters",
    "health",
    "health_settings",
    "unhealthy",
    "stopped_early",
)
"""The evidence on one data set, by the names of figures and tables."""


@dataclass(frozen=True)
class Drawn:
    """A figure on the page and in its files."""

    title: str
    read: str  # how to read it, in one sentence
    file: str  # name of its files, without an ending
    svg: Markup


@dataclass(frozen=True)
class Part:
    """One piece of evidence, or why there is none."""

    name: str
    title: str
    figure: Drawn | None = None
    table: Table | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Section:
    """Everything that is shown of one data set."""

    summary: DataSummary
    anchor: str
    parts: Sequence[Part]
    failures: Table | None
    rows: Sequence[Row]  # of images
    sheets: Sequence[Sheet]  # of more images
    methods: Sequence[tuple[str, str]]
    protocols: Sequence[tuple[str, str]]
    caveats: Sequence[str]
    tables: Mapping[str, Table]

    @property
    def without_images(self) -> list[str]:
        """The models that have no row of images."""
        there = {row.title for row in self.rows}
        return [model.label for model in self.summary.ranked if model.label not in there]


@dataclass(frozen=True)
class Together:
    """What is said over all data sets."""

    missing: Sequence[str]  # of the whole study; empty where it is finished
    figures: Mapping[str, Drawn]
    tables: Sequence[Table]
    refusals: Sequence[str]

    @property
    def shown(self) -> bool:
        """Whether there is anything."""
        return bool(self.figures or self.tables or self.refusals)


def section(
    summary: DataSummary,
    study: Mapping[str, Any],
    looks: Looks,
    target: Path,
) -> Section:
    """One data set; its figures are written to `target`."""
    anchor = file_name(summary.data)
    tables = shown(summary)
    figures = {
        name: draw(kind.draw, summary, target, f"{anchor}-{name}", kind.title(summary), kind.read)
        for name, kind in FIGURES.items()
    }
    parts = []
    for name in ORDER:
        figure, table = figures.get(name), tables.get(name)
        refusal = reading.refusal(summary, name)
        title = figure.title if figure else table.title if table else reading.TITLES.get(name, "")
        if figure or table or refusal:
            parts.append(Part(name, title, figure, table, refusal))
    return Section(
        summary=summary,
        anchor=anchor,
        parts=parts,
        failures=tables.get("failures"),
        rows=looks.rows,
        sheets=looks.sheets,
        methods=methods.methods(summary, study),
        protocols=methods.protocols(summary),
        caveats=methods.caveats(summary, study),
        tables=tables,
    )


def together(summaries: Sequence[DataSummary], study: Mapping[str, Any], target: Path) -> Together:
    """What is said over all data sets; its figure is written to `target`."""
    moved, normalised = transfers(summaries, study), overall(summaries, study)
    tables = [
        together_tables.transfer(moved, summaries),
        together_tables.overall(normalised, summaries),
    ]
    figures = {}
    if normalised is not None and normalised.profiles:
        found = normalised
        drawn = draw(
            lambda summary: together_figures.profile(found, summary.models),
            summaries[0],
            target,
            "all-profile",
            "Performance profile",
            reading.PROFILE,
        )
        if drawn is not None:
            figures["profile"] = drawn
    refusals = [normalised.refusal] if normalised is not None and normalised.refusal else []
    missing = [f"{s.data}: {text}" for s in summaries if (text := verdict_text.progress(s))]
    moving = methods.transfer_progress(moved)
    return Together(
        missing=[*missing, *([moving] if moving else [])],
        figures=figures,
        tables=[table for table in tables if table is not None],
        refusals=refusals,
    )


def draw(
    make: Callable[[DataSummary], Figure | None],
    summary: DataSummary,
    target: Path,
    file: str,
    title: str,
    read: str | Callable[[DataSummary], str],
) -> Drawn | None:
    """A figure as files and as an element of the page; None where there is nothing to draw."""
    with house_style():
        figure = make(summary)
        if figure is None:
            return None
        svg = as_svg(figure)
        figure.set_layout_engine("none")  # it has been laid out: once is enough
        atomic_write(target / f"{file}.svg", svg)
        atomic_write(target / f"{file}.pdf", as_pdf(figure))
    text = read if isinstance(read, str) else read(summary)
    return Drawn(title, text, file, Markup(inline(svg, file)))
