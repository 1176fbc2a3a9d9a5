"""What a piece of evidence is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from matplotlib.figure import Figure

from coequal.report.table import Record, Table

S = TypeVar("S")


@dataclass(frozen=True)
class Evidence(Generic[S]):
    """One piece of evidence: what it shows, how it is read, and why it may be missing.

    Every function gets what was computed: `DataSummary` for one data set, `StudySummary` for all of
    them together.

    Attributes:
        name: of the module, and of the files of its figure and its table.
        place: where it stands on the page: pieces are shown by rising places, with gaps between
            them for pieces to come; those from 1000 on follow the samples.
        title: its heading. Lucic et al. 2018 is followed where the paper has the figure or table.
        how_to_read: tells a reader how to read it, in one sentence or two.
        figure: draws it; gives None if there is nothing to draw.
        table: tabulates it; gives None if there is nothing to show.
        refusal: tells why it is missing or incomplete; gives "" if it is not, or if nobody would
            ask. It is asked of finished and half-finished searches alike.
        csv: the rows of CSV files that hold the numbers behind it, by the name of the file.
        across_datasets: whether it is about all data sets together, and its functions get a
            `StudySummary`.
    """

    name: str
    place: int
    title: str | Callable[[S], str]
    how_to_read: str | Callable[[S], str]
    figure: Callable[[S], Figure | None] | None = None
    table: Callable[[S], Table | None] | None = None
    refusal: Callable[[S], str] | None = None
    csv: Mapping[str, Callable[[S], list[Record]]] = field(default_factory=dict)
    across_datasets: bool = False

    def title_for(self, summary: S) -> str:
        """The heading, with the names of what was measured."""
        return self.title if isinstance(self.title, str) else self.title(summary)

    def how_to_read_for(self, summary: S) -> str:
        """The reading sentence, with the names and counts of what was measured."""
        return self.how_to_read if isinstance(self.how_to_read, str) else self.how_to_read(summary)
