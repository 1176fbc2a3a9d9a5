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
    """One training run, described completely by plain values.

    Attributes:
        model: the contender's name.
        objective: name of a part, or "module:Class".
        data: the data set, as written in the study file.
        setting: 0 is the authors' setting; the others are drawn.
        settings: every hyper-parameter of the model.
        architecture: name of the nets, and the settings that all models share.
        training: budget, batch size, number of checkpoints, precision.
        evaluation: encoder, metrics, number of samples.
        image_size: height and width to which the images are brought; None: as they are.
        seed: of the study.
        repeat: 0 is the search's own run of the setting; 1, 2, ... are fresh seeds.
    """

    model: str
    objective: str
    data: str
    setting: int
    settings: Mapping[str, Value]
    architecture: Mapping[str, Value]
    training: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    image_size: int | None = None
    seed: int = 0
    repeat: int = 0

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
        """Read what `as_dict` gave."""
        return cls(**values)


@dataclass(frozen=True)
class Spent:
    """What a trial has spent so far. Evaluation and checkpoints are off the clock.

    Attributes:
        discriminator_steps: fresh real batches for the player that learns from them; a model
            without a discriminator counts the steps of its only player.
        generator_steps: steps of the generator.
        images: real images of these batches.
        flops: counted by dispatch on one real step of each kind, double backward included; one
            multiply-add is 2 FLOPs.
        seconds: of training on the clock.
    """

    discriminator_steps: int = 0
    generator_steps: int = 0
    images: int = 0
    flops: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class MetricInfo:
    """What a metric says of one of its numbers; a run stores it, and all else reads it there.

    Attributes:
        better: in which direction it is better; "target" if it is best at `target`, and worse on
            both sides.
        unit: its unit, with the range where that helps.
        target: the best number where `better` is "target" and the number is fixed.
        worst: the worst possible number, where there is one.
        best: the number that no model can surpass, where there is one.
        label: its name in tables and figures, "GAN-train"; None: its name without underscores.
    """

    better: Literal["lower", "higher", "target"]
    unit: str
    target: float | None = None
    worst: float | None = None
    best: float | None = None
    label: str | None = None

    def cost(self, value: float) -> float:
        """Turn a value into a number of which less is better; applied twice, it gives the value."""
        return -value if self.better == "higher" else value

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "MetricInfo":
        """Read what `dataclasses.asdict` gave; further keys of a newer version are ignored."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})


POINT = (2, 1, 1)
"""Channels, height and width of a point in the plane, which is kept in floats and shown in a
scatter plot: channel 0 is x, channel 1 is y."""


@dataclass(frozen=True)
class Measurement:
    """One number, and how it was measured.

    Attributes:
        metric: the name of the number, "fd".
        split: of the reference images: "validation" to choose by, "test" to report.
        value: the number.
        protocol: how it was measured; numbers of different protocols never share a column.
        standard_error: over new samples of the same size; None where it is not known.
    """

    metric: str
    split: str
    value: float
    protocol: str
    standard_error: float | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A point of a trial's training at which it was measured.

    Attributes:
        step: of the training.
        spent: what the trial had spent by then.
        measurements: every number on every split.
    """

    step: int
    spent: Spent
    measurements: tuple[Measurement, ...]

    def value(self, metric: str, split: str) -> float:
        """Get the value of a metric on a split.

        Raises:
            KeyError: it was not measured.
        """
        for measurement in self.measurements:
            if (measurement.metric, measurement.split) == (metric, split):
                return measurement.value
        raise KeyError(f"{metric} on {split} was not measured at step {self.step}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Checkpoint":
        """Read what `dataclasses.asdict` gave."""
        return cls(
            step=values["step"],
            spent=Spent(**values["spent"]),
            measurements=tuple(Measurement(**entry) for entry in values["measurements"]),
        )


@dataclass(frozen=True)
class Result:
    """What one trial produced. A failure is a result.

    Attributes:
        trial: the training run.
        status: how it ended, one of `STATUSES`.
        spent: by the whole trial.
        checkpoints: at which it was measured, in order.
        reason: of a failure: the step and what was observed; else None.
        environment: versions and hardware.
        notes: every fallback that was taken.
        health: verdict, step and evidence; None if the trial was not watched.
    """

    trial: Trial
    status: str
    spent: Spent
    checkpoints: tuple[Checkpoint, ...] = ()
    reason: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    health: Mapping[str, Any] | None = None

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
        """Read what `as_dict` gave.

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
    """JSON with sorted keys and no spaces, so that equal values give equal text."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    """Mappings and sequences as dict and list, so that JSON and back gives equal trials."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
