"""Classes, functions and objects in a study from Python, as the names and settings of its file."""

import dataclasses
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from coequal import lookup
from coequal.api.captured_source import module_of_main
from coequal.code_places import PACKAGE, library_folders
from coequal.contract import Architecture, Metric, Objective


def named(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a study file would have.

    Args:
        fields: the fields of a study. Where a file names a part, a field may hold a class, a
            function, or an object with settings.

    Raises:
        ValueError: another process can't import a part; the message says how to solve this.
    """
    values = {name: plain(value) for name, value in fields.items()}
    for name, kind in (("models", "objectives"), ("data", "datasets")):
        if name in fields:
            several = fields[name]
            listed = list(several) if isinstance(several, list | tuple) else [several]
            values[name] = [_model(one) if name == "models" else plain(one, kind) for one in listed]
    if "architecture" in fields:
        values["architecture"] = _with_settings(fields["architecture"])
    if isinstance(fields.get("evaluation"), Mapping):
        values["evaluation"] = _evaluation(fields["evaluation"])
    return values


def plain(value: Any, kind: str = "") -> Any:
    """A value as YAML has it: classes and functions become names.

    Args:
        value: of a field.
        kind: of part that a class or function is, if that is known: "encoders".
    """
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, Mapping):
        return {name: plain(entry, kind) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry, kind) for entry in value]
    if isinstance(value, Path):
        return f"folder:{value}" if kind == "datasets" else str(value)
    if isinstance(value, np.generic):
        return value.item()
    return name_of(value, kind) if isinstance(value, type) or inspect.isfunction(value) else value


def name_of(part: Any, kind: str = "") -> str:
    """The name by which a study file has a class or function: that of a part of the package, or
    "module:Name".

    A part of a notebook or of the script that is run is written into a module of its own, so that
    worker processes, `pack` and `verify` have its source.

    Args:
        part: a class or function.
        kind: of part: the folder of the package that holds such parts, if that is known.

    Raises:
        ValueError: no other process could import it.
    """
    module = str(part.__module__)
    if module == "__main__":
        return f"{module_of_main(part)}:{part.__name__}"
    if part.__qualname__ != part.__name__:
        raise ValueError(
            f"{part.__qualname__} is defined inside of something else, where no process can import "
            f"it; define it at the top level of {module}"
        )
    _, _, short = module.partition(f"coequal.{kind}.")
    if kind and short in lookup.names(kind) and lookup.load(kind, short) is part:
        return short
    _search_folder_of(module)
    return f"{module}:{part.__name__}"


def _search_folder_of(module: str) -> None:
    """Let workers import a module of the user's from where this process has it."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None or file.startswith((PACKAGE, *library_folders())):
        return
    path = Path(file).resolve()
    depth = module.count(".") + (path.name == "__init__.py")
    folder = str(path.parents[depth])
    if folder not in lookup.searched():
        lookup.search_also(*lookup.searched(), folder)


def _model(given: Any) -> Any:
    """A model as a file has it: a name, or a mapping."""
    if isinstance(given, Objective) or (isinstance(given, type) and issubclass(given, Objective)):
        given = {"objective": given}
    if not isinstance(given, Mapping):
        return plain(given, "models")
    values = {name: plain(value, "objectives") for name, value in given.items()}
    objective = given.get("objective")
    if isinstance(objective, Objective):
        settings = {**_settings(objective), **dict(values.get("settings") or {})}
        values |= {"objective": name_of(type(objective), "objectives"), "settings": settings}
    if "architecture" in given:
        values["architecture"] = _with_settings(given["architecture"])
    if "name" not in values and objective is not None and not isinstance(objective, str):
        kind = objective if isinstance(objective, type) else type(objective)
        values = {"name": kind.__name__, **values}
    return values


def _with_settings(given: Any, kind: str = "architectures") -> Any:
    """Networks as a file has them: their name and settings."""
    if isinstance(given, type):
        return {"name": name_of(given, kind)}
    if isinstance(given, Mapping):
        values = {name: plain(value, kind) for name, value in given.items()}
        inner = given.get("name")
        if isinstance(inner, Architecture):
            return {
                **_with_settings(inner),
                **{k: v for k, v in values.items() if k != "name"},
            }
        return values
    if isinstance(given, Architecture):
        return {"name": name_of(type(given), kind), **_settings(given)}
    return plain(given, kind)


def _evaluation(given: Mapping[str, Any]) -> dict[str, Any]:
    """The instrument as a file has it; what metrics were made with becomes their settings."""
    values = {name: plain(value) for name, value in given.items()}
    if "encoder" in given:
        values["encoder"] = plain(given["encoder"], "encoders")
    metrics = given.get("metrics", ())
    listed = metrics if isinstance(metrics, list | tuple) else [metrics]
    settings: dict[str, Any] = dict(values.get("settings") or {})
    names = []
    for metric in listed:
        name = name_of(type(metric), "metrics") if isinstance(metric, Metric) else metric
        names.append(plain(name, "metrics"))
        if isinstance(metric, Metric) and (own := _settings(metric)):
            settings[str(name)] = {**own, **settings.get(str(name), {})}
    return (
        values
        | ({"metrics": names} if names else {})
        | ({"settings": settings} if settings else {})
    )


def _settings(part: Any) -> dict[str, Any]:
    """What an object was made with, where it differs from the defaults of its class."""
    fields = [field for field in dataclasses.fields(part) if field.init]
    values = {field.name: (getattr(part, field.name), field.default) for field in fields}
    return {name: plain(value) for name, (value, default) in values.items() if value != default}
