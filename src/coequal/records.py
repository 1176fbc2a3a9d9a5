"""Trials and results: plain values that travel between processes, files and the report. No torch
here."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

from coequal.ranges import Value

SCHEMA = 2  # of trial.json and result.json; a newer one is refused

STATUSES = ("done", "diverged", "timeout", "failed", "stopped early")
"""How a trial can end. `done` is the only one with a score; all of them count. `stopped early`: the
study gives up on runs of this health."""


@dataclass(frozen=True)
class Trial:
    """One training run, described completely by plain values."""

    model: str  # the contender's name
    objective: str  # name of a part, or "module:Class"
    data: str  # data set, as written in the study file
    setting: int  # 0 is the authors' setting, the rest are drawn
    settings: Mapping[str, Value]  # every hyper-parameter of the model
    architecture: Mapping[str, Value]  # name, and the settings that all models share
    training: Mapping[str, Any]  # budget, batch size, checkpoints, precision ...
    evaluation: Mapping[str, Any]  # encoder, metrics, number of samples
    image_size: int | None = (
        None  # height and width the images are brought to, or None: as they are
    )
    seed: int = 0
    repeat: int = 0  # 0 is the search's own run of the setting; 1, 2, ... are fresh seeds

    @cached_property
    def id(self) -> str:
        """Sixteen hexadecimal digits: the start of the SHA-256 of the trial's canonical JSON."""
        text = canonical({"schema": SCHEMA, **self.as_dict()})
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {name: _plain(value) for name, value in vars(self).items() if name != "id"}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Trial":
        """The trial that `as_dict` described."""
        return cls(**values)


@dataclass(frozen=True)
class Spent:
    """What a trial has spent so far. Evaluation and checkpoints are off the clock.

    A discriminator step is one fresh real batch for the player that learns from it; a model without
    a discriminator counts its only player's steps. `images` are real images so used. FLOPs are
    counted by dispatch on one real step of each kind, double backward included; 1 multiply-add is 2
    FLOPs.
    """

    discriminator_steps: int = 0
    generator_steps: int = 0
    images: int = 0
    flops: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class MetricInfo:
    """What a metric says of one of its numbers; a run stores it, so that nobody else need know.

    Attributes:
        better: in which direction; "target" if it is best at `target`, and both sides are worse.
        unit: in words, with the range where that helps.
        target: of "target", where it is a fixed number.
        worst: the worst possible number, where there is one.
        best: the number that no model can better, whatever it does, where there is one.
        label: what a reader calls it, "GAN-train"; by default its name without underscores.
    """

    better: Literal["lower", "higher", "target"]
    unit: str
    target: float | None = None
    worst: float | None = None
    best: float | None = None
    label: str | None = None

    def cost(self, value: float) -> float:
        """A number of which less is better; its own inverse."""
        return -value if self.better == "higher" else value

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "MetricInfo":
        """What `dataclasses.asdict` described; what a newer version says beside it is left out."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})


POINT = (2, 1, 1)
"""Channels, height and width of a point in the plane, which is kept in floats and shown in a
scatter plot: channel 0 is x, channel 1 is y."""


@dataclass(frozen=True)
class Measurement:
    """One number, and how it was measured."""

    metric: str  # "fd"
    split: str  # of the reference: validation to choose, test to report
    value: float
    protocol: str  # numbers of different protocols never share a column
    standard_error: float | None = None  # over new samples of the same size, where it is known


@dataclass(frozen=True)
class Checkpoint:
    """One moment of a trial at which it was measured."""

    step: int
    spent: Spent
    measurements: tuple[Measurement, ...]

    def value(self, metric: str, split: str) -> float:
        """The value of a metric on a split.

        Raises:
            KeyError: it was not measured.
        """
        for measurement in self.measurements:
            if (measurement.metric, measurement.split) == (metric, split):
                return measurement.value
        raise KeyError(f"{metric} on {split} was not measured at step {self.step}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Checkpoint":
        """The checkpoint that `dataclasses.asdict` described."""
        return cls(
            step=values["step"],
            spent=Spent(**values["spent"]),
            measurements=tuple(Measurement(**entry) for entry in values["measurements"]),
        )


@dataclass(frozen=True)
class Result:
    """What one trial produced. A failure is a result."""

    trial: Trial
    status: str
    spent: Spent
    checkpoints: tuple[Checkpoint, ...] = ()
    reason: str | None = None  # of a failure: the step and what was seen
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # every fallback that was taken
    health: Mapping[str, Any] | None = None  # verdict, step and evidence; None: was not watched

    @property
    def finished(self) -> bool:
        """Whether the trial reached its budget."""
        return self.status == "done"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        values = asdict(self)
        values["trial"] = self.trial.as_dict()
        return {"schema": SCHEMA, "id": self.trial.id, **values}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Result":
        """The result that `as_dict` described.

        Raises:
            ValueError: written by a newer version, not a result, or edited by hand.
        """
        try:
            schema = values["schema"]
            if schema != SCHEMA:
                raise ValueError(f"has schema {schema}; this version reads {SCHEMA}")
            result = cls(
                trial=Trial.from_dict(values["trial"]),
                status=values["status"],
                spent=Spent(**values["spent"]),
                checkpoints=tuple(Checkpoint.from_dict(entry) for entry in values["checkpoints"]),
                reason=values["reason"],
                environment=dict(values["environment"]),
                notes=tuple(values["notes"]),
                health=values.get("health"),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"is not a result ({type(error).__name__}: {error})") from error
        if result.status not in STATUSES:
            raise ValueError(f"has the unknown status '{result.status}'")
        if result.trial.id != values["id"]:
            raise ValueError("has an id that does not belong to its trial: was it edited?")
        return result


def canonical(values: Any) -> str:
    """JSON with sorted keys and no spaces: the same values give the same text."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    """Mappings and sequences as dict and list, so that JSON and back gives equal trials."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
