"""The site's table of contents: the sections and links of README.md, which is also what readers of
the folder see. A page that it does not link is a warning of Sphinx, and so fails the build."""

import re
from pathlib import Path

from sphinx.application import Sphinx

SECTION = re.compile(r"^## (?P<title>.+)\n(?P<body>(?:(?!^## ).*\n?)*)", re.MULTILINE)
PAGE = re.compile(r"^- \[[^]]*\]\((?P<page>[^)#]+)\.md\)", re.MULTILINE)
WITHOUT = "Where to start"  # the section for people: its pages stand in the others, too


def with_toctrees(text: str) -> str:
    """The front page with a hidden toctree for each of its sections that lists pages.

    Args:
        text: Markdown, in which `## Title` begins a section and `- [words](folder/page.md)` is an
            entry of its list.
    """
    trees = []
    for section in SECTION.finditer(text):
        pages = PAGE.findall(section["body"])
        if pages and section["title"] != WITHOUT:
            options = f":hidden:\n:caption: {section['title']}"
            trees.append(f"```{{toctree}}\n{options}\n\n" + "\n".join(pages) + "\n```")
    return "\n\n".join([text.rstrip(), *trees]) + "\n"


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname == app.config.root_doc:
        source[0] = with_toctrees(source[0])


def _index(app: Sphinx, error: Exception | None) -> None:
    """Let a folder of the site that is served, or opened, begin at the front page."""
    if error is None and app.builder.name == "html":
        page = app.builder.get_target_uri(app.config.root_doc)
        text = f'<!doctype html><meta charset="utf-8"><title>{app.config.project}</title>'
        text += f'<meta http-equiv="refresh" content="0; url={page}"><a href="{page}">{page}</a>\n'
        Path(app.outdir, "index.html").write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension."""
    app.connect("source-read", _read)
    app.connect("build-finished", _index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
