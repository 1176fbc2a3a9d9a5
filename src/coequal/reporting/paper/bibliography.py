"""The records of papers in `references.bib`, found by what parts say of their sources.

A part names its source once, in words: a model in `source` of its file, any other part in the
docstring of its module. Whatever an arXiv number, a DOI, or authors and a year stand for in these
words is looked up here.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from coequal import lookup
from coequal.reporting.latex.text import escape, label

NUMBER = re.compile(r"arXiv:\s*(\d{4}\.\d{4,5})|doi:\s*(10\.\d{4,}/[^\s,;)]*[^\s,;).])")
AUTHORS = re.compile(r"([A-Z]\w+(?:-\w+)?)(?: et al\.| and [A-Z]\w+(?:-\w+)?)?,? ((?:19|20)\d\d)\b")


@dataclass(frozen=True)
class Record:
    """One paper.

    Attributes:
        key: it is cited by.
        source: its BibTeX entry.
        numbers: its arXiv number and its DOI, as far as they are known.
    """

    key: str
    source: str
    numbers: tuple[str, ...]


@cache
def records() -> dict[str, Record]:
    """Every record of `references.bib`, by its key."""
    text = (files("coequal.reporting.paper") / "references.bib").read_text("utf-8")
    found = {}
    for entry in re.finditer(r"^@\w+\{(\w+),$.*?^\}$", text, re.MULTILINE | re.DOTALL):
        numbers = tuple(re.findall(r"^  (?:eprint|doi) = \{(.*)\},$", entry[0], re.MULTILINE))
        found[entry[1]] = Record(entry[1], entry[0], numbers)
    return found


def cited_in(words: str) -> list[str]:
    """The keys of the papers that a text names, in its order.

    Names and a year count where the record has no number: with a number, the text gives it, too.
    """
    by_number = {number: record.key for record in records().values() for number in record.numbers}
    without = {key for key, record in records().items() if not record.numbers}
    found = {m.start(): by_number.get(m[1] or m[2], "") for m in NUMBER.finditer(words)}
    found |= {
        m.start(): key
        for m in AUTHORS.finditer(words)
        if (key := f"{m[1].replace('-', '').lower()}{m[2]}") in without
    }
    return list(dict.fromkeys(key for _, key in sorted(found.items()) if key))


def unknown_numbers(words: str) -> list[str]:
    """arXiv numbers and DOIs in a text of which there is no record."""
    known = {number for record in records().values() for number in record.numbers}
    return [n for m in NUMBER.finditer(words) if (n := m[1] or m[2]) not in known]


@cache
def source_of(kind: str, name: str) -> str:
    """What a part of the package says of itself, in the docstring of its module; empty for a part
    from elsewhere.

    Args:
        kind: of part: the folder of the package that holds it, "metrics".
        name: of the part, with or without a variant: "inception:clean"; or of one of its numbers,
            which begins with the part's name: "fd_unbiased".
    """
    known = lookup.names(kind)
    part = name.partition(":")[0]
    while part and part not in known:
        part = part.rpartition("_")[0]
    if not part:
        return ""
    text = (files("coequal") / kind / f"{part}.py").read_text("utf-8")
    return ast.get_docstring(ast.parse(text)) or ""


class Citations:
    """The papers that a text has cited so far, in its order."""

    def __init__(self) -> None:
        self._cited: dict[str, str] = {}

    def of(self, words: str, name: str = "", *, most: int | None = None) -> str:
        """Cite the papers that a source in words names: "~\\cite{mao2017}"; empty without any.

        A source of which there is no record has one of its own, that holds the words alone.

        Args:
            words: the source.
            name: of what it is the source; "" for nothing that needs a record.
            most: cite no more than so many.
        """
        keys = cited_in(words)[:most]
        for key in keys:
            self._cited[key] = records()[key].source
        if name and words and (not keys or unknown_numbers(words)):
            key = f"source-{label(name)}"
            self._cited[key] = (
                f"@misc{{{key},\n  key = {{{label(name)}}},\n  note = {{{escape(words)}}},\n}}"
            )
            keys = [*keys, key]
        return rf"~\cite{{{','.join(keys)}}}" if keys else ""

    def key(self, *keys: str) -> str:
        """Cite records by their keys: "~\\cite{holm1979}"."""
        for key in keys:
            self._cited[key] = records()[key].source
        return rf"~\cite{{{','.join(keys)}}}"

    def bibtex(self) -> str:
        """A file with all that was cited, in order of the keys."""
        return "\n\n".join(_with_note(self._cited[key]) for key in sorted(self._cited)) + "\n"


def _with_note(entry: str) -> str:
    """The entry with its arXiv number where plain styles show it."""
    return re.sub(
        r"^  eprint = \{(.*)\},$",
        r"  note = {arXiv:\1},\n  eprint = {\1},\n  archiveprefix = {arXiv},",
        entry,
        flags=re.MULTILINE,
    )
