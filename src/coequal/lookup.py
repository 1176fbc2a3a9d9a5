"""Parts are found by their file name: `objectives/wgan_gp.py` is the objective `wgan_gp`.

Each kind of part has a folder of the package. Every module in it whose name has no leading
underscore is a part; `PART` names its one public class or function. A part outside the package is
written "module:Name".
"""

import difflib
import importlib
import importlib.resources
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from coequal.code_places import OF_PARTS, described, located, place_of


def names(kind: str, suffix: str = ".py") -> list[str]:
    """List the parts of a kind by name, sorted.

    Args:
        kind: the folder of the package that holds them, "objectives".
        suffix: of their files: ".py" for modules, ".yaml" for models.
    """
    folder = importlib.resources.files("coequal") / kind
    files = (entry.name for entry in folder.iterdir() if entry.name.endswith(suffix))
    return sorted(name.removesuffix(suffix) for name in files if not name.startswith("_"))


def load(kind: str, name: str) -> Any:
    """Import a part of the package, or an object from outside it.

    Args:
        kind: of part: the folder of the package that holds it, "encoders".
        name: of the part; "inception:clean" for a variant that the module lists in ARGUMENTS;
            "module:Name" for an object outside the package.

    Raises:
        LookupError: nothing has this name; the message lists what there is, nearest first.
    """
    part, _, variant = name.partition(":")
    known = names(kind)
    if variant and part not in known:
        return external(name)
    if part not in known:
        raise LookupError(unknown(name, known, f"{kind}: "))
    module = importlib.import_module(f"coequal.{kind}.{part}")
    if not variant:
        return getattr(module, module.PART)
    variants = getattr(module, "ARGUMENTS", {})
    if variant not in variants:
        raise LookupError(unknown(name, [part, *(f"{part}:{v}" for v in variants)], f"{kind}: "))
    return variants[variant]


def with_variants(kind: str) -> dict[str, Any]:
    """Import every part of a kind, and every variant that is not the part itself.

    Args:
        kind: of part: the folder of the package that holds it, "encoders".

    Returns:
        The parts by name: "inception", "inception:clean".
    """
    parts: dict[str, Any] = {}
    for name in names(kind):
        parts[name] = load(kind, name)
        module = importlib.import_module(f"coequal.{kind}.{name}")
        for variant, part in getattr(module, "ARGUMENTS", {}).items():
            if part is not parts[name]:
                parts[f"{name}:{variant}"] = part
    return parts


def load_class(kind_of_part: str, name: str, base: type) -> type:
    """The class called `name`, as `load` finds it, of the kind that such a part must be.

    Args:
        kind_of_part: the folder of the package: "objectives", "encoders".
        name: of a part of the package, or "module:Name".
        base: the class that every such part extends.

    Raises:
        LookupError: nothing has this name, or it is no class that extends `base`.
    """
    part = load(kind_of_part, name)
    if not (isinstance(part, type) and issubclass(part, base)):
        raise LookupError(f"'{name}' must be a class that extends {base.__name__}")
    if inspect.isabstract(part):
        missing = ", ".join(sorted(getattr(part, "__abstractmethods__", ())))
        text = f"'{name}' lacks {missing}, which every {base.__name__} has"
        raise LookupError(located(text, place_of(part)))
    return part


def search_also(*folders: str | Path) -> None:
    """Let parts from outside be imported from these folders, too, after all others.

    Args:
        folders: of a study file, for instance; the first is the one in which a module of a part
            must not be another than the one that is imported.
    """
    for folder in reversed([str(Path(folder).resolve()) for folder in folders]):
        if folder in _searched:
            _searched.remove(folder)
        _searched.insert(0, folder)
        if folder not in sys.path:
            sys.path.append(folder)


@contextmanager
def searching_also(*folders: str | Path) -> Iterator[None]:
    """Let parts from outside be imported from these folders, too, for as long as it lasts; what was
    imported from them is forgotten then.

    Args:
        folders: as of `search_also`.
    """
    places = [str(Path(folder).resolve()) for folder in folders]
    added = {place for place in places if place not in sys.path}
    search_also(*places)
    try:
        yield
    finally:
        sys.path[:] = [place for place in sys.path if place not in added]
        _searched[:] = [place for place in _searched if place not in places]
        for name, module in list(sys.modules.items()):  # or the next run would get this one's
            if str(getattr(module, "__file__", None)).startswith(tuple(p + os.sep for p in added)):
                del sys.modules[name]


def searched() -> tuple[str, ...]:
    """The folders that `search_also` was given, the last one first."""
    return tuple(_searched)


_searched: list[str] = []


def unknown(given: str, known: Iterable[str], prefix: str = "") -> str:
    """Write the message for a name that does not exist.

    Args:
        given: the name.
        known: those that exist.
        prefix: what the message begins with.

    Returns:
        What was given, what exists, and the nearest name if one is near.
    """
    known = list(known)
    if not known:
        return f"{prefix}'{given}' is not one of them: there are none"
    close = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"{prefix}'{given}' is not one of {', '.join(known)}{hint}"


def external(name: str) -> Any:
    """Import an object from outside the package.

    Args:
        name: "module:Name".

    Raises:
        LookupError: there is no such module or name, or importing it failed.
    """
    module_name, _, attribute = name.partition(":")
    if str(Path.cwd()) not in _searched:
        search_also(*_searched, Path.cwd())
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        absent = error.name if isinstance(error, ModuleNotFoundError) else None
        if absent and (module_name == absent or module_name.startswith(f"{absent}.")):
            raise LookupError(
                f"'{name}': cannot import {module_name} ({error}); it must be importable: "
                "installed, beside the study file, in the current folder, or in a folder on "
                "PYTHONPATH (the source that a run kept of it is used with --run-code)"
            ) from error
        text = f"'{name}': cannot import {module_name}: {described(error)}"
        raise LookupError(text) from error
    _refuse_another(name, module)
    if not hasattr(module, attribute):
        known = [key for key in vars(module) if not key.startswith("_")]
        close = difflib.get_close_matches(attribute, known, n=1, cutoff=0.6)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise LookupError(f"'{name}': module {module_name} has no {attribute}{hint}")
    OF_PARTS.add(module_name.partition(".")[0])
    return getattr(module, attribute)


def _refuse_another(name: str, module: ModuleType) -> None:
    """Refuse a module that is not the one in the folder of the study: this process may have
    imported one of the same name from elsewhere."""
    wanted = PathFinder.find_spec(module.__name__.partition(".")[0], _searched[:1])
    top: Any = sys.modules.get(module.__name__.partition(".")[0])
    here, there = getattr(top, "__file__", None), wanted and wanted.origin
    if here and there and not _same_module(Path(here), Path(there)):
        raise LookupError(
            f"'{name}': this process has {here}, and {there} is another module of that name; "
            "rename one, start a new process, or name the folder of the right one in PYTHONPATH"
        )


def _same_module(one: Path, other: Path) -> bool:
    """Whether two files are one module: the same file, or a copy of a module without a package, as
    a run keeps it of a class from a notebook."""
    if one.resolve() == other.resolve():
        return True
    copied = one.name == other.name != "__init__.py"
    return copied and one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()
