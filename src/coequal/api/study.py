"""A study from Python: keyword arguments, a mapping or a file, checked as a file is."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, PrivateAttr

from coequal.api.named_parts import named
from coequal.contract import Architecture, Dataset, Objective
from coequal.formatting import count, listed
from coequal.results.folder import RunFolder
from coequal.study.check import checked, checked_values
from coequal.study.document import Document, StudyError, StudyProblem, yaml_text
from coequal.study.spec import Study as CheckedStudy
from coequal.study.spec import from_document

Fields: TypeAlias = Mapping[str, Any] | BaseModel
"""A section of a study, with the keys that it has in a study file."""

ModelEntry: TypeAlias = str | Fields | Objective | type[Objective]
DataEntry: TypeAlias = str | Path | Callable[[Path], Dataset]
Networks: TypeAlias = Fields | Architecture | type[Architecture]


class Study(CheckedStudy):
    """A study: its models, data, budgets and rules, checked, with every default filled in.

    It is made from keyword arguments, from a mapping, from a file, or from the name of a study that
    comes with coequal. Keyword arguments replace whole fields of a mapping or a file. They are the
    fields of a study file (docs/reference/study_file.md), with the same defaults. Wherever a file
    names a part, you can also give a class, a function or an object. A class from a notebook or a
    script is written into a module of its own, with everything there that it uses, so that worker
    processes can import it and `pack` keeps its source.

    Args:
        source: a YAML file, the name of a study that comes with coequal ("smoke", "demo"), a
            mapping with the fields of a file, or another study.
        study: its name, which is also the name of the run's folder.
        question: the question that it answers, for the report.
        models: names ("ns_gan"), mappings as in a file, subclasses of `coequal.contract.Objective`,
            or instances of them, whose settings are kept.
        data: names of datasets, folders of images as Paths, or functions that make a dataset.
        image_size: height and width to which images are resized; None: their own.
        architecture: the networks that all models share: a mapping with `name` and settings, a
            subclass of `coequal.contract.Architecture`, or an instance.
        search: how settings are drawn: {"settings": 40, "budget": 4}.
        tricks: settings that all models have in addition to their own.
        training: how every model is trained: {"budget": {"discriminator_steps": 1500}}.
        evaluation: how images are measured: {"metrics": ["fd", MyMetric], "encoder": "pixels"}.
        select: the metric by which a setting is chosen: {"metric": "fd"}.
        equivalence: the largest difference that does not matter: {"ratio": 1.1}.
        reruns: fresh seeds of each model's best settings: {"seeds": 10}.
        transfer: each dataset's best setting on the others: {"seeds": 3}.
        seed: random seed of the study.

    Raises:
        StudyError: the study can't be run; the message lists every problem.

    Examples:
        >>> import coequal as cq
        >>> study = cq.Study(
        ...     study="two_losses",
        ...     models=["ns_gan", "wgan_gp"],
        ...     data="digits",
        ...     search={"settings": 4},
        ...     training={"budget": {"discriminator_steps": 200}},
        ... )
        >>> study.study
        'two_losses'
    """

    _file: tuple[str, dict[str, Any]] = PrivateAttr(("", {}))

    def __init__(
        self,
        source: str | Path | Fields | None = None,
        /,
        *,
        study: str | None = None,
        question: str | None = None,
        models: ModelEntry | Sequence[ModelEntry] | None = None,
        data: DataEntry | Sequence[DataEntry] | None = None,
        image_size: int | None = None,
        architecture: Networks | None = None,
        search: Fields | None = None,
        tricks: Mapping[str, Any] | None = None,
        training: Fields | None = None,
        evaluation: Fields | None = None,
        select: Fields | None = None,
        equivalence: Fields | None = None,
        reruns: Fields | None = None,
        transfer: Fields | None = None,
        seed: int | None = None,
        **unknown: Any,
    ) -> None:
        given = {
            name: value
            for name, value in locals().items()
            if name in CheckedStudy.model_fields and value is not None
        }
        found, text = _found(source, {**given, **unknown})
        super().__init__(**{name: getattr(found, name) for name in CheckedStudy.model_fields})
        self._file = text, self.as_dict()

    def yaml(self) -> str:
        """The study as the text of a file: that of its own file, or one with every default."""
        text, values = self._file
        return text if text and values == self.as_dict() else yaml_text(self.as_dict())

    def save(self, path: str | Path) -> Path:
        """Write the study to a YAML file, which `coequal run` takes.

        Args:
            path: the file to write; an existing one is replaced.

        Returns:
            The path.
        """
        path = Path(path)
        path.write_text(self.yaml(), encoding="utf-8")
        return path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CheckedStudy) and self.as_dict() == other.as_dict()

    def __repr__(self) -> str:
        models = listed([model.name for model in self.models])
        settings = count(self.search.settings, "random setting")
        return f"Study '{self.study}': {models} on {listed(self.data)}, {settings} each"

    __str__ = __repr__


def stored_study(folder: RunFolder) -> Study:
    """The study of a run; whether its parts are available here is not checked.

    Args:
        folder: of the run.

    Raises:
        StudyError: this version does not know some of its values.
    """
    document = Document(folder.study(), {}, ())
    found = from_document(document, str(folder.path / "study.json"), "study")
    study = Study.model_construct(**{name: getattr(found, name) for name in found.model_fields_set})
    study._file = (folder.path / "study.yaml").read_text(encoding="utf-8"), study.as_dict()
    return study


def _found(
    source: str | Path | Fields | None, given: Mapping[str, Any]
) -> tuple[CheckedStudy, str]:
    """The study that the arguments describe, and the text of its file; empty where it has none."""
    if isinstance(source, str | Path):
        source, text = checked(source)
        if not given:
            return source, text
    if source is not None and not isinstance(source, Mapping | CheckedStudy):
        raise TypeError(
            f"a study is made from a file, a mapping or keyword arguments, not from {source!r}"
        )
    values = source.as_dict() if isinstance(source, CheckedStudy) else dict(source or {})
    try:
        values = named({**values, **given})
    except ValueError as error:
        raise StudyError("study", [StudyProblem(str(error))]) from error
    return checked_values(values, "study", "study"), ""
