"""The papers that parts come from, out of the bibliography that `coequal paper` cites by."""

import re
import unicodedata

from coequal.reporting.paper.bibliography import cited_in, records

COMBINING = {'"': "\N{COMBINING DIAERESIS}", "'": "\N{COMBINING ACUTE ACCENT}"}
COMBINING |= {"`": "\N{COMBINING GRAVE ACCENT}", "^": "\N{COMBINING CIRCUMFLEX ACCENT}"}


def papers_in(words: str) -> str:
    """The papers that a text names, as a list of Markdown; empty without any.

    Args:
        words: a source: arXiv numbers, DOIs, authors and years.
    """
    return "\n".join(f"- {_reference(records()[key].source)}" for key in cited_in(words))


def _reference(entry: str) -> str:
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, re.MULTILINE))
    fields = {name: _plain(value) for name, value in fields.items()}
    names = [name.partition(",")[0] for name in fields["author"].split(" and ")]
    authors = ", ".join(names[:3]) + (" et al." if len(names) > 3 else "")
    place = fields.get("booktitle") or fields.get("journal") or fields.get("publisher") or ""
    where = ", ".join(filter(None, (place, fields.get("year", ""))))
    links = []
    if number := fields.get("eprint"):
        links.append(f"[arXiv:{number}](https://arxiv.org/abs/{number})")
    if doi := fields.get("doi"):
        links.append(f"[doi:{doi}](https://doi.org/{doi})")
    return f"{authors}: *{fields['title']}*. {where}. {', '.join(links)}".strip()


def _plain(value: str) -> str:
    """BibTeX as text."""
    value = re.sub(r"\\([\"'`^])\{?(\w)\}?", lambda m: m[2] + COMBINING[m[1]], value)
    value = value.replace("\\l", "ł").replace("\\&", "&amp;").replace("--", "–")
    return unicodedata.normalize("NFC", value.replace("{", "").replace("}", ""))
