"""Replaces `<!-- generated: NAME -->` in a page by a text made of the package's own declarations.

The pages with these marks are in the repository; the texts never are. A mark is read anew at every
build, as the package may have changed.
"""

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

import command_pages
import gallery
import part_pages
import python_pages
import study_pages
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from coequal.cli.parts import KINDS

MARK = re.compile(r"^<!-- generated: (?P<name>.+) -->$", re.MULTILINE)

TEXTS: Mapping[str, Callable[[], str]] = {
    **{kind: partial(part_pages.text_of, kind) for kind in KINDS},
    "settings of all models": part_pages.settings_of_all_models,
    "study file": study_pages.text,
    "commands": command_pages.text,
    "exit codes": command_pages.exit_codes,
    "Python API": python_pages.calls,
    "shown values": partial(python_pages.classes_of, "coequal.reporting.shown_values"),
    "figures of a run": partial(python_pages.classes_of, "coequal.reporting.shown_figures"),
    "parts of a run": partial(python_pages.classes_of, "coequal.api.runs"),
    "contract": partial(python_pages.classes_of, "coequal.contract"),
    "checks": partial(python_pages.classes_of, "coequal.testing"),
    "gallery": gallery.text,
}


def with_texts(page: str) -> str:
    """A page of Markdown with the texts that its marks stand for.

    Raises:
        KeyError: no text has the name in a mark.
    """
    return MARK.sub(lambda mark: TEXTS[mark["name"]](), page)


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    if MARK.search(source[0]):
        source[0] = with_texts(source[0])
    if "<!-- generated: gallery -->" in Path(app.env.doc2path(docname)).read_text("utf-8"):
        gallery.publish(app.env, docname)


def _outdated(
    app: Sphinx,
    env: BuildEnvironment,
    added: Collection[str],
    changed: Collection[str],
    removed: Collection[str],
) -> list[str]:
    pages = set(env.found_docs) - set(added) - set(removed)
    return [n for n in pages if MARK.search(Path(env.doc2path(n)).read_text("utf-8"))]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension."""
    app.connect("source-read", _read)
    app.connect("env-get-outdated", _outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
