"""The figures of a report one by one, each drawn when it is asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from matplotlib.figure import Figure as MatplotlibFigure

from coequal import lookup
from coequal.analysis.data_summary import DataSummary
from coequal.analysis.tiers import tiers
from coequal.files import atomic_write
from coequal.reporting.evidence._evidence import Evidence
from coequal.reporting.evidence._order import ON_DATA
from coequal.reporting.image_grids import sample_rows
from coequal.reporting.style import as_pdf, as_svg, house_style
from coequal.reporting.tiers import tiers_figure
from coequal.reporting.tiers_text import caption
from coequal.results.folder import RunFolder

__all__ = ["Figure", "Figures"]


@dataclass(frozen=True)
class Figure:
    """A figure of a run's report, which notebooks show.

    Attributes:
        name: the name of the evidence that it shows.
        title: its heading in the report.
        caption: how it is read.
        figure: the matplotlib figure.
    """

    name: str
    title: str
    caption: str
    figure: MatplotlibFigure

    @cached_property
    def svg(self) -> str:
        """The figure as the text of an SVG file."""
        with house_style():
            return as_svg(self.figure).decode()

    def save(self, path: str | Path) -> Path:
        """Write the figure to a file.

        Args:
            path: ends with .svg or .pdf.

        Returns:
            The path.

        Raises:
            ValueError: it ends otherwise.
        """
        path = Path(path)
        if path.suffix not in (".svg", ".pdf"):
            raise ValueError(f"a figure is written as .svg or .pdf, not as {path.name}")
        with house_style():
            content = self.svg.encode() if path.suffix == ".svg" else as_pdf(self.figure)
        atomic_write(path, content)
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Figure '{self.name}': {self.title}"


class Figures(Mapping[str, Figure]):
    """The figures of a run's report by the name of what they show; each is drawn once, when it is
    first asked for.

    "tiers" shows the models on the metric's axis with a few of their images. A figure of a study
    with several datasets is named "DATA/NAME".

    Args:
        folder: of the run, for the images of its models.
        summaries: one for each dataset.
    """

    def __init__(self, folder: RunFolder, summaries: Sequence[DataSummary]) -> None:
        several = len(summaries) > 1
        self._draws: dict[str, Callable[[str], Figure | None]] = {}
        for summary in summaries:
            before = f"{summary.data}/" if several else ""
            if not summary.ended:
                continue
            self._draws[f"{before}tiers"] = partial(_tiers, folder, summary)
            self._draws |= {
                before + piece.name: partial(_of_evidence, piece, summary)
                for piece in ON_DATA
                if piece.figure is not None and piece.shows(summary)
            }
        self._drawn: dict[str, Figure | None] = {}

    def __getitem__(self, name: str) -> Figure:
        if name not in self._draws or (found := self._draw(name)) is None:
            raise KeyError(lookup.unknown(name, list(self), "figure "))
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._draws and self._draw(str(name)) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._draws if self._draw(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Figures: {', '.join(self)}"

    def _draw(self, name: str) -> Figure | None:
        if name not in self._drawn:
            with house_style():
                self._drawn[name] = self._draws[name](name)
        return self._drawn[name]


def _of_evidence(piece: Evidence[DataSummary], summary: DataSummary, name: str) -> Figure | None:
    """The figure of a piece of evidence, if there is one."""
    figure = piece.figure(summary) if piece.figure else None
    title, caption = piece.title_for(summary), piece.how_to_read_for(summary)
    return None if figure is None else Figure(name, title, caption, figure)


def _tiers(folder: RunFolder, summary: DataSummary, name: str) -> Figure | None:
    """The picture that the report of a study without a base begins with."""
    found = tiers(summary)
    if all(standing.score is None for standing in found.standings):
        return None
    figure = tiers_figure(found, summary, sample_rows(folder, summary))
    return Figure(name, "Models in tiers", caption(found, summary), figure)
