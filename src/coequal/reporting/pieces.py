"""Pieces of evidence as they are shown, under the headings of their groups."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from matplotlib.figure import Figure

from coequal.formatting import listed
from coequal.reporting.drawn import DrawnFigure, written
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.style import house_style
from coequal.reporting.table import Record, Table

S = TypeVar("S")


@dataclass(frozen=True)
class EvidencePart:
    """One piece of evidence as it is shown.

    Attributes:
        name: of the evidence, and of the files of its table.
        anchor: of links to it, and the name of the files of its figure and its LaTeX table.
        title: its heading.
        how_to_read: the sentences below the heading.
        open: whether it is unfolded at first.
        figure: the figure, if there is one.
        description: of the figure, for readers who cannot see it.
        table: the table, if there is one.
        refusal: why a part is missing; empty if none is.
        csv: names of further CSV files with its numbers, beside that of its table.
    """

    name: str
    anchor: str
    title: str
    how_to_read: str
    open: bool = False
    figure: DrawnFigure | None = None
    description: str = ""
    table: Table | None = None
    refusal: str = ""
    csv: Sequence[str] = ()

    @property
    def caption(self) -> str:
        """The first of the sentences below the heading."""
        return _SENTENCE.split(self.how_to_read, maxsplit=1)[0]

    @property
    def reading_help(self) -> str:
        """All sentences but the first; empty if there is one."""
        return self.how_to_read[len(self.caption) :].strip()

    @property
    def files(self) -> list[tuple[str, str]]:
        """What its files are, and their paths as seen from the page."""
        found = self.figure.files if self.figure else []
        if self.table is not None:
            if self.table.records:
                found.append(("CSV", f"tables/{self.name}.csv"))
            found.append(("LaTeX", f"tables/{self.anchor}.tex"))
        return [*found, *((f"{name}.csv", f"tables/{name}.csv") for name in self.csv)]


_SENTENCE = re.compile(r"(?<=[.?]) (?=[A-Z★×])")


@dataclass(frozen=True)
class Omitted:
    """Pieces that have nothing to show, for the same reason.

    Attributes:
        titles: of the pieces, as one enumeration.
        why: the reason, in one sentence.
    """

    titles: str
    why: str


@dataclass(frozen=True)
class PartGroup:
    """The pieces of one group.

    Attributes:
        group: which one.
        anchor: of links to its heading.
        parts: the pieces that show something, in the order of the page.
        omitted: the pieces that have nothing to show.
    """

    group: Group
    anchor: str
    parts: Sequence[EvidencePart]
    omitted: Sequence[Omitted]

    @property
    def title(self) -> str:
        """Its heading."""
        return self.group.value

    @property
    def empty(self) -> bool:
        """Whether the page has nothing to say under its heading."""
        return not self.parts and not self.omitted


def grouped(
    order: Sequence[Evidence[S]],
    summary: S,
    target: Path,
    anchor: str,
    records: Mapping[str, Sequence[Record]],
    at_top: str = "",
) -> list[PartGroup]:
    """The pieces under the headings of their groups: every group, also one that has none.

    Args:
        order: the pieces, in the order of the page.
        summary: the numbers.
        target: the folder to which the figures are written.
        anchor: of the whole section.
        records: the rows of further CSV files, by the name of the file.
        at_top: the piece whose figure stands at the top of the section, and not a second time.
    """
    groups = []
    for group in Group:
        parts, reasons = [], dict[str, list[str]]()
        for evidence in (piece for piece in order if piece.group is group):
            why = evidence.nothing(summary) if evidence.nothing else ""
            part = None if why else _part(evidence, summary, target, anchor, records, at_top)
            if part is not None:
                parts.append(part)
            elif why := why or (evidence.refusal(summary) if evidence.refusal else ""):
                reasons.setdefault(why, []).append(evidence.title_for(summary))
        omitted = [Omitted(listed(titles), why) for why, titles in reasons.items()]
        groups.append(PartGroup(group, f"{anchor}-{_slug(group)}", parts, omitted))
    return groups


def _part(
    evidence: Evidence[S],
    summary: S,
    target: Path,
    anchor: str,
    records: Mapping[str, Sequence[Record]],
    at_top: str,
) -> EvidencePart | None:
    """A piece with its figure drawn; None if it has neither figure nor table."""
    own = f"{anchor}-{evidence.name}"
    figure = None if evidence.name == at_top else _draw(evidence, summary, target / own)
    table = evidence.table(summary) if evidence.table else None
    if figure is None and table is None:
        return None
    title = evidence.title_for(summary)
    in_numbers = evidence.in_numbers(summary) if figure and evidence.in_numbers else ""
    return EvidencePart(
        name=evidence.name,
        anchor=own,
        title=title,
        description=f"{title}: {in_numbers}." if in_numbers else title,
        how_to_read=evidence.how_to_read_for(summary),
        open=evidence.open,
        figure=figure,
        table=table,
        refusal=evidence.refusal(summary) if evidence.refusal else "",
        csv=[name for name in evidence.csv if records.get(name)],
    )


def _draw(evidence: Evidence[S], summary: S, path: Path) -> DrawnFigure | None:
    """Write the figure to `path` with the endings .svg and .pdf; None if there is none."""
    if evidence.figure is None:
        return None
    with house_style():
        figure: Figure | None = evidence.figure(summary)
        return None if figure is None else written(figure, path)


def _slug(group: Group) -> str:
    """A heading in links. Its hyphens keep it apart from the names of pieces."""
    return "section-" + re.sub(r"[^a-z]+", "-", group.value.lower())


def shown(groups: Sequence[PartGroup]) -> Iterator[EvidencePart]:
    """The pieces of all groups that show something."""
    return (part for group in groups for part in group.parts)
