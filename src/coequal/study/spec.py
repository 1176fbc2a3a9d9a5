"""The study file: its fields, their defaults, and what can be checked without torch."""

import difflib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from coequal import lookup
from coequal.design import rerun_seeds, retrained_share
from coequal.health import FAILURES
from coequal.settings import Count, sentence
from coequal.study.document import Document, Place, StudyError, StudyProblem, read
from coequal.study.model import (
    ArchitectureSpec,
    Entry,
    Model,
    RangeSpec,
    Setting,
    Several,
    first_models,
    known_part,
    one_as_several,
    resolve_model,
)
from coequal.training.settings import BatchSize, Decay, Precision, Training


def _data(name: Any) -> Any:
    from coequal.datasets._loading import (
        check_dataset,  # imports Pillow and torch: only where a name is checked
    )

    if isinstance(name, str):
        try:
            check_dataset(name)
        except LookupError as error:
            raise ValueError(error.args[0]) from error
    return name


def _metric(name: Any) -> Any:
    """A metric, or one of the numbers that metrics give, under its own name: one study has one id,
    however its file writes them."""
    if not isinstance(name, str) or ":" in name or name in lookup.names("metrics"):
        return name
    from coequal.evaluation.requested import requested_metrics  # as in `_data`

    try:
        asked = requested_metrics([name])
    except LookupError as error:
        raise ValueError(error.args[0]) from error
    ((metric, numbers),) = asked.outputs.items()
    if numbers == requested_metrics([metric]).outputs[metric]:
        return metric if name not in numbers else name
    if len(numbers) > 1:
        raise ValueError(f"'{name}' stands for {', '.join(numbers)}; list these")
    return numbers[0]


def _verdict(name: Any) -> Any:
    if name not in FAILURES:
        raise ValueError(lookup.unknown(str(name), FAILURES))
    return name


DEFAULT_SETTINGS = 20


