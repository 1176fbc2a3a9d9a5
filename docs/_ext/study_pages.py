"""The fields of a study file, out of the JSON schema of `coequal.study.spec.Study`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from plain_text import allowed, anchor, code, docstring, prose, table

from coequal.settings import in_words
from coequal.study.spec import Study

Schema = Mapping[str, Any]

VALUE = {"boolean", "integer", "number", "string"}  # the types of a hyperparameter


def text() -> str:
    """A table of fields for the file, and one for every mapping in it, where it first stands."""
    whole = Study.model_json_schema()
    places = _places(whole)
    sections = ["## The file", _fields(whole, whole, places)]
    for name, place in places.items():
        schema = whole["$defs"][name]
        sections += [
            f"## `{place}`",
            docstring(schema.get("description")),
            _fields(schema, whole, places),
        ]
    return "\n\n".join(sections)


def _places(whole: Schema) -> dict[str, str]:
    """Where the definition of each mapping stands nearest to the top: {"BudgetSpec":
    "training.budget"}; in the order of the fields of the file."""
    places: dict[str, str] = {}
    found: list[tuple[str, Schema]] = [("", whole)]
    for place, schema in found:  # grows while it is walked through
        for field, inner in schema["properties"].items():
            for name, below in _references(inner):
                if name not in places:
                    places[name] = f"{place}{field}{below}"
                    found.append((f"{places[name]}.", whole["$defs"][name]))
    order = list(whole["properties"])
    return dict(sorted(places.items(), key=lambda p: order.index(re.split(r"\W", p[1])[0])))


def _references(schema: Schema, below: str = "") -> Iterator[tuple[str, str]]:
    """The definitions that a field refers to, each with what stands below the field's name."""
    if "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2], below
    for inner in schema.get("anyOf", ()):
        yield from _references(inner, below)
    if isinstance(inner := schema.get("items"), Mapping):
        yield from _references(inner, f"{below}[]")
    if isinstance(inner := schema.get("additionalProperties"), Mapping):
        yield from _references(inner, f"{below}.NAME")


def _fields(schema: Schema, whole: Schema, places: Mapping[str, str]) -> str:
    rows = []
    for name, field in schema["properties"].items():
        required = name in schema.get("required", ()) and name != "study"
        default = "must be given" if required else _default(field.get("default"))
        meaning = prose(field.get("description") or _described(field, whole))
        rows.append([f"`{name}`", _allowed(field, places), default, meaning])
    return table(["field", "allowed", "default", "meaning"], rows)


def _described(field: Schema, whole: Schema) -> str:
    """What a mapping says of itself: pydantic leaves out a field's words that are the same."""
    found = [whole["$defs"][name].get("description", "") for name, _ in _references(field)]
    return found[0] if found else ""


def _default(value: Any) -> str:
    """What a field is without being named; nothing for mappings, which have a table."""
    if isinstance(value, dict):
        return ""
    if isinstance(value, list):
        return code(f"[{', '.join(map(str, value))}]") if value else ""
    return code(value)


def _allowed(schema: Schema, places: Mapping[str, str]) -> str:
    """What a field may be, in words."""
    if "$ref" in schema:
        place = places[schema["$ref"].rpartition("/")[2]]
        return f"a mapping: [`{place}`](#{anchor(place)})"
    if "anyOf" in schema:
        kinds = [kind for kind in schema["anyOf"] if kind.get("type") != "null"]
        if {kind.get("type") for kind in kinds} == VALUE:
            return "a number, text, true or false"
        return " or ".join(dict.fromkeys(_allowed(kind, places) for kind in kinds))
    if "prefixItems" in schema:
        return f"a list: {', '.join(_allowed(item, places) for item in schema['prefixItems'])}"
    if isinstance(items := schema.get("items"), Mapping):
        return f"a list; each entry {_allowed(items, places)}"
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        return f"a mapping of names; each value {_allowed(values, places)}"
    return allowed(in_words(schema))
