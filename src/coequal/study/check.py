"""Check a study before anything starts, beyond the form of its file."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from coequal import lookup
from coequal.contract import Encoder, Metric
from coequal.datasets._loading import known_manifold
from coequal.design import has_ratios
from coequal.evaluation.requested import RequestedMetrics, requested_metrics
from coequal.evaluation.requirements import Available, unmet_requests
from coequal.records import Trial
from coequal.settings import setting_problems
from coequal.study.check_stopping import stop_problems
from coequal.study.document import Document, Place, StudyError, StudyProblem, read, study_path
from coequal.study.parts import architecture_problems, assemble
from coequal.study.plan import search_of
from coequal.study.sections import BudgetSpec
from coequal.study.spec import Study, from_document


def checked(given: str | Path) -> tuple[Study, str]:
    """Read a study from a file, and make every check that needs no data.

    Parts from outside may lie beside the file: from here on its folder is searched for them.

    Args:
        given: the path of a YAML file, or the name of a study that comes with coequal.

    Returns:
        The study, and the text of the file.

    Raises:
        StudyError: with all problems.
    """
    path = study_path(given)
    lookup.search_also(path.parent)
    text, document = read(path)
    study = from_document(document, str(path), default_name=path.stem)
    if messages := problems(study, document):
        raise StudyError(str(path), messages)
    return study, text


def checked_values(values: Mapping[str, Any], origin: str, default_name: str) -> Study:
    """The study that plain values describe, with the checks of a file.

    Args:
        values: by the keys of a study file.
        origin: what messages name instead of a file.
        default_name: of the study, where the values have none.

    Raises:
        StudyError: with all problems.
    """
    study = from_document(Document(values, {}, ()), origin, default_name)
    if messages := problems(study):
        raise StudyError(origin, messages)
    return study


def problems(study: Study, document: Document | None = None) -> list[StudyProblem]:
    """Find settings that no part has, values that can't be, and parts that don't fit together.

    Args:
        study: of the right form.
        document: of its file, for the lines; None if it has none.
    """
    messages: dict[tuple[Place, str], None] = {}
    nets = architecture_problems(study.architecture.name, study.architecture.settings)
    drawn = {name for model in study.models for name in model.settings}
    for key in sorted(study.architecture.settings.keys() & drawn):
        nets[key] = f"{key} is a hyperparameter of the models; it can't be fixed for all networks"
    for key, message in nets.items():
        messages[("architecture", key), message] = None
    for key in sorted((study.tricks or {}).keys() & drawn):
        having = [model.name for model in study.models if key in model.settings]
        text = f"{', '.join(having)} has a {key} of its own; set it there, or take it out here"
        messages[("tricks", key), text] = None
    positions = {model.name: index for index, model in enumerate(study.models)}
    for trial in search_of(study):
        for place, message in _of_trial(trial, positions[trial.model]):
            if message not in nets.values():
                messages[place, message] = None
    known = {name for model in study.models for name in (*model.settings, *model.ranges("wide"))}
    for name in study.search.ranges:
        if name not in known:
            where: Place = ("search", "ranges", name)
            text = lookup.unknown(name, sorted(known), "no model has such a setting: ")
            messages[where, text] = None
    for message_of in (*_instrument_problems(study), *_phase_problems(study)):
        messages[message_of] = None
    return [
        StudyProblem(message, place, None if document is None else document.line(place))
        for place, message in messages
    ]


def _phase_problems(study: Study) -> list[tuple[Place, str]]:
    """Later phases that ask for more than the search gives, and budgets that fit nothing."""
    messages: list[tuple[Place, str]] = []
    trained = study.search.settings + 1
    if study.reruns.best > trained:
        text = f"asks for the best {study.reruns.best} settings of each model, and the search has "
        messages.append((("reruns", "best"), f"{text}{trained}, the authors' included"))
    own, without = study.reruns.base_seeds, not any(model.against for model in study.models)
    if own not in (None, study.reruns.seeds) and without:
        text = "no model here is compared `against` another; leave it out"
        messages.append((("reruns", "base_seeds"), text))
    if study.reruns.best > 1 and study.reruns.seeds == 1:
        text = "the seeds that choose among several settings can't also be reported; give"
        messages.append((("reruns", "seeds"), f"{text} at least 2, or `best: 1`"))
    if study.transfer.seeds and len(study.data) < 2:
        messages.append((("transfer", "seeds"), "a transfer needs a second dataset"))
    for name in study.training.budgets:
        if name not in study.data:
            text = lookup.unknown(name, study.data, "not among the study's data: ")
            messages.append((("training", "budgets", name), text))
    batch = study.training.batch_size
    for place, budget in _budgets(study):
        if budget.images is not None and budget.images < batch:
            text = (
                f"{budget.images} images are fewer than one batch of {batch}, so no step "
                "would be taken"
            )
            messages.append(((*place, "images"), text))
    return messages


def _budgets(study: Study) -> list[tuple[Place, BudgetSpec]]:
    own: list[tuple[Place, BudgetSpec]] = [
        (("training", "budgets", name), spec) for name, spec in study.training.budgets.items()
    ]
    return [(("training", "budget"), study.training.budget), *own]


def _of_trial(trial: Trial, index: int) -> list[tuple[Place, str]]:
    place: Place = ("models", index)
    try:
        parts = assemble(trial)
    except (LookupError, ValueError) as error:
        lines = str(error.args[0] if error.args else error).splitlines()
        return [(place, line) for line in lines]
    requirements, name = parts.objective.requirements(), trial.architecture["name"]
    missing = parts.architecture.unmet(requirements)
    messages = [f"needs {' and '.join(missing)}; {name} builds none"] if missing else []
    return [(place, f"{trial.model} {text}") for text in messages] + [
        (place, f"{trial.model}: {text}") for text in parts.tricks.unmet(requirements)
    ]


def _instrument_problems(study: Study) -> list[tuple[Place, str]]:
    """Metrics and an encoder that don't exist, can't work together, or can't choose."""
    messages: list[tuple[Place, str]] = []
    try:
        encoder: type[Encoder] | None = lookup.load_class(
            "encoders", study.evaluation.encoder, Encoder
        )
    except LookupError as error:
        encoder = None
        messages.append((("evaluation", "encoder"), str(error.args[0])))
    messages += stop_problems(study, encoder)
    place: Place = ("evaluation", "metrics")
    outputs: dict[str, str] = {}
    if settings := _metric_settings_problems(study):
        return [*messages, *settings]
    try:
        requested = requested_metrics(study.evaluation.metrics, study.evaluation.settings)
    except LookupError as error:
        return [*messages, (place, str(error.args[0]))]
    infos = requested.infos()
    for keys in requested.outputs.values():
        outputs |= {key: infos[key].better for key in keys}
    messages += _unmet_problems(study, requested, encoder)
    chosen = study.select.metric
    place = ("select", "metric")
    ratio = study.equivalence is not None and study.equivalence.ratio is not None
    if ratio and chosen in infos and not has_ratios(infos[chosen]):
        text = f"a ratio needs scores above 0 where lower is better, which {chosen} is not; "
        messages.append((("equivalence", "ratio"), f"{text}give a difference"))
    if outputs.get(chosen) == "target":
        messages.append(
            (place, f"{chosen} is best at a target; choose by one that is lower or higher")
        )
    elif chosen in outputs and (blind_to := infos[chosen].blind_to):
        text = f"{chosen} can't tell good images from {blind_to}; choose by another number"
        messages.append((place, text))
    elif chosen not in outputs:
        messages.append((place, lookup.unknown(chosen, outputs, "not measured in this study: ")))
    return messages


