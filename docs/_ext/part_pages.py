"""The reference of the parts, a text per kind: all that a part declares of itself.

Parts are those that `lookup` finds; settings come from their JSON schema, sources from the
bibliography, everything else from docstrings and class attributes.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from papers import papers_in
from plain_text import allowed, anchor, code, docstring, prose, table

from coequal import lookup
from coequal.datasets._made import COUNTS
from coequal.manifolds.modes import KnownModes
from coequal.published_names import published_names
from coequal.records import MetricInfo
from coequal.reporting.paper.bibliography import source_of
from coequal.settings import in_words, json_schema, setting_names
from coequal.study.model import Model, RangeSpec, shipped_models
from coequal.training.settings import Optimisation
from coequal.training.tricks import Tricks


def text_of(kind: str) -> str:
    """Every part of a kind, a section each, in the order of their names.

    Args:
        kind: the folder of the package: "metrics".
    """
    if kind == "models":
        return "\n\n".join(map(_model, shipped_models()))
    return "\n\n".join(_part(kind, name) for name in lookup.names(kind))


def settings_of_all_models() -> str:
    """The settings that every model has, whatever its objective and networks."""
    sections = []
    for owner in (Optimisation, Tricks):
        sections += [f"## {owner.__name__}", docstring(owner.__doc__, ["Attributes"])]
        sections.append(settings_table(owner))
    return "\n\n".join(sections)


def _part(kind: str, name: str) -> str:
    module = importlib.import_module(f"coequal.{kind}.{name}")
    part = lookup.load(kind, name)
    own = inspect.unwrap(part)
    pieces = [f"## `{name}`", docstring(module.__doc__), _text(own)]
    pieces.append(_ABOUT.get(kind, lambda part, module: "")(own, module))
    pieces += _titled("Settings", settings_table(own))
    pieces += _titled("Papers", papers_in(source_of(kind, name)))
    return "\n\n".join(filter(None, pieces))


def _text(part: Any) -> str:
    """The docstring: of a class its own, but not its settings, which a table shows; of a function
    that loads a dataset what it gives, but not how it is called."""
    if isinstance(part, type):
        return docstring(vars(part).get("__doc__"), ["Attributes"])
    return docstring(part.__doc__, ["Args", "Returns", "Raises"])


def _titled(title: str, text: str) -> list[str]:
    return [f"**{title}**", text] if text else []


def settings_table(part: Any) -> str:
    """The settings of a part with what each may be, its default and its meaning; empty without
    any."""
    if not setting_names(part):
        return ""
    rows = []
    schema = json_schema(part)
    for name, field in schema["properties"].items():
        required = name in schema.get("required", ())
        default = "must be given" if required else code(field.get("default"))
        may_be = allowed(in_words(field))
        rows.append([f"`{name}`", may_be, default, prose(field.get("description", ""))])
    return table(["setting", "allowed", "default", "meaning"], rows)


def _metric(part: Any, module: Any) -> str:
    pieces = [_index(part), _numbers(part.outputs)]
    if part.per_image_outputs:
        rows = [
            [f"`{name}`", prose(info.label or name), info.better or "", prose(info.meaning)]
            for name, info in part.per_image_outputs.items()
        ]
        pieces += ["Of each image:", table(["number", "label", "better", "meaning"], rows)]
    facts = {
        "Needs, beside features" if part.sees_features else "Needs": ", ".join(part.required),
        "Needs for single numbers": ", ".join(
            f"`{name}`: {need}" for name, need in part.required_for.items()
        ),
        "Fewest images of a side": part.min_images if part.min_images > 1 else "",
        "Takes stored statistics of features": "yes" if part.takes_statistics else "",
        "Standard errors are over": part.error_over,
        "Also called": ", ".join(
            f"`{name}` ({', '.join(numbers)})" for name, numbers in part.aliases.items()
        ),
        "Published names": ", ".join(
            f"{one.label} (`{name}`): `{one.number}` with {' or '.join(map(code, one.encoders))}"
            for name, one in published_names().items()
            if one.number in part.outputs
        ),
    }
    return "\n\n".join([*pieces, _facts(facts)])


def _index(part: Any) -> str:
    """Entries of the index, which the search looks through: every name of a number."""
    labels = [info.label for info in part.outputs.values() if info.label]
    published = [o.label for o in published_names().values() if o.number in part.outputs]
    names = [*part.outputs, *part.per_image_outputs, *labels, *published, *part.aliases]
    entries = ", ".join(f"{name} (number)" for name in dict.fromkeys(names))
    return f"```{{index}} {entries}\n```"


def _numbers(outputs: Mapping[str, MetricInfo]) -> str:
    rows = []
    for name, info in outputs.items():
        bounds = [f"best {info.best:g}"] if info.best is not None else []
        bounds += [f"worst {info.worst:g}"] if info.worst is not None else []
        better = info.better if info.target is None else f"nearest {info.target:g}"
        rows.append(
            [
                f"`{name}`" + " (recommended)" * info.recommended,
                prose(info.label or name.replace("_", " ")),
                better,
                prose(info.unit),
                ", ".join(bounds),
                prose(info.use or ""),
                prose(info.blind_to or ""),
            ]
        )
    return table(["number", "label", "better", "unit", "bounds", "use", "blind to"], rows)


def _facts(facts: Mapping[str, Any]) -> str:
    """A list of what there is to say, of that which is said."""
    return "\n".join(f"- {name}: {value}" for name, value in facts.items() if value not in ("", ()))


def _encoder(part: Any, module: Any) -> str:
    sections = [_encoder_facts(part)]
    for variant, kind in getattr(module, "ARGUMENTS", {}).items():
        if kind is not part:
            name = module.__name__.rpartition(".")[2]
            sections += [f"### `{name}:{variant}`", _text(kind)]
            sections.append(_encoder_facts(kind))
    return "\n\n".join(sections)


def _encoder_facts(part: Any) -> str:
    names = ", ".join(f"`{number}` is {label}" for number, label in part.published_names.items())
    return _facts(
        {
            "Published names": names,
            "Gives class probabilities": "yes" if part.knows_classes else "no",
            "Resizes images to a size of its own": "yes" if part.resizes else "no",
            "Features of published statistics": part.statistics_dimension or "",
            "Images at a time": part.batch or "",
            "Quick enough to be asked while a model trains": "yes" if part.light else "no",
            "Rank among the defaults of a score": part.default_rank or "by name only",
        }
    )


def _architecture(part: Any, module: Any) -> str:
    can = part.capabilities
    return _facts(
        {
            "Images": prose(can.shapes),
            "Generators": ", ".join(f"`{kind.__name__}`" for kind in can.generators),
            "Discriminators give": ", ".join(f"`{kind.__name__}`" for kind in can.outputs),
        }
    )


def _dataset(part: Any, module: Any) -> str:
    form = getattr(module, "IMAGES", None)
    classes = getattr(module, "CLASSES", ())
    made = getattr(module, "manifold", None)
    name = module.__name__.rpartition(".")[2]
    facts = {"Name in a study": f"`{name}`" if module.ARGUMENT is None else f"`{name}:...`"}
    facts["After the colon"] = prose(module.ARGUMENT or "")
    if default := getattr(module, "DEFAULT_ARGUMENT", ""):
        facts["After the colon"] += f"; `{default}` if it is left out"
    if form is not None:
        channels, height, width = form.shape
        kind = "float32 in [0, 1]" if form.floats else "uint8"
        facts["Images"] = f"{channels} x {height} x {width} (channels, height, width), {kind}"
        if module.ARGUMENT is None:  # else they depend on it
            facts["Classes"] = f"{form.classes or 'none'}"
    if classes:
        facts["Classes"] += f": {', '.join(map(prose, classes))}"
    if made:
        facts["Made from a seed"] = ", ".join(f"{n:,} to {_FOR[s]}" for s, n in COUNTS.items())
    if made and module.ARGUMENT is None and isinstance(known := made("", None), KnownModes):
        facts["Classes"] = f"the {len(known.names)} modes"
    return _facts(facts)


_FOR = {"train": "train", "validation": "validate", "test": "test"}

_ABOUT: dict[str, Callable[[Any, Any], str]] = {
    "metrics": _metric,
    "encoders": _encoder,
    "architectures": _architecture,
    "datasets": _dataset,
}
"""What a kind of part declares in class attributes, beside docstring and settings."""


def _model(model: Model) -> str:
    pieces = [f"## `{model.name}`", f"{prose(model.label)}. Source: {prose(model.source)}."]
    link = f"[`{model.objective}`](objectives.md#{anchor(model.objective)})"
    facts = {"Objective": link, "Networks": "those of the study (by default `infogan`)"}
    if model.architecture is not None:
        nets = model.architecture
        settings = "".join(f", `{key}: {value}`" for key, value in nets.settings.items())
        facts["Networks"] = f"[`{nets.name}`](architectures.md#{anchor(nets.name)}){settings}"
    names = dict.fromkeys([*model.settings, *model.wide, *model.narrow])
    rows = [
        [f"`{n}`", code(model.settings.get(n)), _range(model.wide, n), _range(model.narrow, n)]
        for n in names
    ]
    pieces.append(_facts(facts))
    pieces.append(table(["setting", "authors'", "wide search", "narrow search"], rows))
    return "\n\n".join([*pieces, *_titled("Papers", papers_in(model.source))])


def _range(ranges: Mapping[str, RangeSpec], name: str) -> str:
    if name not in ranges:
        return ""
    spec = ranges[name].model_dump(exclude_none=True)
    ((kind, values),) = spec.items()
    if kind == "choice":
        return " or ".join(code(value) for value in values)
    low, high = (f"{value:g}" for value in values)
    return f"{low} to {high}" + (", in the logarithm" if kind == "log_uniform" else "")
