"""A figure as files and as an element of the page."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from matplotlib.figure import Figure

from coequal.files import atomic_write
from coequal.reporting.marks import plain
from coequal.reporting.style import as_marked_svg, as_pdf, inline


@dataclass(frozen=True)
class DrawnFigure:
    """A figure as it stands on the page.

    Attributes:
        file: the name of its files, without an ending.
        svg: the element of the page.
    """

    file: str
    svg: Markup

    @property
    def files(self) -> list[tuple[str, str]]:
        """What its files are, and their paths as seen from the page."""
        return [(kind, f"figures/{self.file}.{kind.lower()}") for kind in ("SVG", "PDF")]


def written(figure: Figure, path: Path) -> DrawnFigure:
    """Write a figure to `path` with the endings .svg and .pdf.

    Args:
        figure: drawn in the house style, which still holds.
        path: of its files, without an ending.
    """
    svg = as_marked_svg(figure)
    figure.set_layout_engine("none")  # it has been laid out: once is enough
    atomic_write(path.with_name(f"{path.name}.svg"), plain(svg))
    atomic_write(path.with_name(f"{path.name}.pdf"), as_pdf(figure))
    return DrawnFigure(path.name, Markup(inline(svg, path.name)))
