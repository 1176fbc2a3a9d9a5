"""Settings are fields of a frozen dataclass, whose ranges stand beside them.

`margin: Annotated[float, Field(gt=0)] = 1.0` is all that a part says of a setting; `Attributes:` in
its docstring says what it means. Direct calls, study files and command lines are checked by it, and
messages and JSON schemas come from it.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING
from functools import cache
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from coequal import lookup

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)

Part = Callable[..., Any]  # a class, or a function that makes a dataset

Count = Annotated[int, Field(ge=1)]
"""How many of something that there must be."""


class Settings:
    """Base of the classes whose fields are settings; subclasses are frozen dataclasses.

    A class with a `__post_init__` of its own, for conditions over several fields, calls
    `super().__post_init__()` first.
    """

    def __post_init__(self) -> None:
        """Refuse values out of the fields' types and ranges.

        Raises:
            ValueError: one line for each of them.
        """
        values = {name: getattr(self, name) for name in setting_names(type(self))}
        if problems := setting_problems(type(self), values):
            name = type(self).__name__
            raise ValueError("\n".join(f"{name}: {text}" for text in problems.values()))


def setting_names(part: Part) -> tuple[str, ...]:
    """The names of a part's settings; none of a class that is no dataclass, and of a function.

    Raises:
        ValueError: the part extends `Settings` and is no dataclass.
    """
    if dataclasses.is_dataclass(part):
        return tuple(field.name for field in dataclasses.fields(part) if field.init)
    if isinstance(part, type) and issubclass(part, Settings):
        raise ValueError(f"{part.__name__} must be a frozen dataclass of its settings")
    return ()


def setting_problems(part: Part, values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the settings that a part is to be made with.

    Args:
        part: a dataclass, which is not made.
        values: by name. Those that are left out have their defaults.

    Returns:
        By setting one sentence, for settings that the part has not, that have a value of another
        type or out of range, or that have no default and are not given.
    """
    try:
        _declared(part).model_validate(dict(values))
    except ValidationError as error:
        problems = {}
        for entry in error.errors():
            name = str(entry["loc"][0])
            if entry["type"] == "extra_forbidden":
                problems[name] = lookup.unknown(name, sorted(setting_names(part)), "setting ")
            else:
                schema = json_schema(part)["properties"][name]
                problems[name] = f"{name} {sentence(dict(entry), schema)}"
        return problems
    return {}


def json_schema(part: Part) -> dict[str, Any]:
    """The settings of a part as a JSON schema: types, ranges, defaults and what each means.

    Args:
        part: a dataclass, or another class or a function, which have no settings.
    """
    return _declared(part).model_json_schema()


def sentence(error: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What would do instead of a wrong value: "must be a number above 0, got -1".

    Args:
        error: as pydantic describes it.
        schema: the JSON schema of the field.
    """
    if error["type"] == "missing":
        return "must be given"
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if error["type"] == "value_error":
        return message
    if error["type"] in _EXPLAINED and (allowed := in_words(schema)):
        message = f"must be {allowed}"
    return f"{message}, got {error['input']!r}"


def in_words(schema: Mapping[str, Any]) -> str:
    """The values that the JSON schema of a field allows: "a number of at least 0 and below 0.5".

    Empty for a schema that says more than type, range and choices.
    """
    if "anyOf" in schema:
        return " or ".join(filter(None, map(in_words, schema["anyOf"])))
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return " or ".join(map(repr, choices))
    kind = _TYPES.get(schema.get("type", ""), "")
    if keys := schema.get("properties"):
        kind += f" of {', '.join(keys)}"
    limits = " and ".join(f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema)
    return f"{kind} {'of ' * limits.startswith('at')}{limits}".strip() if kind else ""


_TYPES = {
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "string": "text",
    "array": "a list",
    "object": "a mapping",
}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
_EXPLAINED = frozenset(
    {
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"),
        *("literal_error", "bool_type", "float_type", "int_type", "string_type"),
        *("tuple_type", "dict_type", "model_type", "model_attributes_type"),
    }
)
"""The kinds of problem that type, range and choices explain."""


@cache
def _declared(part: Part) -> type[BaseModel]:
    """A pydantic model of a part's settings.

    Its fields have the settings' names as aliases only, so that a setting may be called `copy`.
    """
    fields = {field.name: field for field in getattr(part, "__dataclass_fields__", {}).values()}
    hints = get_type_hints(part, include_extras=True) if fields else {}
    descriptions = _descriptions(part)
    declared: dict[str, Any] = {}
    for name in setting_names(part):
        default = fields[name].default
        if fields[name].default_factory is not MISSING:
            default = fields[name].default_factory()
        declared[f"setting_{name}"] = (
            hints[name],
            Field(
                ... if default is MISSING else default,
                alias=name,
                title=name,
                description=descriptions.get(name),
            ),
        )
    summary = inspect.cleandoc(part.__doc__ or "").partition("\n\nAttributes:")[0]
    return create_model(part.__name__, __config__=STRICT, __doc__=summary, **declared)


def _descriptions(part: Part) -> dict[str, str]:
    """What the docstrings of a class and of those that it extends say of each attribute."""
    found: dict[str, str] = {}
    for kind in reversed(getattr(part, "__mro__", ())):
        section = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]
        for entry in re.split(r"\n(?= {4}\w)", "\n" + section.split("\n\n")[0]):
            names, _, text = entry.partition(": ")
            found |= dict.fromkeys(names.strip().split(", "), " ".join(text.split()))
    return found
