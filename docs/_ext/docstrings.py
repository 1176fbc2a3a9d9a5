"""Docstrings for autodoc: their signs mean themselves.

The package's docstrings are plain text with `names` in backticks, as editors show them; to
reStructuredText, `|x|` is a substitution, `*` emphasis and `x_` a link. Code and lists stay.
"""

import re
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"(``[^`]+``|`[^`]+`)")


def escaped(line: str) -> str:
    """A line of plain text as reStructuredText.

    Args:
        line: of a docstring, with its indentation.
    """
    parts = CODE.split(line)
    parts[::2] = [re.sub(r"([\\*|])|(?<=\w)(_)(?!\w)", r"\\\1\2", part) for part in parts[::2]]
    return "".join(parts)


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [line if line.lstrip().startswith("* ") else escaped(line) for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension, before napoleon reads the sections."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
