"""The progress of a run, as plain rows."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

from coequal.results._reader import read_result
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.results.on_disk import trial_folders
from coequal.results.statements import State

Log = Callable[[str], None]

COUNTED = ("trials", "done", "failed", "running", "waiting", "unreadable", "last_hour", "seconds")


def statuses(
    folder: RunFolder, log: Log = lambda line: None, now: float | None = None
) -> list[dict[str, Any]]:
    """One row per model, ready for JSON, about the trials known by now.

    Re-runs and transfers become known when the search of their model has ended.

    `trials` are `done`, `failed` (every other end), `running`, `waiting` or `unreadable`;
    `last_hour` is how many ended within it, `seconds` what those that ended have trained.

    The index makes this quick at any size; what has no result there is looked up in its folder. A
    result.json that somebody changes or deletes by hand shows after the next `coequal collect` or
    `run`.

    Args:
        folder: of the run.
        log: is given a line about each result that cannot be read.
        now: seconds since 1970, for `last_hour`; by default those of the clock.
    """
    since = (time.time() if now is None else now) - 3600
    begun = {os.path.basename(path) for path in trial_folders(folder)}
    busy = folder.busy()  # a pulse without a coordinator is of a trial that was killed
    rows: dict[str, dict[str, Any]] = {}
    for state in _states(folder, log):
        row = rows.setdefault(state.model, {"model": state.model, **dict.fromkeys(COUNTED, 0)})
        row["trials"] += 1
        if state.key not in begun:
            row["waiting"] += 1
            continue
        status, seconds, ended = state.status, state.seconds, state.ended
        if status is None:
            status, seconds, ended = _on_disk(folder, state.key, busy, log)
        row[status if status in COUNTED else "failed"] += 1
        row["seconds"] += seconds
        row["last_hour"] += ended >= since
    return list(rows.values())


def running(folder: RunFolder) -> list[dict[str, Any]]:
    """One row per running trial, ready for JSON.

    Returns:
        `trial`, `model`, `setting`, `repeat`, the `share` of its budget that is spent (0 to 1), a
        `text` about its losses and health, and its `verdict`, empty before there is one. No rows if
        no coordinator works in the folder: a heartbeat alone is that of a trial that was killed.
    """
    if not folder.busy():
        return []
    begun = {os.path.basename(path) for path in trial_folders(folder)}
    rows = []
    for state in _states(folder, lambda line: None):
        if state.status is not None or state.key not in begun:
            continue
        place = folder.trial_folder(state.key)
        try:
            pulse = json.loads((place / "progress.json").read_text())
            trial = json.loads((place / "trial.json").read_text())
        except (OSError, ValueError):
            continue  # not begun, or just ended
        state_now = {name: pulse.get(name, "") for name in ("share", "text", "verdict")}
        identity = {name: trial[name] for name in ("model", "setting", "repeat")}
        rows.append({"trial": state.key, **identity, **state_now})
    return rows


def _states(folder: RunFolder, log: Log) -> list[State]:
    """The state of every trial of the plan, from the index as far as there is one."""
    known: list[State] = []
    try:
        with Index(folder) as index:
            known = index.states()
            if index.knows_plan():
                return known
    except FileNotFoundError:
        pass  # an early run, or one of a version without an index: its folders hold all
    except ValueError as error:
        log(str(error))
    by_key = {state.key: state for state in known}
    return [by_key.get(trial.id, State(trial.id, trial.model)) for trial in folder.plan()]


def _on_disk(folder: RunFolder, key: str, busy: bool, log: Log) -> tuple[str, float, float]:
    """A trial's status, its seconds of training, and when it ended, by what lies in its folder."""
    _, packed, file, wrong = read_result(folder, key)
    if wrong:
        log(wrong)
        return "unreadable", 0.0, 0.0
    if packed is not None:
        return packed.status, packed.seconds, file[1] / 1e9 if file else 0.0
    pulse = folder.trial_folder(key) / "progress.json"
    return "running" if busy and pulse.exists() else "waiting", 0.0, 0.0