class SearchSpec(Entry):
    """How settings are drawn, and when the study looks at the results.

    Setting 0, the authors', is trained besides; it is no draw.
    """

    space: Literal["wide", "narrow"] = "wide"
    settings: NonNegativeInt = DEFAULT_SETTINGS  # random draws for each model
    budget: Count = 2  # settings that the tuner may try: the question that the verdict answers
    # The best share by validation, trained once more with a fresh seed.
    retrain: float = Field(0.25, ge=0, le=1)
    # Numbers of settings at which the verdict is reached; a number: so many equal parts.
    looks: Several[Count] = Field((), validate_default=True)
    spending: Literal["obrien_fleming", "pocock"] = "obrien_fleming"
    # Instead of the models' own, for every model that has the setting.
    ranges: dict[str, RangeSpec] = Field(default_factory=dict)
    reason: str = ""  # why they differ, for the report

    @model_validator(mode="before")
    @classmethod
    def _last_look(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "settings" not in values:
            looks = values.get("looks")
            if isinstance(looks, list | tuple) and looks:
                return {**values, "settings": looks[-1]}
        return values

    @field_validator("looks", mode="before")
    @classmethod
    def _in_numbers(cls, looks: Any, info: ValidationInfo) -> Any:
        settings = info.data.get("settings")
        if settings is None:  # wrong, and reported there
            return ()
        if isinstance(looks, list | tuple):
            return looks or ((settings,) if settings else ())
        if not isinstance(looks, int) or isinstance(looks, bool) or not 1 <= looks <= settings:
            raise ValueError(
                f"must be a list of numbers of settings, as in [20, 40], or into how many equal "
                f"parts the {settings} settings fall, from 1 to {settings}; got {looks!r}"
            )
        return tuple(math.ceil(settings * part / looks) for part in range(1, looks + 1))

    @field_validator("looks", mode="after")
    @classmethod
    def _ascending(cls, looks: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        settings = info.data.get("settings")
        if list(looks) != sorted(set(looks)):
            raise ValueError(f"must ascend, got {list(looks)}")
        if settings is not None and looks and settings not in looks:
            text = f"settings: {settings} is not among them; a run ends at a look: name it in"
            raise ValueError(f"{text} looks, or set settings to one of {list(looks)}")
        return looks


class EquivalenceSpec(Entry):
    """The largest difference that does not matter: a ratio of scores, or a difference."""

    ratio: float | None = Field(None, gt=1)
    difference: PositiveFloat | None = None

    @model_validator(mode="after")
    def _one(self) -> "EquivalenceSpec":
        if (self.ratio is None) == (self.difference is None):
            raise ValueError(
                "give a ratio (as in {ratio: 1.1}, for scores above 0 of which less is better) or "
                "a difference (as in {difference: 0.02}), one of them"
            )
        return self


class BudgetSpec(Entry):
    """What one trial may spend: one of four units."""

    discriminator_steps: Count | None = None
    images: Count | None = None
    flops: PositiveFloat | None = None
    seconds: PositiveFloat | None = None

    @model_validator(mode="after")
    def _one(self) -> "BudgetSpec":
        if len(self.as_dict()) != 1:
            raise ValueError(
                f"give one of {', '.join(type(self).model_fields)}; "
                f"got {', '.join(self.as_dict()) or 'none'}"
            )
        return self

    def as_dict(self) -> dict[str, float]:
        """Unit and amount."""
        return {name: value for name, value in self if value is not None}


class TrainingSpec(Entry):
    """The same for every model."""

    budget: BudgetSpec = BudgetSpec(discriminator_steps=1500)
    budgets: dict[str, BudgetSpec] = Field(default_factory=dict)  # of datasets with another
    batch_size: BatchSize = Training.batch_size
    checkpoints: Count = Training.checkpoints
    precision: Precision = Training.precision
    ema: Decay | None = Training.ema
    # Weights of which checkpoints stay beside those of the last: of the best by validation, of all.
    keep: Literal["last", "best", "schedule"] | None = None
    # Keep what a longer budget needs to go on from a trial's end, as `coequal train` does.
    extendable: bool | None = None
    # Nets are compiled by torch; moves are recorded and launched as CUDA graphs.
    compile: bool | None = None
    cuda_graphs: bool | None = None
    # Verdicts of its health at which a trial ends as `stopped early`.
    stop_on: Several[Annotated[str, BeforeValidator(_verdict)]] | None = None

    @field_validator("stop_on", mode="after")
    @classmethod
    def _in_one_order(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        # The same trials, however a file lists them; to stop on nothing is not to ask for it.
        return tuple(name for name in FAILURES if name in (names or ())) or None


class EvaluationSpec(Entry):
    """The instrument."""

    encoder: Annotated[str, known_part("encoders")] = "classifier"
    metrics: Several[Annotated[str, BeforeValidator(_metric)]] = Field(("fd",), min_length=1)
    samples: int = Field(5000, ge=2)
    # Of each trial, images beside their nearest training images in the encoder's features.
    neighbours: bool | None = None
    settings: dict[str, dict[str, Setting]] | None = None  # of metrics, by the metric's name


class SelectSpec(Entry):
    """How a setting is chosen: on validation, never on test."""

    metric: str = "fd"
    split: Literal["validation"] = "validation"
    checkpoint: Literal["last", "best"] = "last"  # best: by validation, as everything here


class RerunsSpec(Entry):
    """Fresh seeds of each model's best settings, after the search."""

    best: Count = 1  # settings of each model and dataset
    seeds: NonNegativeInt = 0  # of each of them; 0: no re-runs
    # Of a model that k others are compared with (`against`); None: about sqrt(k) times as many.
    base_seeds: NonNegativeInt | None = None


class TransferSpec(Entry):
    """Each dataset's best setting on the other datasets."""

    seeds: NonNegativeInt = 0  # fresh ones; 0: no transfer


class Study(Entry):
    """A study, with every default filled in."""

    study: str = Field(pattern=r"^[^/\\]+$")
    question: str = ""
    data: Several[Annotated[str, BeforeValidator(_data)]] = Field(("fashion_mnist",), min_length=1)
    image_size: int | None = None
    models: Several[Model] = Field(default_factory=lambda: first_models(), min_length=1)
    architecture: ArchitectureSpec = ArchitectureSpec()
    search: SearchSpec = SearchSpec()
    tricks: dict[str, Setting] | None = None  # settings that all models have beside their own
    training: TrainingSpec = TrainingSpec()
    evaluation: EvaluationSpec = EvaluationSpec()
    select: SelectSpec = SelectSpec()
    equivalence: EquivalenceSpec | None = None
    reruns: RerunsSpec = RerunsSpec()
    transfer: TransferSpec = TransferSpec()
    seed: NonNegativeInt = 0

    @field_validator("models", mode="before")
    @classmethod
    def _resolve(cls, models: Any) -> Any:
        several = one_as_several(models)
        return (
            [resolve_model(entry) for entry in several]
            if isinstance(several, list | tuple)
            else several
        )

    @field_validator("image_size", mode="after")
    @classmethod
    def _known_size(cls, size: int | None, info: ValidationInfo) -> int | None:
        from coequal.datasets._loading import check_image_size  # as in `_data`

        check_image_size(size, info.data.get("data", ()))
        return size

    @field_validator("models", "data", mode="after")
    @classmethod
    def _no_twins(cls, entries: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        names = [entry.name if isinstance(entry, Model) else entry for entry in entries]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"named twice: {', '.join(twice)}; each needs a name of its own")
        return entries

    @field_validator("models", mode="after")
    @classmethod
    def _known_rivals(cls, models: tuple[Model, ...]) -> tuple[Model, ...]:
        names = [model.name for model in models]
        for model in models:
            if model.against == model.name:
                raise ValueError(f"{model.name} can't be compared with itself (against)")
            if model.against is not None and model.against not in names:
                raise ValueError(lookup.unknown(model.against, names, f"{model.name}: against: "))
        return models

    @property
    def retrained_share(self) -> float:
        """The best share of the settings of each model that are trained once more with a fresh
        seed; 0 where the budget that can be judged is one setting, which is chosen from none."""
        return retrained_share(self.search.model_dump())

    def rerun_seeds(self, model: str) -> int:
        """Fresh seeds of each of a model's best settings, after the search."""
        return rerun_seeds(self.as_dict(), model)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, every default filled in; what is none is left out."""
        return self.model_dump(mode="json", exclude_none=True)


def load(path: Path) -> tuple[Study, str]:
    """The study in a file, and the file's text.

    Raises:
        StudyError: with every problem that can be found without building anything.
    """
    text, document = read(path)
    return from_document(document, str(path), default_name=path.stem), text


def from_document(document: Document, file: str, default_name: str) -> Study:
    """The study that a document describes.

    Raises:
        StudyError: with every problem.
    """
    values = document.values if document.values is not None else {}
    if not isinstance(values, Mapping):
        raise StudyError(file, [StudyProblem("a study file is a mapping, `key: value`", line=1)])
    problems = list(document.problems)
    try:
        study = Study.model_validate({"study": default_name, **values})
    except ValidationError as error:
        problems += _problems(document, [dict(entry) for entry in error.errors()])
        raise StudyError(file, problems) from error
    if problems:
        raise StudyError(file, problems)
    return study


def _problems(document: Document, errors: Sequence[Mapping[str, Any]]) -> list[StudyProblem]:
    """One problem per mistake: what only follows from another mistake is left out."""
    places = [tuple(error["loc"]) for error in errors]
    bad_bases = {place[:-1] for place in places if place[-1:] == ("base",)}
    found = []
    for error, place in zip(errors, places, strict=True):
        deeper = any(other != place and other[: len(place)] == place for other in places)
        if error["type"] == "too_short" and deeper:
            continue
        if error["type"] == "missing" and place[:-1] in bad_bases:
            continue
        found.append(_problem(document, error))
    return found


def _problem(document: Document, error: Mapping[str, Any]) -> StudyProblem:
    place: Place = tuple(error["loc"])
    line = document.line(place)
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden" and place[-1] == "base":
        return StudyProblem(
            lookup.unknown(str(given), lookup.names("models", ".yaml")), place, line
        )
    if kind == "extra_forbidden":
        fields = [*_schema_at(place[:-1]).get("properties", ())]
        fields += ["base"] if place[0] == "models" and len(place) == 3 else []
        close = difflib.get_close_matches(str(place[-1]), fields, n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"known here: {', '.join(fields)}"
        return StudyProblem(f"unknown key; {hint}", place, line)
    if (
        kind in ("model_type", "model_attributes_type")
        and place[:1] == ("models",)
        and len(place) == 2
    ):
        known = lookup.names("models", ".yaml")
        if isinstance(given, str):
            return StudyProblem(lookup.unknown(given, known), place, line)
    return StudyProblem(sentence(error, _schema_at(place)), place, line)


def _schema_at(place: Place) -> Mapping[str, Any]:
    """The JSON schema of what may stand at a place; empty where it is of no use for a message."""
    whole = Study.model_json_schema()
    found = whole
    for part in place:
        inner = found.get("items") or found.get("additionalProperties")
        found = found.get("properties", {}).get(part, inner)
        found = found if isinstance(found, Mapping) else {}
        choices = [choice for choice in found.get("anyOf", ()) if choice.get("type") != "null"]
        found = choices[0] if len(choices) == 1 else found
        found = whole["$defs"][found["$ref"].rpartition("/")[2]] if "$ref" in found else found
    return found
