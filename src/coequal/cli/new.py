"""The command that begins a study file."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from coequal.cli import completion
from coequal.cli.command import CommandResult
from coequal.cli.options import short_path
from coequal.cli.printing import say

TEMPLATE = "_template.yaml"
"""Among the built-in studies; its name keeps it out of their list."""


def new(
    file: Annotated[
        Path, typer.Argument(help="Study file to write, as in my_study.yaml.", show_default=False)
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Copy this built-in study instead, as in demo.",
            autocompletion=completion.study_files,
        ),
    ] = None,
) -> CommandResult:
    """Write a commented study file to start from.

    Every field in it is explained, and the file is a study that `coequal check` accepts.
    """
    from coequal.study.document import study_path

    if file.exists():
        raise FileExistsError(f"{file} exists already; name another file")
    template = Path(str(files("coequal") / "studies" / TEMPLATE))
    text = (template if source is None else study_path(source)).read_text(encoding="utf-8")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")

    def show() -> None:
        say(f"study file: {short_path(file)}")
        say(f"to find out what it can decide: coequal check {short_path(file)}")

    return CommandResult({"study": str(short_path(file))}, show)
