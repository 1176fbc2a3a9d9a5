"""A contender, as `models/*.yaml` and study files write it."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from coequal import lookup
from coequal.ranges import Range, read_range
from coequal.study.document import parse

T = TypeVar("T")


def one_as_several(given: Any) -> Any:
    """A name alone stands for a list of it: `data: digits`."""
    return (given,) if isinstance(given, str) else given


# A list will do, and so will a name; entries are strict.
Several = Annotated[tuple[T, ...], BeforeValidator(one_as_several), Field(strict=False)]
Pair = Annotated[tuple[float, float], Field(strict=False)]
Setting = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str


def known_part(kind: str, suffix: str = ".py") -> BeforeValidator:
    """Accept the name of a part of this kind, or "module:Name"."""

    def check(name: Any) -> Any:
        if (
            isinstance(name, str)
            and ":" not in name
            and name not in (known := lookup.names(kind, suffix))
        ):
            raise ValueError(lookup.unknown(name, known))
        return name

    return BeforeValidator(check)


class Entry(BaseModel):
    """A mapping of the file; unknown keys are problems."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class RangeSpec(Entry):
    """The range that a hyperparameter is drawn from: exactly one of three kinds."""

    uniform: Pair | None = Field(None, description="Uniform on [low, high).")
    log_uniform: Pair | None = Field(
        None, description="Uniform in the logarithm, on [low, high), both above 0."
    )
    choice: Several[Setting] | None = Field(
        None, description="Each of these values with the same probability."
    )

    @model_validator(mode="after")
    def _one_and_upright(self) -> "RangeSpec":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of uniform, log_uniform, choice; got {given or 'none'}")
        ends = self.uniform or self.log_uniform
        if ends and ends[0] > ends[1]:
            raise ValueError(f"low {ends[0]:g} is above high {ends[1]:g}")
        if self.log_uniform and self.log_uniform[0] <= 0:
            raise ValueError(
                f"a log_uniform range must be above 0, got low {self.log_uniform[0]:g}"
            )
        if self.choice == ():
            raise ValueError("a choice needs at least one value")
        return self

    def range(self) -> Range:
        """The range as the search draws from it."""
        return read_range(self.model_dump(exclude_none=True))


class ArchitectureSpec(BaseModel):
    """The networks that all models share, or a model's own; further keys are their settings."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)
    name: Annotated[str, known_part("architectures")] = Field(
        "infogan", description="An architecture of the package, or `module:Class`."
    )

    @property
    def settings(self) -> dict[str, Setting]:
        """What is said about the nets beyond their name."""
        return dict(self.model_extra or {})

    def as_dict(self) -> dict[str, Setting]:
        """Name and settings."""
        return {"name": self.name, **self.settings}


class Model(Entry):
    """A model that is written out; so are those of the package, in `models/*.yaml`. With
    `base: NAME` it has everything of a model of the package that it does not name itself."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="Name in tables and commands."
    )
    title: str = Field("", description="Name for people. By default `name`.")
    objective: Annotated[str, known_part("objectives")] = Field(
        description="The losses: an objective of the package, or `module:Class`."
    )
    source: str = Field("", description="The paper that it comes from, in words.")
    against: str | None = Field(
        None, description="The model of the study that it alone is compared with."
    )
    architecture: ArchitectureSpec | None = Field(
        None, description="Its own networks. By default those of the study."
    )
    settings: dict[str, Setting] = Field({}, description="Hyperparameters: the authors' setting.")
    wide: dict[str, RangeSpec] = Field({}, description="Ranges of the wide search space.")
    narrow: dict[str, RangeSpec] = Field({}, description="Ranges of the narrow search space.")

    @field_validator("settings", "wide", "narrow", mode="before")
    @classmethod
    def _nothing_to_remove(cls, values: Any) -> Any:
        entries = values.items() if isinstance(values, Mapping) else ()
        if nulls := [key for key, value in entries if value is None]:
            raise ValueError(
                f"{', '.join(map(str, nulls))}: null removes a setting of the `base`, "
                "which has none of this name; leave it out"
            )
        return values

    @property
    def label(self) -> str:
        """For people."""
        return self.title or self.name

    def nets(self, shared: ArchitectureSpec) -> dict[str, Setting]:
        """Name and settings of its nets in a study whose models share `shared`.

        Of those, nets of a model's own take the width alone, unless they have one.
        """
        if self.architecture is None:
            return shared.as_dict()
        width = {k: v for k, v in shared.settings.items() if k == "width"}
        return {**self.architecture.as_dict(), **width, **self.architecture.settings}

    def ranges(self, space: str) -> Mapping[str, RangeSpec]:
        """The declared ranges of a search space."""
        return self.narrow if space == "narrow" else self.wide


def resolve_model(entry: Any) -> Any:
    """A name, or a mapping with `base:` of a shipped model, as the whole mapping that `Model`
    checks. What is null there is taken away from the base: a setting with its ranges, or a range
    alone.

    What can't be resolved is handed on as it is, for pydantic to name the problem.
    """
    if isinstance(entry, str):
        return _shipped(entry) if entry in lookup.names("models", ".yaml") else entry
    if isinstance(entry, Mapping) and entry.get("base") in lookup.names("models", ".yaml"):
        base = _shipped(entry["base"])
        own = {key: value for key, value in entry.items() if key != "base"}
        given = own.get("settings", {})
        removed = _removed(given, base.get("settings", {}))
        for key in ("settings", "wide", "narrow"):
            if isinstance(own.get(key, {}), Mapping):
                own[key] = _changed(base.get(key, {}), own.get(key, {}), removed)
        nets = own.get("architecture")
        if isinstance(nets, Mapping) and "name" not in nets and "architecture" in base:
            own["architecture"] = {**base["architecture"], **nets}
        if "name" in own and "title" not in own:
            own["title"] = own["name"]
        return {**base, **own}
    return entry


def _removed(given: Any, base: Mapping[str, Any]) -> set[str]:
    """The settings of a base that are null in what is given for it."""
    values = given.items() if isinstance(given, Mapping) else ()
    return {name for name, value in values if value is None and name in base}


def _changed(
    base: Mapping[str, Any], given: Mapping[str, Any], removed: Collection[str]
) -> dict[str, Any]:
    """The entries of a base with those that are given in their place, and without others."""
    without = {*removed, *_removed(given, base)}
    return {name: value for name, value in {**base, **given}.items() if name not in without}


# Those of Lucic et al. 2018: they train on any images, and on nets that all of them can share.
FIRST = ("mm_gan", "ns_gan", "lsgan", "wgan", "wgan_gp", "dragan", "began", "vae")


def first_models() -> tuple[Model, ...]:
    """The contenders of a study that names none."""
    return tuple(Model.model_validate(_shipped(name)) for name in FIRST)


def shipped_models() -> tuple[Model, ...]:
    """All contenders that come with coequal."""
    return tuple(Model.model_validate(_shipped(name)) for name in lookup.names("models", ".yaml"))


def _shipped(name: str) -> dict[str, Any]:
    from importlib.resources import files

    text = (files("coequal") / "models" / f"{name}.yaml").read_text(encoding="utf-8")
    return {"name": name, **parse(text, f"models/{name}.yaml").values}
