"""What a reader calls a model to which its study gives no title."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from coequal import lookup


def titles(study: Mapping[str, Any]) -> dict[str, str]:
    """The title of every model of a study, by its name.

    A model that the study compares with one other (`against`) and to which it gives no title is
    called after that model and after the settings in which it differs from it: "NS GAN + instance
    noise 0.2, steps 300". One that has name and objective of a model of coequal's has its title, as
    "NS GAN" for `ns_gan`. All others have the title that the study gives, or their name.

    Args:
        study: with every default filled in.
    """
    models = {model["name"]: model for model in study["models"]}
    given = {name: _own_title(model) for name, model in models.items()}
    return {
        name: f"{given[model['against']]} + {change}" if change else given[name]
        for name, model in models.items()
        for change in [changed(study, name)]
    }


def changed(study: Mapping[str, Any], name: str) -> str:
    """The settings in which a model without a title differs from the one that it is compared with:
    "instance noise 0.2, steps 300".

    Empty for a model that has a title or is compared with no model, and where the two differ in
    their objective, in their networks or in no setting.

    Args:
        study: with every default filled in.
        name: of the model.
    """
    models = {model["name"]: model for model in study["models"]}
    model = models.get(name, {})
    other = models.get(model.get("against"))
    if other is None or model.get("title") not in (None, "", name):
        return ""
    if any(model.get(field) != other.get(field) for field in ("objective", "architecture")):
        return ""
    own, theirs = model.get("settings", {}), other.get("settings", {})
    texts = [_text(key, value) for key, value in own.items() if theirs.get(key) != value]
    texts += [f"no {_words(key)}" for key in theirs if key not in own]
    return ", ".join(_without_repetition(texts))


def _own_title(model: Mapping[str, Any]) -> str:
    """The title that the study gives, that of coequal's model of this name and objective, or the
    name."""
    name = model["name"]
    title = str(model.get("title") or name)
    if title != name or name not in lookup.names("models", ".yaml"):
        return title
    text = (files("coequal") / "models" / f"{name}.yaml").read_text(encoding="utf-8")
    shipped = YAML(typ="safe").load(text)
    alike = shipped["objective"] == model.get("objective")
    return str(shipped["title"]) if alike else name


def _text(setting: str, value: Any) -> str:
    """A setting in words: "spectral norm", "no batch norm", "prior normal", "instance noise
    0.2"."""
    if isinstance(value, bool):
        return _words(setting) if value else f"no {_words(setting)}"
    if isinstance(value, int | float):
        return f"{_words(setting)} {value:g}"
    return f"{_words(setting)} {_words(str(value))}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _without_repetition(texts: list[str]) -> list[str]:
    """The texts, of which each leaves out the words that it begins with as the first does:
    "instance noise 0.2", "instance noise steps 300" become "instance noise 0.2", "steps 300"."""
    short = texts[:1]
    first = texts[0].split() if texts else []
    for text in texts[1:]:
        words = text.split()
        alike = 0
        while alike < min(len(first), len(words) - 2) and first[alike] == words[alike]:
            alike += 1
        short.append(" ".join(words[alike:]))
    return short
