"""`coequal list`: the parts that come with coequal, as they declare themselves."""

import importlib
import re
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Column, Table
from rich.text import Text

from coequal import lookup
from coequal.cli import completion
from coequal.cli.command import CommandResult
from coequal.cli.printing import console
from coequal.published_names import published_names

KINDS = ("models", "objectives", "architectures", "datasets", "encoders", "metrics")


def list_parts(
    kind: Annotated[
        str,
        typer.Argument(
            help=f"Kind of part: {', '.join(KINDS)}.", autocompletion=completion.one_of(KINDS)
        ),
    ] = "models",
) -> CommandResult:
    """List the models, datasets, metrics and other parts.

    Metrics are listed with the direction and unit of every number, and all parts with every
    setting: its default, its range and its meaning.
    """
    if kind not in KINDS:
        raise LookupError(lookup.unknown(kind, KINDS))
    rows = models() if kind == "models" else parts(kind)
    return CommandResult(rows, lambda: _print_models(rows) if kind == "models" else _print(rows))


def models() -> list[dict[str, Any]]:
    """Every model that comes with coequal, with settings and ranges."""
    from coequal.study.model import shipped_models  # a slow import, which `status` can do without

    return [model.model_dump(mode="json", exclude_none=True) for model in shipped_models()]


def parts(kind: str) -> list[dict[str, Any]]:
    """Every part of a kind, as plain values.

    Args:
        kind: one of `KINDS`, but "models".

    Returns:
        Of each its `name` and a `summary`; its `settings`, if it has any, by name, each with its
        `default`, what it is `allowed` to be in words, and its `meaning`; of a metric also its
        `outputs`, by name, each with `better`, `target`, `unit`, `label`, `use` and what it is
        `blind_to`, what it `needs` beyond features, and further names (`aliases`) with the outputs
        that they mean; those of its outputs that the literature calls otherwise with the features
        of some encoders (`published`), by that name, each with the `number`, its `label` and the
        `encoders`.
    """
    rows = []
    for name in lookup.names(kind):
        part = lookup.load(kind, name)
        text = importlib.import_module(f"coequal.{kind}.{name}").__doc__ or ""
        row: dict[str, Any] = {"name": name, "summary": first_sentence(text)}
        if settings := _settings(part):
            row["settings"] = settings
        if kind == "metrics":
            row |= _of_metric(part)
        rows.append(row)
    return rows


def first_sentence(text: str) -> str:
    """The first sentence of a docstring, in one line.

    Args:
        text: whose lines may be broken anywhere.
    """
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z`])", paragraph)[0]


def _settings(part: Any) -> dict[str, dict[str, Any]]:
    from coequal.settings import in_words, json_schema, setting_names

    if not setting_names(part):
        return {}
    declared = json_schema(part)["properties"]
    return {
        name: {
            "default": schema.get("default"),
            "allowed": in_words(schema),
            "meaning": schema.get("description", ""),
        }
        for name, schema in declared.items()
    }


def _of_metric(metric: Any) -> dict[str, Any]:
    keys = ("better", "target", "unit", "label", "use", "blind_to")
    return {
        "outputs": {
            name: {key: getattr(info, key) for key in keys} for name, info in metric.outputs.items()
        },
        "needs": list(metric.required),
        "aliases": {name: list(numbers) for name, numbers in metric.aliases.items()},
        "published": {
            name: one._asdict()
            for name, one in published_names().items()
            if one.number in metric.outputs
        },
    }


def _print_models(rows: list[dict[str, Any]]) -> None:
    table = Table("name", "objective", "source", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(row["name"], row["objective"], row["source"])
    console.print(table)


def _print(rows: list[dict[str, Any]]) -> None:
    """Of each part its name and summary, then its numbers and settings."""
    for row in rows:
        needs = f" Needs {', '.join(row['needs'])}." if row.get("needs") else ""
        console.print(Text.assemble((row["name"], "bold"), f": {row['summary']}{needs}"))
        if outputs := row.get("outputs"):
            _indented({name: _direction(info) for name, info in outputs.items()})
        if settings := row.get("settings"):
            _indented({f"{name}={s['default']}": _explained(s) for name, s in settings.items()})
        if published := row.get("published"):
            _indented({name: _published(one) for name, one in published.items()})
        if aliases := row.get("aliases"):
            _indented({name: f"stands for {', '.join(keys)}" for name, keys in aliases.items()})


def _direction(info: dict[str, Any]) -> str:
    """ "higher is better; fraction of generated images. How many of them look real"."""
    best = "" if info["target"] is None else f" {info['target']:g}"
    better = "best at its target" if info["better"] == "target" else f"{info['better']} is better"
    first = "; ".join(filter(None, (f"{better}{best}", info["unit"])))
    use = info["use"]
    return first if use is None else f"{first}. {use[0].upper()}{use[1:]}"


def _published(name: dict[str, Any]) -> str:
    """ "what fd is called with the features of inception: FID"."""
    encoders = " or ".join(name["encoders"])
    return f"what {name['number']} is called with the features of {encoders}: {name['label']}"


def _explained(setting: dict[str, Any]) -> str:
    """ "a whole number of at least 1: how many subsets are averaged"."""
    return ": ".join(filter(None, (setting["allowed"], setting["meaning"])))


def _indented(lines: dict[str, str]) -> None:
    table = Table(
        Column(no_wrap=True), Column(overflow="fold"), box=None, show_header=False, padding=(0, 1)
    )
    for name, text in lines.items():
        table.add_row(Text(f"  {name}"), Text(text))
    console.print(table)
