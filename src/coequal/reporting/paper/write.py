"""The folder of a paper: `main.tex`, which puts everything else together, and its parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from coequal.analysis.across_datasets import StudySummary, study_summary
from coequal.analysis.data_summary import DataSummary
from coequal.analysis.summary import summarise
from coequal.analysis.tiers import tiers
from coequal.files import atomic_write, file_name
from coequal.reporting.evidence._evidence import Evidence
from coequal.reporting.evidence._order import ACROSS_DATASETS, ON_DATA
from coequal.reporting.image_grids import sample_rows, sheet
from coequal.reporting.latex.table import floats, longtable
from coequal.reporting.latex.text import escape, label
from coequal.reporting.paper.bibliography import Citations
from coequal.reporting.paper.main_table import main_tables
from coequal.reporting.paper.methods import methods
from coequal.reporting.style import as_pdf, house_style
from coequal.reporting.templating import template
from coequal.reporting.tiers import tiers_figure
from coequal.reporting.tiers_text import caption as tiers_caption
from coequal.results.folder import RunFolder

COLUMN_INCHES, TEXT_INCHES = 3.3, 6.9
"""Of a paper with two columns on letter paper."""
POINTS = 8.0
"""Size of a figure's letters; its small ones have 6.7."""
MOST_MODELS_IN_A_COLUMN = 12
"""With more, every figure goes across both columns."""
CUT_INCHES = 0.03
"""What is cut off at a side of a figure and is nothing but a letter's blank edge."""
FIRST_LINE = "% Written by `coequal paper`"

S = TypeVar("S")


@dataclass(frozen=True)
class PaperFigure:
    """A figure in the document.

    Attributes:
        file: in the folder.
        caption: LaTeX.
        label: to refer to it by, after "fig:".
        wide: whether it goes across both columns.
    """

    file: str
    caption: str
    label: str
    wide: bool


def paper_place(folder: RunFolder, wanted: Path | None = None) -> Path:
    """The folder of a run's paper: the one that is wanted, else `report/paper` in that of the run,
    and `NAME_paper` beside a pack.

    Args:
        folder: of the run.
        wanted: by the user.

    Raises:
        FileExistsError: something else lies there.
    """
    if wanted is not None:
        place = wanted
    elif folder.pack is not None:
        place = folder.pack.with_name(f"{folder.pack.stem}_paper")
    else:
        place = folder.path / "report" / "paper"
    main = place / "main.tex"
    if place.is_file() or (
        place.exists()
        and any(place.iterdir())
        and not (main.is_file() and main.read_text(errors="replace").startswith(FIRST_LINE))
    ):
        raise FileExistsError(
            f"{place} exists and was not written by `coequal paper`; choose another folder with "
            "--out"
        )
    return place


def write_paper(
    folder: RunFolder,
    log: Callable[[str], None] = lambda line: None,
    into: Path | None = None,
) -> Path:
    """Write tables, figures, a paragraph on methods and references of a run, finished or not.

    The same results give the same bytes.

    Args:
        folder: of the run.
        log: is told if the index had to be brought up to date.
        into: the folder to write to; None: `paper_place` says it.

    Returns:
        The folder, whose `main.tex` is a document with everything.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError: see `coequal.analysis.summary.summarise`.
    """
    place = paper_place(folder) if into is None else into
    summaries, study = summarise(folder, log), folder.study()
    whole = study_summary(summaries, study)
    citations = Citations()
    paragraph = methods(summaries, study, citations)
    main = [floats(one.table, one.caption, one.name) for one in main_tables(summaries)]
    pictures = [p for summary in summaries for p in _pictures(folder, summary, place)]
    drawn = [
        figure
        for s in summaries
        for figure in _figures(ON_DATA, s, len(s.models), file_name(s.data), s.data, place)
    ]
    together: list[PaperFigure] = []
    if summaries:
        together = _figures(ACROSS_DATASETS, whole, len(summaries[0].models), "all", "", place)
    document = template("paper.txt.jinja").render(
        title=escape(str(study["study"]).replace("_", " ")),
        question=escape(str(study.get("question") or "")),
        figures=[*pictures, *drawn, *together],
        tables=_tables(whole, place),
        first_line=FIRST_LINE,
    )
    for name, text in (
        ("table.tex", "".join(main)),
        ("methods.tex", paragraph),
        ("references.bib", citations.bibtex()),
        ("main.tex", document),
    ):
        atomic_write(place / name, text.encode())
    return place


