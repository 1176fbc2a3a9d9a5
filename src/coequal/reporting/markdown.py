"""The report as one Markdown file: the verdict, the tables, the figures by link, the methods."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from coequal.reporting import verdict_text
from coequal.reporting.pieces import EvidencePart, PartGroup
from coequal.reporting.section import AcrossDatasets, Section
from coequal.reporting.table import Cell, Heading, Table


def markdown(
    study: Mapping[str, Any],
    sections: Sequence[Section],
    across: AcrossDatasets,
    provenance: Sequence[tuple[str, str]],
) -> str:
    """The whole report in short."""
    question = study.get("question") or "Which model is better?"
    blocks = [f"# {plain(str(study.get('study')))}", plain(str(question))]
    first = (*across.unfinished, *across.missing, across.joint)
    blocks += [f"**{plain(line)}**" for line in first if line]
    for section in sections:
        blocks += _section(section)
    for group in across.groups:
        blocks += [f"## {plain(group.title)}", *_pieces(group)]
    blocks.append("## Provenance")
    blocks.append("\n".join(f"- {plain(head)}: {plain(text)}" for head, text in provenance))
    blocks.append(
        "The full report is `index.html`. The files `tables/*.csv` hold the numbers to ten digits "
        "for programs; `tables/*.tex` hold the same tables for LaTeX."
    )
    return "\n\n".join(block for block in blocks if block) + "\n"


def plain(text: str) -> str:
    """Text in which nothing is taken for Markdown or HTML."""
    escaped = re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
    return escaped.replace("&", "&amp;")


def _section(section: Section) -> list[str]:
    summary = section.summary
    blocks = [f"## {plain(summary.data)}"]
    if missing := verdict_text.progress(summary):
        blocks.append(f"**Not finished: {plain(missing)}**")
    first = section.first
    blocks += [f"**{plain(str(answer))}**" for answer in first.answers]
    blocks.append(plain(first.note))
    if first.figure is not None:
        picture = f"figures/{first.figure.wide.file}.svg"
        blocks += [f"![{plain(first.figure.description)}]({picture})", plain(first.figure.caption)]
    lines = [*map(str, first.lines), *first.more]
    blocks.append("\n".join(f"- {plain(line)}" for line in lines))
    for group in section.groups:
        if not group.empty:
            blocks += [f"### {plain(group.title)}", *_pieces(group)]
    blocks.append("### Methods")
    blocks.append(
        "\n".join(f"- **{plain(head)}.** {plain(text)}" for head, text in section.methods)
    )
    blocks.append("### Departures and caveats")
    blocks.append("\n".join(f"- {plain(text)}" for text in section.caveats))
    return blocks


def _pieces(group: PartGroup) -> list[str]:
    omitted = [f"- *{plain(one.titles)}*: {plain(one.why)}" for one in group.omitted]
    return [*(block for part in group.parts for block in _part(part)), "\n".join(omitted)]


def _part(part: EvidencePart) -> list[str]:
    blocks = [f"#### {plain(part.title)}", plain(part.how_to_read)]
    if part.figure is not None:
        blocks.append(f"![{plain(part.title)}](figures/{part.figure.file}.svg)")
    if part.table is not None:
        blocks += _table(part.table)
    if part.refusal:
        blocks.append(plain(part.refusal))
    return blocks


def _table(table: Table) -> list[str]:
    head = [_heading(heading) for heading in table.headings]
    rule = [":--" if k == 0 or h.words else "--:" for k, h in enumerate(table.headings)]
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
    return [lines, *map(plain, table.notes)]


def _heading(heading: Heading) -> str:
    return plain(heading.text) + (f" ({plain(heading.small)})" if heading.small else "")


def _cell(cell: Cell) -> str:
    text = plain(cell.text + cell.mark)
    text = f"**{text}**" if cell.strong else text
    extra = "; ".join(part for part in (cell.small, cell.flag) if part)
    return f"{text} ({plain(extra)})" if extra else text
