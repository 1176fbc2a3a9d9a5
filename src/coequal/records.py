"""Trials and results: plain values that travel between processes, files and the report. No torch
here."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

from coequal.checkpoints import Checkpoints, Spent
from coequal.ranges import Value

SCHEMA = 2  # of the description of a trial, which is part of its id

Status = Literal["done", "diverged", "timeout", "failed", "stopped early"]
"""How a trial can end. `done` is the only one with a score; all of them count. `stopped early`: the
study gives up on runs of this health."""


@dataclass(frozen=True)
class Trial:
    """One training run, described completely by plain values.

    Attributes:
        model: the contender's name.
        objective: name of a part, or "module:Class".
        data: the dataset, as written in the study file.
        setting: 0 is the authors' setting; the others are drawn.
        settings: every hyperparameter of the model.
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
        return _digest(self._described())

    @property
    def seed_id(self) -> str:
        """What its random numbers are named by: its id; of a trial that can be extended, the same
        whatever its budget, so that a longer one begins as the shorter one did."""
        if not self.training.get("extendable"):
            return self.id
        open_ended = {k: v for k, v in self.training.items() if k not in ("budget", "checkpoints")}
        return _digest({**self._described(), "training": open_ended})

    def _described(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "id"}

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {name: _plain(value) for name, value in self._described().items()}


def label(trial: Trial) -> str:
    """A trial's name in messages: `ns_gan 3 seed 2`."""
    again = f" seed {trial.repeat}" if trial.repeat else ""
    return f"{trial.model} {trial.setting}{again}"


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
        blind_to: what worthless images the number takes for good ones, in words; a study can't
            choose by such a number. None: no such are known.
        recommended: whether it is one of the few to look at first, on the evidence of
            `benchmarks/recommended.py`.
        use: what the number is good for, and when to look at it, in a short phrase. None: it is
            not said.
    """

    better: Literal["lower", "higher", "target"]
    unit: str
    target: float | None = None
    worst: float | None = None
    best: float | None = None
    label: str | None = None
    blind_to: str | None = None
    use: str | None = None
    recommended: bool = False

    def cost(self, value: float) -> float:
        """Turn a value into a number of which less is better; applied twice, it gives the value."""
        return -value if self.better == "higher" else value

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "MetricInfo":
        """Read what `dataclasses.asdict` gave; keys that another version lacks or has more are
        left at their defaults or ignored."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


POINT = (2, 1, 1)
"""Channels, height and width of a point in the plane, which is kept in floats and shown in a
scatter plot: channel 0 is x, channel 1 is y."""


@dataclass(frozen=True)
class TrialHealth:
    """What became of a training as its monitor saw it.

    Attributes:
        verdict: one of `coequal.health.VERDICTS`.
        step: since which it is so; None where that is not known.
        evidence: what was observed, in words.
    """

    verdict: str
    step: int | None
    evidence: str


@dataclass(frozen=True)
class CodeError:
    """An exception in the code of a trial's parts.

    Attributes:
        kind: of the exception, "AttributeError".
        place: where it was raised, "my_lab/losses.py:34".
        moved: whether each player had taken a step by then.
    """

    kind: str
    place: str
    moved: bool


@dataclass(frozen=True)
class Result:
    """What one trial produced. A failure is a result.

    Attributes:
        trial: the training run.
        status: how it ended, one of `Status`.
        spent: by the whole trial.
        checkpoints: at which it was measured, in order.
        reason: of a failure: the step and what was observed; else None.
        environment: versions and hardware.
        notes: every fallback that was taken.
        health: the verdict on the training; None if the trial was not watched.
        error: the exception that ended the trial; None if none did, or an older version wrote it.
    """

    trial: Trial
    status: Status
    spent: Spent
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    reason: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    health: TrialHealth | None = None
    error: CodeError | None = None

    @property
    def finished(self) -> bool:
        """Whether the trial reached its budget."""
        return self.status == "done"


def _digest(described: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of a trial's description."""
    text = canonical({"schema": SCHEMA, **described})
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def canonical(values: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values give equal text."""
    return json.dumps(
        values, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_mapping
    )


def _mapping(value: Any) -> dict[str, Any]:
    """A mapping that is no dict, for JSON."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} is no plain value")


def _plain(value: Any) -> Any:
    """Mappings and sequences as dict and list, so that JSON and back gives equal trials."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