def _tables(whole: StudySummary, place: Path) -> list[str]:
    """Write every table of the report; the names of their files, in the order of the page."""
    names = []

    def write(evidence: Evidence[Any], summary: Any, anchor: str, data: str) -> None:
        table = evidence.table(summary) if evidence.table and evidence.shows(summary) else None
        if table is None:
            return
        name = f"{anchor}-{evidence.name}"
        caption = f"{evidence.title_for(summary)}{f', {data}' if data else ''}"
        text = longtable(table, caption, evidence.how_to_read_for(summary), name)
        atomic_write(place / "tables" / f"{name}.tex", text.encode())
        names.append(name)

    for summary in whole.datasets:
        for evidence in ON_DATA:
            write(evidence, summary, file_name(summary.data), summary.data)
    for across in ACROSS_DATASETS if whole.datasets else ():
        write(across, whole, "all", "")
    return names


def _figures(
    order: Sequence[Evidence[S]], summary: S, models: int, anchor: str, data: str, place: Path
) -> list[PaperFigure]:
    """Draw every figure of the report at the width that a paper has for it."""
    found = []
    for evidence in order:
        if evidence.figure is None or not evidence.shows(summary):
            continue
        wide = evidence.wide or models > MOST_MODELS_IN_A_COLUMN
        drawn = _drawn(evidence, summary, wide)
        if drawn is None:
            continue
        pdf, fits = drawn
        if not (wide or fits):
            wide = True
            drawn = _drawn(evidence, summary, wide)
            assert drawn is not None
            pdf, _ = drawn
        name = f"{anchor}-{evidence.name}"
        atomic_write(place / "figures" / f"{name}.pdf", pdf)
        title = f"{evidence.title_for(summary)}{f', {data}' if data else ''}. "
        caption = escape(title + evidence.how_to_read_for(summary))
        found.append(PaperFigure(f"figures/{name}.pdf", caption, label(name), wide))
    return found


def _drawn(evidence: Evidence[S], summary: S, wide: bool) -> tuple[bytes, bool] | None:
    """The figure as PDF at one of the two widths, and whether nothing of it is cut off at a side;
    None where there is none."""
    assert evidence.figure is not None
    with house_style(TEXT_INCHES if wide else COLUMN_INCHES, POINTS):
        figure = evidence.figure(summary)
        if figure is None:
            return None
        pdf = as_pdf(figure)
        drawn = figure.get_tightbbox()
    return pdf, drawn.x0 > -CUT_INCHES and drawn.x1 < figure.get_figwidth() + CUT_INCHES


def _pictures(folder: RunFolder, summary: DataSummary, place: Path) -> list[PaperFigure]:
    """The picture that leads the page, and images of every model's chosen setting."""
    rows, anchor, found = sample_rows(folder, summary), file_name(summary.data), []
    if summary.ended and not summary.rerun_comparison.effects:
        placed, wide = tiers(summary), len(summary.models) > MOST_MODELS_IN_A_COLUMN
        with house_style(TEXT_INCHES if wide else COLUMN_INCHES, POINTS):
            pdf = as_pdf(tiers_figure(placed, summary, ()))
        atomic_write(place / "figures" / f"{anchor}-tiers.pdf", pdf)
        text = escape(f"{summary.data}. {tiers_caption(placed, summary)}")
        file = f"figures/{anchor}-tiers.pdf"
        found.append(PaperFigure(file, text, f"{label(anchor)}-tiers", wide))
    if rows:
        atomic_write(place / "figures" / f"{anchor}-samples.png", sheet(rows))
        text = escape(
            f"Samples on {summary.data} from each model's chosen setting at the checkpoint where "
            "it is judged, from the same latents, without selection; real images on top."
        )
        file = f"figures/{anchor}-samples.png"
        found.append(PaperFigure(file, text, f"{label(anchor)}-samples", wide=True))
    return found
