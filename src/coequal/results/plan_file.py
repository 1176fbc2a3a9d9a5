"""plan.json: a line for every trial of a study, with its id, in the order in which they run."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError

from coequal.records import Trial, canonical

PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class _NamedTrial:
    """What is quickly read of a trial of the plan."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]  # it names a folder
    model: str


_NAMED = TypeAdapter(_NamedTrial)
_TRIAL = TypeAdapter(Trial)


def plan_text(trials: Sequence[Trial]) -> str:
    """Trials as the content of plan.json."""
    return "".join(canonical({"id": trial.id, **trial.as_dict()}) + "\n" for trial in trials)


def read_plan(run: Path) -> Iterator[Trial]:
    """Read the trials of a run's plan one after another."""
    for line in _lines(run):
        trial = _TRIAL.validate_json(line)
        with suppress(ValidationError):  # the plan of an older version, which has no ids
            vars(trial)["id"] = _NAMED.validate_json(line).id  # computing it takes longer
        yield trial


def read_planned_models(run: Path) -> dict[str, str]:
    """Read the model of every trial by the trial's id, in order; empty before there is a plan."""
    try:
        named = (_NAMED.validate_json(line) for line in _lines(run))
        return {trial.id: trial.model for trial in named}
    except FileNotFoundError:
        return {}
    except ValidationError:  # the plan of an older version, which has no ids
        return {trial.id: trial.model for trial in read_plan(run)}


def _lines(run: Path) -> list[bytes]:
    return (run / PLAN).read_bytes().splitlines()
