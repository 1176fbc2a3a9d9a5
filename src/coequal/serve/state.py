"""How far a run is, by what `coequal status` reads, and by what a change of its page is known."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from coequal.inspection.status import running, statuses
from coequal.results.folder import HEALTH, SIGNALS, RunFolder
from coequal.results.result_file import MEASURED, RESULT

FILES = (
    *("study.json", "study.yaml", "plan.json", "metrics.json", "references.json"),
    *("instrument.json", "merged.json", "stopped.json", "versions.jsonl", "ended.jsonl"),
)
"""Of the run: what a report is made of beside the results."""

TRIAL_FILES = (RESULT, HEALTH, SIGNALS, MEASURED, "frames.npz", "checkpoint/state.safetensors")
"""Of a trial that is shown while it trains."""

PAUSE_SECONDS = 1.5  # between two looks at a run
PATIENCE = 10
"""A look that takes so long that it shows is taken after so many times its own duration."""


@dataclass(frozen=True)
class RunState:
    """How far a run is.

    Attributes:
        planned: trials known by now.
        done: trials that reached their budget.
        failed: trials that ended otherwise, or whose result can't be read.
        running: a row for each trial under way, as `coequal.inspection.status.running` gives it.
        busy: whether a coordinator works in the folder.
        version: changes with what a page of the run is made of.
        changed: when something of that was written last, in seconds since 1970.
        problems: results that can't be read, in words.
    """

    planned: int
    done: int
    failed: int
    running: Sequence[Mapping[str, Any]]
    busy: bool
    version: str
    changed: float
    problems: tuple[str, ...] = ()

    @property
    def ended(self) -> int:
        """Trials that have ended, well or badly."""
        return self.done + self.failed

    @property
    def over(self) -> bool:
        """Whether every planned trial has ended, and nobody works in the folder."""
        return not self.busy and 0 < self.planned <= self.ended


def read_state(folder: RunFolder) -> RunState:
    """Look at a run; nothing is written, and no results are read but those that its log lacks.

    Args:
        folder: of the run.

    Raises:
        OSError, ValueError: its plan can't be read.
    """
    problems: list[str] = []
    rows = statuses(folder, problems.append)
    total = {key: sum(row[key] for row in rows) for key in ("trials", "done", "failed")}
    unreadable = sum(row["unreadable"] for row in rows)
    trials = list(folder.planned()) if total["trials"] == 1 else []
    stamps = list(_stamps(folder, trials))
    counts = (total["trials"], total["done"], total["failed"], unreadable)
    digest = hashlib.sha256(repr((counts, stamps)).encode()).hexdigest()[:16]
    return RunState(
        planned=total["trials"],
        done=total["done"],
        failed=total["failed"] + unreadable,
        running=running(folder),
        busy=folder.busy(),
        version=digest,
        changed=max((changed for _, _, changed in stamps), default=0) / 1e9,
        problems=tuple(problems),
    )


Stamp = tuple[str, int, int]


def _stamps(folder: RunFolder, trials: Sequence[str]) -> Iterator[Stamp]:
    """Name, size and time of writing, in nanoseconds, of the files that are there."""
    paths = [folder.path / name for name in FILES]
    paths += [folder.trial_folder(trial) / name for trial in trials for name in TRIAL_FILES]
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            continue
        yield path.name, found.st_size, found.st_mtime_ns


class Watched:
    """The state of one run, looked at only as often as a look is cheap.

    Args:
        opened: gives the folder of the run.
    """

    def __init__(self, opened: Callable[[], RunFolder]) -> None:
        self._opened, self._lock = opened, Lock()
        self._state: RunState | None = None
        self._stamps: list[Stamp] = []
        self._next = 0.0

    def state(self) -> RunState:
        """How far the run is; at most a few seconds old, or some times the duration of a look.

        Raises:
            OSError, ValueError: it can't be read; the message says why.
        """
        with self._lock:
            begun = time.monotonic()
            if self._state is None or begun >= self._next:
                folder = self._opened()
                stamps = list(_stamps(folder, ()))
                if (
                    not (self._state and self._state.over)
                    or stamps != self._stamps
                    or folder.busy()
                ):
                    self._state, self._stamps = read_state(folder), stamps
                now = time.monotonic()
                self._next = now + max(PAUSE_SECONDS, PATIENCE * (now - begun))
            return self._state


def written_after(path: Path, other: Path) -> bool:
    """Whether a file is there and not older than another one."""
    try:
        return path.stat().st_mtime_ns >= other.stat().st_mtime_ns
    except OSError:
        return False
