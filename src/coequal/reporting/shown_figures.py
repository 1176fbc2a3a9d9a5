"""The figures of a report one by one, each drawn when it is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from matplotlib.figure import Figure as MatplotlibFigure

from coequal import lookup
from coequal.analysis.data_summary import DataSummary
from coequal.files import atomic_write
from coequal.reporting.evidence._order import ON_DATA
from coequal.reporting.style import as_pdf, as_svg, house_style


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

    A figure of a study with several datasets is named "DATA/NAME".

    Args:
        summaries: one for each dataset.
    """

    def __init__(self, summaries: Sequence[DataSummary]) -> None:
        several = len(summaries) > 1
        self._pieces = {
            f"{summary.data}/{piece.name}" if several else piece.name: (piece, summary)
            for summary in summaries
            if summary.ended
            for piece in ON_DATA
            if piece.figure is not None and piece.shows(summary)
        }
        self._drawn: dict[str, Figure | None] = {}

    def __getitem__(self, name: str) -> Figure:
        if name not in self._pieces or (found := self._draw(name)) is None:
            raise KeyError(lookup.unknown(name, list(self), "figure "))
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._pieces and self._draw(str(name)) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._pieces if self._draw(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Figures: {', '.join(self)}"

    def _draw(self, name: str) -> Figure | None:
        if name not in self._drawn:
            piece, summary = self._pieces[name]
            assert piece.figure is not None
            with house_style():
                figure = piece.figure(summary)
            title, caption = piece.title_for(summary), piece.how_to_read_for(summary)
            self._drawn[name] = None if figure is None else Figure(name, title, caption, figure)
        return self._drawn[name]
