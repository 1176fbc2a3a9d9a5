"""Plain text of docstrings, as Markdown; tables."""

import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence

SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields")
CODE = re.compile(r"(``[^`]+``|`[^`]+`)")
PAPER = re.compile(r"arXiv:\s*(\d{4}\.\d{4,5})")
DOI = re.compile(r"doi:\s*(10\.\d{4,}/[^\s,;)]*[^\s,;).])")


def prose(text: str) -> str:
    """Text in one line or many, whose signs mean themselves, as Markdown; `code` stays code.

    Args:
        text: of a docstring or a message. arXiv numbers and DOIs become links.
    """
    parts = CODE.split(text)
    parts[::2] = [_escaped(part) for part in parts[::2]]
    return "".join(parts)


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = re.sub(r"([\\*_\[\]~|$])", r"\\\1", text)
    text = PAPER.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", text)
    return DOI.sub(lambda m: f"[doi:{m[1]}](https://doi.org/{m[1]})".replace("\\_", "_"), text)


def docstring(text: str | None, without: Sequence[str] = ()) -> str:
    """A docstring as Markdown: paragraphs, lists, code, and its sections with their entries.

    Args:
        text: in Google's style.
        without: sections to leave out: "Attributes" where a table has them.
    """
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(text or ""))
    found: list[str] = []
    for block in filter(None, blocks):
        title, _, body = block.partition("\n")
        if title.removesuffix(":") in SECTIONS and title.endswith(":"):
            if title[:-1] not in without:
                found.append(_section(title[:-1], textwrap.dedent(body)))
        else:
            found.append(_block(block))
    return "\n\n".join(found)


def _block(block: str) -> str:
    if block.startswith("    "):
        return f"```python\n{textwrap.dedent(block)}\n```"
    if re.match(r"\|.*\|\n\|-", block):  # a table
        return block
    if block.startswith("- "):
        items = re.split(r"\n(?=- )", block)
        return "\n".join(f"- {prose(' '.join(item[2:].split()))}" for item in items)
    return prose(" ".join(block.split()))


def _section(title: str, body: str) -> str:
    entries = re.split(r"\n(?=\S)", body)
    if title in ("Returns", "Yields"):
        return f"**{title}**: {prose(' '.join(body.split()))}"
    lines = []
    for entry in entries:
        names, _, meaning = " ".join(entry.split()).partition(": ")
        lines.append(f"- `{names}`: {prose(meaning)}")
    return f"**{title}**\n\n" + "\n".join(lines)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; columns that are empty in all rows are left out.

    Args:
        heads: of the columns.
        rows: cells that are Markdown already, without line breaks.
    """
    rows = [[_cell(cell) for cell in row] for row in rows]
    kept = [n for n in range(len(heads)) if n == 0 or any(row[n] for row in rows)]
    lines = [[heads[n] for n in kept], ["---"] * len(kept), *([r[n] for n in kept] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\|", " ".join(cell.split()))


def code(value: object) -> str:
    """A value as code, as a study file has it; nothing for nothing."""
    if value is None or value == "":
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def allowed(words: str) -> str:
    """What a setting may be, in the words of its messages, with choices as code."""
    return prose(re.sub(r"'([^']+)'", r"`\1`", words))


def anchor(name: str) -> str:
    """The anchor of a heading that is this name in code."""
    return re.sub(r"[^\w\- ]", "", name).replace(" ", "-").lower()
