"""What the commands share: options, where they print, how they name a path."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from coequal.results.folder import RunFolder

console = Console(highlight=False, emoji=False)
errors = Console(stderr=True, highlight=False, emoji=False)

StudyFile = Annotated[Path, typer.Argument(help="A study file.", show_default=False)]
RunPath = Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Where data sets lie or are put. Default: $COEQUAL_DATA, then the user's cache."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0, help="Processes, one core each. Default: one per core; 0: in this process."
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1 ...")]


def print_json(values: Any) -> None:
    """To the screen or a pipe, as it is."""
    sys.stdout.write(json.dumps(values, indent=1) + "\n")


def note(line: str) -> None:
    """Something that happened on the way, beside the output."""
    errors.print(line, markup=False, soft_wrap=True)


def run_folder(path: Path) -> "RunFolder":
    """The folder of a run that is there.

    Raises:
        FileNotFoundError, ValueError: it holds no study, or none that can be read.
    """
    from coequal.results.folder import RunFolder

    folder = RunFolder(path.resolve())
    folder.study()
    return folder


def shown(path: Path) -> Path:
    """A path as short as it can be said from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


def write_report(folder: "RunFolder", verdict: bool = True) -> None:
    """The page and the tables of a run, the verdict on the screen, and where both lie."""
    from coequal.analysis.summary import summarise
    from coequal.report.page import write_summaries
    from coequal.report.terminal import verdict_lines
    from coequal.results.results_csv import refresh_tables

    refresh_tables(folder, note)
    found = summarise(folder, note)
    page = write_summaries(folder, found)
    for line in verdict_lines(found) if verdict else ():
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"\nreport: {shown(page)}\nresults: {shown(folder.path / 'results.csv')}")
