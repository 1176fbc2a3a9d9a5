"""From the plain values of a trial to its parts, and what is wrong with them."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, get_args, get_origin, get_type_hints

from coequal import lookup
from coequal.contract import Architecture, MetricInfo, Objective
from coequal.evaluation.requested import requested_metrics
from coequal.ranges import Value
from coequal.records import Trial
from coequal.selection import SelectionRule
from coequal.study.spec import Study
from coequal.training.settings import Optimisation, Training
from coequal.training.tricks import Tricks


@dataclass(frozen=True)
class Parts:
    """What a trial is made of, before any net is built."""

    objective: Objective
    architecture: Architecture
    optimisation: Optimisation
    tricks: Tricks
    training: Training


def assemble(trial: Trial) -> Parts:
    """The parts of a trial; each hyper-parameter goes to the part that has a field of its name.

    Raises:
        LookupError: a part does not exist.
        ValueError: a setting belongs to no part, to two, or has a value that can't be; all of them.
    """
    name = str(trial.architecture["name"])
    kinds: dict[str, type] = {
        "objective": lookup.load_class("objectives", trial.objective, Objective),
        "architecture": lookup.load_class("architectures", name, Architecture),
        "optimisation": Optimisation,
        "tricks": Tricks,
    }
    given = {key: value for key, value in trial.architecture.items() if key != "name"}
    problems = [
        f"{key} is a hyper-parameter of the models; it can't be fixed for all nets"
        for key in sorted(given.keys() & trial.settings.keys())
    ]
    problems += [message for _, message in architecture_problems(name, given)]
    problems += _problems(trial.settings, kinds)
    made: dict[str, Any] = {}
    for part, kind in kinds.items():
        known = fields(kind)
        own = {k: v for k, v in {**trial.settings, **given}.items() if k in known}
        try:
            made[part] = kind(**{k: v for k, v in own.items() if _fits(v, known[k])})
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))
    return Parts(**made, training=Training.of(trial.training))


def architecture_problems(name: str, settings: Mapping[str, Value]) -> list[tuple[str, str]]:
    """What is wrong with the settings that a study gives the nets: (setting, message)."""
    try:
        kind = {name: lookup.load_class("architectures", name, Architecture)}
    except LookupError as error:
        return [("name", str(error.args[0]))]
    return setting_problems(kind[name], settings)


def setting_problems(kind: type, settings: Mapping[str, Value]) -> list[tuple[str, str]]:
    """Settings that a part has not, or that have a value of the wrong kind: (setting, message)."""
    return [
        (key, message)
        for key, value in settings.items()
        for message in _problems({key: value}, {kind.__name__: kind})
    ]


def refuse_metric_settings(settings: Mapping[str, Mapping[str, Value]]) -> None:
    """Refuse settings of metrics that don't exist, or that have no such setting or value.

    Args:
        settings: by the metric's name.

    Raises:
        LookupError, ValueError: there is such a setting; all problems of a metric at once.
    """
    for name, given in settings.items():
        if unfit := setting_problems(lookup.load("metrics", name), given):
            raise ValueError("\n".join(f"{name}: {text}" for _, text in unfit))


def fields(kind: type) -> dict[str, Any]:
    """The settings of a part, and their types."""
    if not dataclasses.is_dataclass(kind):
        raise ValueError(f"{kind.__name__} must be a frozen dataclass of its settings")
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _problems(settings: Mapping[str, Value], kinds: Mapping[str, type]) -> Iterable[str]:
    owners = {part: fields(kind) for part, kind in kinds.items()}
    known = sorted({name for own in owners.values() for name in own})
    for name, value in settings.items():
        having = [part for part, own in owners.items() if name in own]
        if not having:
            yield lookup.unknown(name, known, "setting ")
        elif len(having) > 1:
            yield f"setting '{name}' belongs to {' and '.join(having)}: rename one"
        elif not _fits(value, owners[having[0]][name]):
            kind = _describe_type(owners[having[0]][name])
            yield f"setting '{name}' must be {kind}, got {value!r}"


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return kind not in (bool, str) or isinstance(value, kind)


def _describe_type(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(repr(choice) for choice in get_args(kind))
    return {float: "a number", int: "a whole number", bool: "true or false"}.get(kind, str(kind))


def metric_infos(study: Study) -> dict[str, MetricInfo]:
    """What the metrics of a study say of their numbers, by number."""
    return requested_metrics(study.evaluation.metrics, study.evaluation.settings).infos()


def rule_of(study: Study) -> SelectionRule:
    """By which a study chooses settings."""
    return SelectionRule.of(study.select.model_dump(), metric_infos(study))
