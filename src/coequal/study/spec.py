"""The study file: its fields, their defaults, and what can be checked without torch."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from coequal import lookup
from coequal.design import rerun_seeds, retrained_share
from coequal.settings import sentence
from coequal.study.document import Document, Place, StudyError, StudyProblem, read
from coequal.study.model import (
    ArchitectureSpec,
    Entry,
    Model,
    Setting,
    Several,
    first_models,
    one_as_several,
    resolve_model,
)
from coequal.study.sections import (
    EquivalenceSpec,
    EvaluationSpec,
    RerunsSpec,
    SearchSpec,
    SelectSpec,
    TrainingSpec,
    TransferSpec,
)


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


class Study(Entry):
    """A study, with every default filled in."""

    study: str = Field(
        pattern=r"^[^/\\]+$", description="Name of the study. By default that of the file."
    )
    question: str = Field("", description="The question, which the report begins with.")
    data: Several[Annotated[str, BeforeValidator(_data)]] = Field(
        ("fashion_mnist",),
        min_length=1,
        description="Datasets: of the package, `folder:PATH`, or `module:function`.",
    )
    image_size: int | None = Field(
        None,
        description="Height and width in pixels that images are brought to. By default their own.",
    )
    models: Several[Model] = Field(
        default_factory=lambda: first_models(),
        min_length=1,
        description="Names of models of the package, or models written out. By default the eight "
        "of Lucic et al. 2018, arXiv:1711.10337.",
    )
    architecture: ArchitectureSpec = Field(
        ArchitectureSpec(), description="The networks that all models share."
    )
    search: SearchSpec = Field(
        SearchSpec(), description="How hyperparameters are searched, and when there is a verdict."
    )
    tricks: dict[str, Setting] | None = Field(
        None, description="Settings that every model has beside its own."
    )
    training: TrainingSpec = Field(TrainingSpec(), description="How every model is trained.")
    evaluation: EvaluationSpec = Field(
        EvaluationSpec(), description="How generated images are measured."
    )
    select: SelectSpec = Field(SelectSpec(), description="How a setting is chosen.")
    equivalence: EquivalenceSpec | None = Field(
        None,
        description="The largest difference that does not matter. By default a ratio of 1.1 for "
        "scores above 0 of which less is better, and none for others.",
    )
    reruns: RerunsSpec = Field(RerunsSpec(), description="Fresh seeds of the best settings.")
    transfer: TransferSpec = Field(
        TransferSpec(), description="The best settings of each dataset on the others."
    )
    seed: NonNegativeInt = Field(0, description="Seed of every random number of the study.")

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
