"""The progress of a run, as plain rows."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coequal.results.folder import RunFolder
from coequal.results.on_disk import trial_folders
from coequal.results.result_log import read_entries
from coequal.results.stopped import never_finished, stopped_models

Log = Callable[[str], None]

COUNTED = ("trials", "done", "failed", "running", "waiting", "unreadable", "last_hour", "seconds")


def statuses(
    folder: RunFolder, log: Log = lambda line: None, now: float | None = None
) -> list[dict[str, Any]]:
    """One row per model, ready for JSON, about the trials known by now.

    Re-runs and transfers become known when the search of their model has ended.

    `trials` are `done`, `failed` (every other end), `running`, `waiting` or `unreadable`;
    `last_hour` is how many ended within it, `seconds` what those that ended have trained.

    The log makes this quick at any size; what has no result there is looked up in its folder. A
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
    known = read_entries(folder)
    for key, model in folder.planned().items():
        row = rows.setdefault(model, {"model": model, **dict.fromkeys(COUNTED, 0)})
        row["trials"] += 1
        if key not in begun:
            row["waiting"] += 1
            continue
        if (entry := known.get(key)) is not None:
            status, seconds, ended = entry.status, entry.seconds, entry.changed / 1e9
        else:
            status, seconds, ended = _on_disk(folder, key, busy, log)
        row[status if status in COUNTED else "failed"] += 1
        row["seconds"] += seconds
        row["last_hour"] += ended >= since
    return list(rows.values())


def unfinished(folder: RunFolder, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences on models that never ran, or of which no trial has finished, with the reasons.

    Args:
        folder: of the run.
        rows: as `statuses` gives them.
    """
    stopped = stopped_models(folder)
    halted = {entry.model for entry in stopped}
    failures: dict[str, str] = {}
    known = read_entries(folder)
    for row in rows:
        if row["done"] or not row["failed"] or row["model"] in halted:
            continue
        keys = (key for key, entry in known.items() if entry.model == row["model"])
        results = filter(None, map(folder.result, keys))
        first = next(results, None)
        failures[row["model"]] = f"{first.status}, {first.reason}" if first else "failed"
    return never_finished(len(rows), stopped, failures)


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
    known = read_entries(folder)
    for key in folder.planned():
        if key in known or key not in begun:
            continue
        place = folder.trial_folder(key)
        try:
            pulse = json.loads((place / "progress.json").read_text())
            trial = json.loads((place / "trial.json").read_text())
        except (OSError, ValueError):
            continue  # not begun, or just ended
        state_now = {name: pulse.get(name, "") for name in ("share", "text", "verdict")}
        identity = {name: trial[name] for name in ("model", "setting", "repeat")}
        rows.append({"trial": key, **identity, **state_now})
    return rows


def _on_disk(folder: RunFolder, key: str, busy: bool, log: Log) -> tuple[str, float, float]:
    """A trial's status, its seconds of training, and when it ended, by what lies in its folder."""
    try:
        stored = folder.read_result(key)
    except ValueError as error:
        log(str(error))
        return "unreadable", 0.0, 0.0
    if stored is not None:
        return stored.result.status, stored.result.spent.seconds, stored.stamp[1] / 1e9
    pulse = folder.trial_folder(key) / "progress.json"
    return "running" if busy and pulse.exists() else "waiting", 0.0, 0.0
