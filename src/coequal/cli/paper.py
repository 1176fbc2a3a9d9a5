"""The command that writes what a study gives a paper."""

from pathlib import Path
from typing import Annotated

import typer

from coequal.cli.command import CommandResult
from coequal.cli.options import RunPath, run_folder, short_path
from coequal.cli.printing import log_line, say


def paper(
    folder: RunPath,
    out: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Output folder. Default: report/paper in the run's folder, or NAME_paper "
                "beside a pack."
            )
        ),
    ] = None,
) -> CommandResult:
    """Write the LaTeX of a run for a paper.

    It has the main table, figures, methods, references and a document around them; the run may be
    unfinished.
    """
    from coequal.reporting.paper.write import paper_place, write_paper

    run = run_folder(folder)
    place = write_paper(run, log_line, paper_place(run, out))
    files = sorted(path for path in place.rglob("*") if path.is_file())
    values = {
        "paper": str(short_path(place)),
        "files": [path.relative_to(place).as_posix() for path in files],
    }

    def show() -> None:
        say(f"paper: {short_path(place / 'main.tex')}")
        say("to compile: pdflatex main; bibtex main; pdflatex main; pdflatex main")

    return CommandResult(values, show)
