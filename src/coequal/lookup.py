"""Parts are found by their file name: `objectives/wgan_gp.py` is the objective `wgan_gp`.

A kind of part (objectives, metrics, ...) is a folder of the package. Every module in it whose name
has no leading underscore is a part, and defines one public class or function, which `PART` names.
Anything outside the package is written "module:Name".
"""

import difflib
import importlib
import importlib.resources
from collections.abc import Iterable
from typing import Any


def names(kind: str, suffix: str = ".py") -> list[str]:
    """The names of all parts of a kind, sorted.

    Args:
        kind: a folder of the package, as in "objectives".
        suffix: of the files; ".yaml" lists data files instead of modules.
    """
    folder = importlib.resources.files("coequal") / kind
    parts = (
        entry.name.removesuffix(suffix) for entry in folder.iterdir() if entry.name.endswith(suffix)
    )
    return sorted(name for name in parts if not name.startswith("_"))


def load(kind: str, name: str) -> Any:
    """The part of a kind that is called `name`, or the object that "module:Name" points at.

    A part with variants lists them in ARGUMENTS: "inception:clean" is one of `inception`.

    Args:
        kind: a folder of the package, as in "objectives".
        name: of a part, of a variant, or "module:Name" from outside the package.

    Raises:
        LookupError: nothing has this name; the message lists what there is, nearest first.
    """
    part, _, variant = name.partition(":")
    known = names(kind)
    if variant and part not in known:
        return _external(name)
    if part not in known:
        raise LookupError(unknown(name, known, f"{kind}: "))
    module = importlib.import_module(f"coequal.{kind}.{part}")
    if not variant:
        return getattr(module, module.PART)
    variants = getattr(module, "ARGUMENTS", {})
    if variant not in variants:
        raise LookupError(unknown(name, [part, *(f"{part}:{v}" for v in variants)], f"{kind}: "))
    return variants[variant]


def unknown(given: str, known: Iterable[str], prefix: str = "") -> str:
    """The message for a name that does not exist: the name, the valid ones, and the nearest.

    Args:
        given: the name that does not exist.
        known: the names that exist.
        prefix: what the message begins with.
    """
    known = list(known)
    close = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"{prefix}'{given}' is not one of {', '.join(known)}{hint}"


def _external(name: str) -> Any:
    module_name, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, TypeError, ValueError) as error:
        raise LookupError(
            f"'{name}': cannot import {module_name} ({error}); "
            "it must be importable: installed, or in a folder on PYTHONPATH"
        ) from error
    except AttributeError as error:
        raise LookupError(f"'{name}': module {module_name} has no {attribute}") from error
