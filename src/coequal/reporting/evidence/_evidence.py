"""What a piece of evidence is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from matplotlib.figure import Figure

from coequal.reporting.table import Record, Table

S = TypeVar("S")


class Group(Enum):
    """What a piece of evidence is about. A section shows its groups in this order, each under its
    value as a heading."""

    VERDICT = "Evidence on the verdict"
    SEARCH = "The search"
    RERUNS = "Re-runs"
    METRICS = "Metrics and measurement"
    TRAINING = "Training"
    SAMPLES = "Samples"
    HEALTH = "Health and failures"
    TOGETHER = "All datasets"
    """All datasets together: the functions of such a piece get a `StudySummary`."""


@dataclass(frozen=True)
class Evidence(Generic[S]):
    """One piece of evidence: what it shows, how it is read, and why it may be missing.

    Every function gets what was computed: `DataSummary` for one dataset, `StudySummary` for all of
    them together.

    Attributes:
        name: of the module, and of the files of its figure and its table.
        group: under which heading it stands.
        place: where it stands in its group: pieces are shown by rising places, with gaps between
            them for pieces to come.
        title: its heading. Lucic et al. 2018 is followed where the paper has the figure or table.
        how_to_read: tells a reader how to read it. Its first sentence is short and says what is
            shown; on the page the others are folded.
        open: whether it is unfolded at first, because it answers the study's question.
        figure: draws it; gives None if there is nothing to draw.
        in_numbers: what the figure shows in numbers, for readers who cannot see it: at the least
            its models with their values. None where the table says it.
        table: tabulates it; gives None if there is nothing to show.
        nothing: tells in one sentence why it has nothing to show, as for a search of one setting;
            then neither figure nor table is made, and the page has this sentence in their place.
            Gives "" if there is something, or if nobody would ask.
        refusal: tells why a part of it is missing, as the curve of one model; gives "" if none is.
            Like `nothing` it is asked of finished and half-finished searches alike.
        csv: the rows of CSV files that hold the numbers behind it, by the name of the file.
        wide: whether a paper has to give the figure both of its columns.
    """

    name: str
    group: Group
    place: int
    title: str | Callable[[S], str]
    how_to_read: str | Callable[[S], str]
    open: bool = False
    figure: Callable[[S], Figure | None] | None = None
    in_numbers: Callable[[S], str] | None = None
    table: Callable[[S], Table | None] | None = None
    nothing: Callable[[S], str] | None = None
    refusal: Callable[[S], str] | None = None
    csv: Mapping[str, Callable[[S], list[Record]]] = field(default_factory=dict)
    wide: bool = False

    def shows(self, summary: S) -> bool:
        """Whether it may have something to show."""
        return not (self.nothing and self.nothing(summary))

    def title_for(self, summary: S) -> str:
        """The heading, with the names of what was measured."""
        return self.title if isinstance(self.title, str) else self.title(summary)

    def how_to_read_for(self, summary: S) -> str:
        """The reading sentence, with the names and counts of what was measured."""
        return self.how_to_read if isinstance(self.how_to_read, str) else self.how_to_read(summary)
