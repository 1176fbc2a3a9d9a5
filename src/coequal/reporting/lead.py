"""The picture of the first screen, in two widths: a forest plot of changes, or models in tiers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.tiers import tiers
from coequal.reporting.drawn import DrawnFigure, written
from coequal.reporting.evidence import effects
from coequal.reporting.forest import NARROW_INCHES, forest
from coequal.reporting.image_grids import Row
from coequal.reporting.style import house_style
from coequal.reporting.tiers import tiers_figure
from coequal.reporting.tiers_text import caption, description, meaning


@dataclass(frozen=True)
class LeadFigure:
    """The picture that leads a dataset's section.

    Attributes:
        evidence: name of the evidence that it belongs to.
        wide: as it stands on a wide page, and in papers.
        narrow: as it stands on a telephone.
        caption: how it is read.
        meaning: what it shows exactly; empty where the caption or the evidence says it.
        description: what it shows, for who can't see it.
    """

    evidence: str
    wide: DrawnFigure
    narrow: DrawnFigure
    caption: str
    meaning: str
    description: str

    @property
    def files(self) -> list[tuple[str, str]]:
        """What its files are, and their paths as seen from the page."""
        table = [("CSV", "tables/tiers.csv")] if self.evidence == "tiers" else []
        return [*self.wide.files, *table]


def lead_figure(
    summary: DataSummary, rows: Sequence[Row], target: Path, anchor: str
) -> LeadFigure | None:
    """Draw and write the picture; None where no trial has a score.

    A study that compares changes with one model each begins with them; any other with its models.

    Args:
        summary: of the dataset.
        rows: real images, and samples of the models.
        target: the folder of the figures.
        anchor: the dataset's name in names of files.
    """
    if not summary.ended:
        return None
    if summary.rerun_comparison.effects:
        wide, narrow = _drawn(lambda: forest(summary), target, f"{anchor}-effects")
        title = effects.EVIDENCE.title_for(summary)
        return LeadFigure("effects", wide, narrow, _of_changes(summary), "", title)
    found = tiers(summary)
    if all(standing.score is None for standing in found.standings):
        return None
    wide, narrow = _drawn(lambda: tiers_figure(found, summary, rows), target, f"{anchor}-tiers")
    words = (text(found, summary) for text in (caption, meaning, description))
    return LeadFigure("tiers", wide, narrow, *words)


def _drawn(
    draw: Callable[[], Figure | None], target: Path, name: str
) -> tuple[DrawnFigure, DrawnFigure]:
    """A figure in both widths."""
    drawn = []
    for inches, file in ((None, name), (NARROW_INCHES, f"{name}_narrow")):
        with house_style() if inches is None else house_style(inches):
            figure = draw()
            assert figure is not None
            drawn.append(written(figure, target / file))
    return drawn[0], drawn[1]


def _of_changes(summary: DataSummary) -> str:
    together = summary.rerun_comparison.comparisons
    jointly = f", jointly over all {together} comparisons" if together > 1 else ""
    return (
        f"Squares: change in test {summary.metric.label}. Lines: 95 % intervals{jointly}. Bold and "
        "in colour: significant. Pale bars: the smallest gain that these runs would most likely "
        "have shown."
    )
