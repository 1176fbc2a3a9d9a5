"""The states in which extendable trials ended: what a longer budget needs to go on from there.

states/ab/abcd.../discriminator_steps-1500/   the last checkpoint of a trial, and what it measured

The folder is named by the trial's `seed_id`, which every longer budget has, and by its own budget.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from coequal.records import Trial

STATES = "states"
STATE = "state.json"
"""In a checkpoint, and so in a kept state; it is written last."""


def state_to_extend(run: Path, trial: Trial) -> Path | None:
    """The kept state of the longest budget that is no longer than a trial's own; None if there is
    none, or if the trial can't be extended."""
    if not trial.training.get("extendable"):
        return None
    unit, amount = _budget(trial)
    kept = [(at, place) for at, place in _kept(run, trial, unit) if at <= amount]
    return max(kept)[1] if kept else None


def keep_state(run: Path, trial: Trial, trial_folder: Path, beside: Sequence[str]) -> None:
    """Keep the state of a trial whose budget is spent; the states of shorter budgets go.

    Args:
        run: the folder of its run.
        trial: one that can be extended.
        trial_folder: with its last checkpoint.
        beside: names of files and folders of the trial that are needed beside its checkpoint.
    """
    if not (trial_folder / "checkpoint" / STATE).exists():
        return  # it went on from the state of this very budget, which is kept already
    unit, amount = _budget(trial)
    final = _place(run, trial) / f"{unit}-{amount!r}"
    draft = final.with_name(f".{final.name}")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(trial_folder / "checkpoint", draft)
    _copy(trial_folder, draft, beside)
    shutil.rmtree(final, ignore_errors=True)
    os.replace(draft, final)
    for at, place in list(_kept(run, trial, unit)):
        if at < amount:
            shutil.rmtree(place)


def begin_from_state(state: Path, trial_folder: Path, beside: Sequence[str]) -> None:
    """Put what was kept beside a checkpoint into the folder of the trial that goes on from it."""
    _copy(state, trial_folder, beside)


def _copy(source: Path, target: Path, names: Sequence[str]) -> None:
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        elif (source / name).exists():
            shutil.copy2(source / name, target / name)


def _kept(run: Path, trial: Trial, unit: str) -> Iterator[tuple[float, Path]]:
    place = _place(run, trial)
    for folder in sorted(place.iterdir()) if place.is_dir() else ():
        name, _, amount = folder.name.rpartition("-")
        if name == unit:
            yield float(amount), folder


def _budget(trial: Trial) -> tuple[str, float]:
    ((unit, amount),) = trial.training["budget"].items()
    return unit, amount


def _place(run: Path, trial: Trial) -> Path:
    return run / STATES / trial.seed_id[:2] / trial.seed_id
