"""From the plain values of a trial to its parts, and what is wrong with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from coequal import lookup
from coequal.code_places import described
from coequal.contract import Architecture, MetricInfo, Objective
from coequal.evaluation.requested import requested_metrics
from coequal.ranges import Value
from coequal.records import Trial
from coequal.selection import SelectionRule
from coequal.settings import setting_names, setting_problems
from coequal.study.spec import Study
from coequal.training.part_calls import refuse_malformed_objective
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
    """The parts of a trial; each hyperparameter goes to the part that has a field of its name.

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
    fixed = {key: value for key, value in trial.architecture.items() if key != "name"}
    problems = [
        f"{key} is a hyperparameter of the models; it can't be fixed for all networks"
        for key in sorted(fixed.keys() & trial.settings.keys())
    ]
    problems += _ownership_problems(trial.settings, kinds)
    made: dict[str, Any] = {}
    for part, kind in kinds.items():
        known = setting_names(kind)
        given = {name: value for name, value in trial.settings.items() if name in known}
        given |= fixed if part == "architecture" else {}
        unfit = setting_problems(kind, given)
        problems += unfit.values()
        fitting = {name: value for name, value in given.items() if name not in unfit}
        if setting_problems(kind, fitting):
            continue  # one that has no default is not among them
        try:
            made[part] = kind(**fitting)
            if part == "objective":
                refuse_malformed_objective(made[part])
        except ValueError as error:
            problems.append(str(error))
        except Exception as error:
            problems.append(f"{kind.__name__} can't be made: {described(error)}")
    if problems:
        raise ValueError("\n".join(problems))
    return Parts(**made, training=Training.of(trial.training))


def architecture_problems(name: str, settings: Mapping[str, Value]) -> dict[str, str]:
    """What is wrong with the settings that a study gives the nets, by setting."""
    try:
        kind = lookup.load_class("architectures", name, Architecture)
    except LookupError as error:
        return {"name": str(error.args[0])}
    problems = setting_problems(kind, settings)
    return {key: text for key, text in problems.items() if key in settings}


def refuse_metric_settings(settings: Mapping[str, Mapping[str, Value]]) -> None:
    """Refuse settings of metrics that don't exist, or that have no such setting or value.

    Args:
        settings: by the metric's name.

    Raises:
        LookupError, ValueError: there is such a setting; all problems of a metric at once.
    """
    for name, given in settings.items():
        if unfit := setting_problems(lookup.load("metrics", name), given):
            raise ValueError("\n".join(f"{name}: {text}" for text in unfit.values()))


def _ownership_problems(settings: Iterable[str], kinds: Mapping[str, type]) -> Iterable[str]:
    """Settings that belong to no part, or to two."""
    owned = {part: setting_names(kind) for part, kind in kinds.items()}
    known = sorted({name for names in owned.values() for name in names})
    for name in settings:
        having = [part for part, names in owned.items() if name in names]
        if not having:
            unknown = lookup.unknown(name, known, "setting ")
            yield f"{unknown}; `{name}: null` removes it from a model that has a `base`"
        elif len(having) > 1:
            yield f"setting '{name}' belongs to {' and '.join(having)}: rename one"


def metric_infos(study: Study) -> dict[str, MetricInfo]:
    """What the metrics of a study say of their numbers, by number."""
    return requested_metrics(study.evaluation.metrics, study.evaluation.settings).infos()


def rule_of(study: Study) -> SelectionRule:
    """By which a study chooses settings."""
    return SelectionRule.of(study.select.model_dump(), metric_infos(study))
