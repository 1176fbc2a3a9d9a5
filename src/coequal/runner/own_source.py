"""Find the source of parts from outside: their modules, and what these import of their authors'."""

import ast
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import find_spec
from pathlib import Path

from coequal.code_places import PACKAGE, library_folders
from coequal.results.folder import RunFolder
from coequal.results.own_code import add_code, outside_parts


def keep_source(folder: RunFolder) -> str:
    """Keep the source of the outside parts of a run's study with its results.

    Args:
        folder: of a run whose parts have been imported.

    Returns:
        A sentence if earlier results were made with other source of these parts; else empty.
    """
    parts = outside_parts(folder.study())
    if not parts:
        return ""
    found, others = source_files([part.partition(":")[0] for part in parts])
    texts = {name: path.read_bytes() for name, path in sorted(found.items())}
    if not add_code(folder, parts, texts, not_kept=tuple(sorted(others))):
        return ""
    return (
        f"the source of {', '.join(parts)} has changed since this run began; existing "
        "results are kept (code.json)"
    )


def source_files(modules: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
    """The files of modules, and of all modules that they import and that are neither of Python, of
    coequal, nor of a library which the modules are not part of themselves.

    Nothing is imported for it but the packages above `modules`.

    Args:
        modules: by their full names.

    Returns:
        By the path from the folder that Python imports from ("my_lab/losses.py"), where each file
        is; and the names of modules that are not written in Python.
    """
    tops = {name.partition(".")[0] for name in modules}
    found: dict[str, Path] = {}
    others: list[str] = []
    waiting, seen = list(modules), set[str]()
    while waiting:
        name = waiting.pop()
        waiting += [] if name in seen or "." not in name else [name.rpartition(".")[0]]
        spec = None if name in seen else _spec(name)
        seen.add(name)
        if spec is None or spec.origin is None or not _is_followed(spec, tops):
            continue
        path = Path(spec.origin)
        if path.suffix != ".py":
            others.append(name)
            continue
        place = name.replace(".", "/")
        is_package = spec.submodule_search_locations is not None
        found[f"{place}/__init__.py" if is_package else f"{place}.py"] = path
        waiting += _imports(path, name if is_package else name.rpartition(".")[0])
    return found, others


def _spec(name: str) -> ModuleSpec | None:
    """Where a module is; of one that is not loaded, without importing what is above it."""
    module = sys.modules.get(name)
    if module is not None and module.__spec__ is not None:
        return module.__spec__
    above, _, _ = name.rpartition(".")
    if not above:
        try:
            return find_spec(name)
        except (ImportError, ValueError):
            return None
    package = _spec(above)
    places = (package.submodule_search_locations if package else None) or ()
    found = (FileFinder(place, *_LOADERS).find_spec(name) for place in places)
    return next(filter(None, found), None)


_LOADERS = ((SourceFileLoader, SOURCE_SUFFIXES), (ExtensionFileLoader, EXTENSION_SUFFIXES))


def _is_followed(spec: ModuleSpec, tops: set[str]) -> bool:
    origin = str(spec.origin)
    if not spec.has_location or origin.startswith(PACKAGE + os.sep):
        return False
    return spec.name.partition(".")[0] in tops or not origin.startswith(library_folders())


def _imports(path: Path, package: str) -> Iterator[str]:
    """Every name that may be a module which a file imports."""
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:  # written for another version of Python, and never imported here
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node.module or "", node.level, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _absolute(module: str, level: int, package: str) -> str:
    if not level:
        return module
    above = package.split(".")[: len(package.split(".")) - level + 1]
    return ".".join([*above, module] if module else above)
