"""What the shell offers for an argument or an option when the Tab key is pressed.

Names are those of files, so that nothing of a part is imported: a key press answers in the time in
which the program starts.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from coequal import lookup

if TYPE_CHECKING:
    from coequal.results.folder import RunFolder

Completion = Callable[[str], list[str]]


def one_of(words: Iterable[str]) -> Completion:
    """Complete one of some words."""
    return lambda incomplete: _beginning(words, incomplete)


def part(kind: str, suffix: str = ".py") -> Completion:
    """Complete the name of a part.

    Args:
        kind: the folder of the package that holds such parts, "datasets".
        suffix: of their files.
    """

    def complete(incomplete: str) -> list[str]:
        return _beginning(lookup.names(kind, suffix), incomplete)

    return complete


def several(kind: str, groups: Iterable[str] = ()) -> Completion:
    """Complete the last of several names of parts with commas between them.

    Args:
        kind: of part, as of `part`.
        groups: words that stand for several parts, and stand alone.
    """

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        names = [name for name in lookup.names(kind) if name not in before.split(",")]
        names += [] if comma else groups
        return [before + comma + name for name in _beginning(names, last)]

    return complete


def study_files(incomplete: str) -> list[str]:
    """Complete the name of a built-in study or the path of a study file."""
    files = [str(path) for path in _folder(incomplete).glob("*.y*ml")]
    return _beginning([*lookup.names("studies", ".yaml"), *files], incomplete)


def runs(incomplete: str) -> list[str]:
    """Complete the folder of a run: one in the folder that is being typed, or in runs/."""
    folders = dict.fromkeys([_folder(incomplete), Path("runs")])
    found = (file.parent for folder in folders for file in folder.glob("*/study.json"))
    return _beginning(map(str, found), incomplete)


def models_of_run(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a model of the run that the command line names."""
    return _of_run(context, incomplete, lambda run: [m["name"] for m in run.study()["models"]])


def trials_of_run(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the id of a trial of the run that the command line names."""
    return _of_run(context, incomplete, lambda run: [trial.id for trial in run.plan()])


def _of_run(
    context: typer.Context, incomplete: str, names: "Callable[[RunFolder], list[str]]"
) -> list[str]:
    """Names in the run that is the only argument of a command; none if it can't be read, since
    nothing can be said while a word is being typed."""
    from coequal.results.folder import RunFolder

    runs = [RunFolder(Path(given)) for given in context.args]  # typed, but not parsed by now
    try:
        return _beginning([name for run in runs for name in names(run)], incomplete)
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _folder(incomplete: str) -> Path:
    """The folder of a path that is being typed."""
    return Path(incomplete if incomplete.endswith("/") else Path(incomplete).parent)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