def _unmet_problems(
    study: Study, requested: RequestedMetrics, encoder: type[Encoder] | None
) -> list[tuple[Place, str]]:
    """Metrics that need what the encoder, a dataset or the models do not have."""
    known = Available()
    if encoder is not None:
        known = Available(encoder.knows_classes, encoder.published_names)
    unmeasurable: dict[tuple[str, str], list[str]] = {}
    for data in study.data:
        available = replace(known, manifold=known_manifold(data, study.image_size))
        for name, reason in unmet_requests(requested, available).items():
            unmeasurable.setdefault((name, reason), []).append(data)
    messages: list[tuple[Place, str]] = [
        (("evaluation", "metrics"), f"{name} can't measure {' and '.join(data)}: {reason}")
        for (name, reason), data in unmeasurable.items()
    ]
    suitable = requested.without({name for name, _ in unmeasurable})
    return messages + _model_problems(study, suitable, available)


def _model_problems(
    study: Study, requested: RequestedMetrics, available: Available
) -> list[tuple[Place, str]]:
    """Metrics that need what no model has (images of a class asked for, a probability), or not all
    have where the metric is what chooses.

    Args:
        study: the whole study.
        requested: metrics that suit the encoder and the datasets.
        available: what is known of these.
    """
    without: dict[str, dict[str, str]] = {}  # by metric and model the reason
    for trial in {trial.model: trial for trial in search_of(study)}.values():
        try:
            parts = assemble(trial)
        except (LookupError, ValueError):
            return []  # reported with the model
        model = replace(
            available,
            fake_labels="generator" in parts.architecture.uses_labels,
            generator=parts.objective.requirements().generator,
        )
        for name, reason in unmet_requests(requested, model).items():
            without.setdefault(name, {})[trial.model] = reason
    messages: list[tuple[Place, str]] = []
    for name, models in without.items():
        reasons = "; ".join(dict.fromkeys(models.values()))
        chosen = study.select.metric
        if len(models) == len(study.models):
            messages.append((("evaluation", "metrics"), f"no model here has {name}: it {reasons}"))
        elif chosen in (name, *requested.outputs.get(name, ())):
            text = f"{chosen} can't choose for {', '.join(models)}: it {reasons}"
            messages.append((("select", "metric"), text))
    return messages


def _metric_settings_problems(study: Study) -> list[tuple[Place, str]]:
    """Settings of metrics that don't exist, or have values that can't be."""
    messages: list[tuple[Place, str]] = []
    for name, settings in (study.evaluation.settings or {}).items():
        place: Place = ("evaluation", "settings", name)
        try:
            kind: type[Metric] = lookup.load_class("metrics", name, Metric)
        except LookupError as error:
            messages.append((place, str(error.args[0])))
            continue
        unfit = setting_problems(kind, settings)
        messages += [((*place, key), text) for key, text in unfit.items()]
        if not unfit:
            try:
                kind(**settings)
            except ValueError as error:
                messages.append((place, str(error)))
    return messages
