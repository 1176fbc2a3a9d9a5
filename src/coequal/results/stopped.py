"""stopped.json: the models of a run that were stopped, because their code failed at once.

What such a trial left is no result: a bug says nothing of a model. It stays in the trial's folder
as failed-1.json, and the trial is trained again by the next run.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from coequal.files import write_json
from coequal.records import Result, Trial
from coequal.results.folder import RunFolder
from coequal.results.result_file import RESULT

STOPPED = "stopped.json"
FAILED = "failed-"
"""In a trial's folder, with a number: what a trial wrote whose model was stopped."""

TRIALS = 2
"""How many trials of a model must have failed in the same way before it is stopped."""


@dataclass(frozen=True)
class StoppedModel:
    """A model that was stopped on one dataset.

    Attributes:
        model: the contender's name.
        data: the dataset.
        trials: how many of its trials failed, all in the same way.
        reason: of the last one.
        log: its log.txt, relative to the run's folder.
    """

    model: str
    data: str
    trials: int
    reason: str
    log: str


def stopped_models(folder: RunFolder) -> list[StoppedModel]:
    """The models of a run that were stopped, and have not been trained since."""
    path = folder.path / STOPPED
    return (
        [StoppedModel(**entry) for entry in json.loads(path.read_text())] if path.exists() else []
    )


def write_stopped(folder: RunFolder, stopped: Iterable[StoppedModel]) -> None:
    """Write which models of a run are stopped; no file if none is."""
    entries = [asdict(entry) for entry in stopped]
    if entries:
        write_json(folder.path / STOPPED, entries)
    else:
        (folder.path / STOPPED).unlink(missing_ok=True)


def fails_at_once(results: Sequence[Result]) -> bool:
    """Whether the code of a model fails: two trials or more, none of which came so far that each
    player had taken a step, and all ended by one exception at one place.

    Args:
        results: of all trials of one model on one dataset that have ended.
    """
    errors = [result.error for result in results]
    if len(errors) < TRIALS or any(error is None or error.moved for error in errors):
        return False
    return len({(error.kind, error.place) for error in errors if error}) == 1


def set_aside(folder: RunFolder, trials: Iterable[Trial]) -> None:
    """Rename what these trials wrote, so that they have no result."""
    for trial in trials:
        place = folder.trial_folder(trial.id)
        number = len(list(place.glob(f"{FAILED}*.json"))) + 1
        (place / RESULT).rename(place / f"{FAILED}{number}.json")


def log_of(folder: RunFolder, trial: Trial) -> str:
    """The log of a trial, relative to the run's folder."""
    path: Path = folder.trial_folder(trial.id) / "log.txt"
    return path.relative_to(folder.path).as_posix()


def never_finished(
    models: int, stopped: Sequence[StoppedModel], failures: Mapping[str, str]
) -> list[str]:
    """Sentences on models of which no trial has finished: they come before everything else.

    Args:
        models: how many the study has.
        stopped: those that never ran, on some dataset.
        failures: by each other model none of whose trials finished, how the first one ended.
    """
    never_ran = {entry.model: entry.reason for entry in stopped}
    kinds = {"ran": never_ran, "finished a trial": failures}
    return [
        f"{len(found)} of {models} models never {what}: "
        f"{'; '.join(f'{model}: {reason}' for model, reason in found.items())}."
        for what, found in kinds.items()
        if found
    ]
