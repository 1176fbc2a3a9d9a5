"""Where the runs of a served folder lie."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from coequal.results.pack import is_pack

MAX_DEPTH = 4  # folders below the served one
MAX_FOLDERS = 20_000  # that are looked into


@dataclass
class Places:
    """What a served folder holds.

    Attributes:
        runs: the folder or the pack of each run, by its address: its path below the served folder.
        refused: why something directly in the folder is no run, by its name.
        complete: whether everything was looked into.
    """

    runs: dict[str, Path] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    complete: bool = True


def find_runs(root: Path) -> Places:
    """Find the runs in a folder: every folder with a study.json, and every pack, at most
    `MAX_DEPTH` levels down. A run itself, or a pack, is the only one.

    Args:
        root: an absolute path.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is a file and no pack.
    """
    if root.is_file():
        if not is_pack(root):
            raise ValueError(f"{root} is not a pack of a run; name a folder or a pack")
        return Places({root.name: root})
    if not root.exists():
        raise FileNotFoundError(f"there is no folder or pack {root}")
    if is_run(root):
        return Places({root.name or "run": root})
    found = Places()
    looked_into = 0
    for entry, problem in _entries(root):
        if entry is None:
            found.refused[root.name] = problem
            continue
        runs: list[Path] = []
        for path in _below(Path(entry.path), 1):
            looked_into += 1
            if looked_into > MAX_FOLDERS:
                found.complete = False
                return found
            if path.is_file() or is_run(path):
                runs.append(path)
        found.runs |= {path.relative_to(root).as_posix(): path for path in runs}
        if not runs and (reason := _not_a_run(Path(entry.path))):
            found.refused[entry.name] = reason
    return found


def is_run(path: Path) -> bool:
    """Whether a folder says that it is that of a run."""
    return (path / "study.json").is_file()


def _below(path: Path, depth: int) -> Iterator[Path]:
    """Packs and folders at and below a path, none of them inside a run."""
    if path.suffix == ".zip" and path.is_file():
        if is_pack(path):
            yield path
        return
    if not path.is_dir():
        return
    yield path
    if is_run(path) or depth >= MAX_DEPTH:
        return
    for entry, _ in _entries(path):
        if entry is not None and (entry.is_dir() or entry.name.endswith(".zip")):
            yield from _below(Path(entry.path), depth + 1)


def _entries(path: Path) -> Iterator[tuple["os.DirEntry[str] | None", str]]:
    """What lies in a folder, by name; nothing and the reason if it can't be read."""
    try:
        with os.scandir(path) as found:
            listed = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield None, error.strerror or str(error)
        return
    yield from ((entry, "") for entry in listed if not entry.name.startswith("."))


def _not_a_run(path: Path) -> str:
    """Why something is no run; empty for a file, of which nobody expects that."""
    if path.suffix == ".zip" and path.is_file():
        return "this file is not a pack of a run"
    if not path.is_dir():
        return ""
    try:
        empty = not any(path.iterdir())
    except OSError as error:
        return error.strerror or str(error)
    if empty:
        return "this folder is empty"
    return f"there is no run here or up to {MAX_DEPTH} folders down: none has a study.json"
