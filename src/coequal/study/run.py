"""Plan minus what is done, to an executor, to the run's folder."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pebble import ProcessExpired

from coequal.files import write_json
from coequal.records import Result, Spent, Trial
from coequal.results.folder import RunFolder
from coequal.results.table import write_tables
from coequal.study.plan import most_trials, plan
from coequal.study.references import prepare_references
from coequal.study.spec import Study
from coequal.study.trial import execute, measured_so_far
from coequal.study.worker import Places, environment

AHEAD = 2  # trials handed to the executor per worker, so that none waits
LOOK = 0.5  # seconds between two looks at the workers


@dataclass(frozen=True)
class Progress:
    """Where a run is."""

    total: int
    statuses: Mapping[str, int]  # of trials that have a result
    running: Mapping[str, float]  # by model and setting, how far from 0 to 1
    text: str  # what goes on before the first trial, or empty
    seconds_left: float | None  # None until it can be estimated

    @property
    def finished(self) -> int:
        """Trials that have a result."""
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        """Trials that ended without reaching their budget."""
        return self.finished - self.statuses.get("done", 0)


class Observer(Protocol):
    """Whoever wants to see a run while it goes on."""

    def update(self, progress: Progress) -> None:
        """Take note; called about twice a second, and at each change."""


class Silent:
    """Looks away."""

    def update(self, progress: Progress) -> None:
        """Nothing."""


@dataclass
class _Session:
    """This process's part of a run."""

    folder: RunFolder
    places: Places
    executor: Executor
    observer: Observer
    retries: int
    total: int  # trials that there will be at most
    statuses: Counter[str] = field(default_factory=Counter)
    running: dict[Future[str], Trial] = field(default_factory=dict)
    deaths: Counter[str] = field(default_factory=Counter)
    started: float = 0.0  # when training began
    already: int = 0


def run(
    study: Study,
    folder: RunFolder,
    *,
    source: str,
    places: Places,
    executor: Executor,
    workers: int,
    observer: Observer | None = None,
    retries: int = 1,
) -> dict[str, Result]:
    """Run every trial of a study that has no result yet, and write the tables.

    A worker process that dies costs its own trial only, which is tried again up to `retries` times,
    from its last checkpoint, and then recorded as failed. Everything that goes wrong inside a trial
    is a result and not tried again.

    Raises:
        FileExistsError: the folder holds another study, or something else.
        BlockingIOError: another process works in it.
        ValueError, OSError: the data or the encoder can't be had.
    """
    with folder.lock():
        trials, done = planned(study, folder)
        folder.begin(source, study.as_dict(), trials)
        most = sum(most_trials(study).values())
        session = _Session(folder, places, executor, observer or Silent(), retries, total=most)
        session.statuses.update(result.status for result in done.values())
        session.already = len(done)
        try:
            while todo := [trial for trial in trials if trial.id not in done]:
                _prepare(session, todo)
                session.started = session.started or time.monotonic()
                _work(session, todo, AHEAD * max(1, workers))
                trials, done = planned(study, folder)  # what ended may name re-runs and transfers
                folder.write_plan(trials)
        finally:
            write_tables(folder)
    return folder.results()


def planned(study: Study, folder: RunFolder) -> tuple[list[Trial], dict[str, Result]]:
    """Every trial of a study that can be named by now, and the results that a folder has of
    them."""
    trials: list[Trial] = []
    results: dict[str, Result] = {}
    while (more := plan(study, results)) != trials:
        found = {trial.id: folder.result(trial.id) for trial in more if trial.id not in results}
        results |= {trial_id: result for trial_id, result in found.items() if result is not None}
        trials = more
    return trials, results


def unfinished(study: Study, folder: RunFolder) -> list[Trial]:
    """Trials of a study without a result in a folder."""
    trials, results = planned(study, folder)
    return [trial for trial in trials if trial.id not in results]


def _prepare(session: _Session, todo: Sequence[Trial]) -> None:
    """The encoder and the references of each data set that is still needed, before its first
    trial."""
    known = session.folder.references()
    for data in dict.fromkeys(trial.data for trial in todo):
        if data in known:
            continue
        trials = [trial for trial in todo if trial.data == data]
        future = session.executor.submit(prepare_references, trials, session.places)
        while not wait([future], timeout=LOOK).done:
            pulse = _heart(session.folder.path / ".preparing")
            _show(session, pulse.get("text") or f"reading {data}")
        future.result()


def _work(session: _Session, todo: Sequence[Trial], window: int) -> None:
    queue = list(reversed(todo))
    while queue or session.running:
        while queue and len(session.running) < window:
            trial = queue.pop()
            session.running[session.executor.submit(execute, trial, session.places)] = trial
        finished = wait(session.running, timeout=LOOK, return_when=FIRST_COMPLETED).done
        for future in finished:
            trial = session.running.pop(future)
            if _took_result(session, future, trial):
                continue
            queue.append(trial)
        _show(session)


def _took_result(session: _Session, future: Future[str], trial: Trial) -> bool:
    """Whether a trial has ended with a result; if its process died, it may be tried again."""
    error = future.exception()
    if error is None:
        session.statuses[future.result()] += 1
        return True
    if isinstance(error, OSError) and not isinstance(error, ProcessExpired):
        raise error  # the disk or the data: no trial can go on, and none is to blame
    session.deaths[trial.id] += 1
    if session.deaths[trial.id] <= session.retries:
        return False
    what = "its process died" if isinstance(error, ProcessExpired) else "it ran out of memory"
    reason = f"{what} {session.deaths[trial.id]} times: {type(error).__name__}: {error}"
    path = session.folder.trial_folder(trial.id)
    measured = tuple(measured_so_far(path))  # what it spent since then died with it
    result = Result(
        trial,
        "failed",
        measured[-1].spent if measured else Spent(),
        checkpoints=measured,
        reason=reason,
        environment=environment(session.places),
    )
    write_json(path / "result.json", result.as_dict())
    session.statuses["failed"] += 1
    return True


def _show(session: _Session, text: str = "") -> None:
    running: dict[str, float] = {}
    for trial in session.running.values():
        beat = _heart(session.folder.trial_folder(trial.id) / "progress.json")
        if beat:
            again = f" seed {trial.repeat}" if trial.repeat else ""
            running[f"{trial.model} {trial.setting}{again}"] = float(beat["share"])
    finished = sum(session.statuses.values())
    gained = finished - session.already + sum(running.values())
    left = session.total - finished - sum(running.values())
    seconds = time.monotonic() - session.started
    estimate = seconds / gained * left if gained >= 0.5 else None
    session.observer.update(
        Progress(session.total, dict(session.statuses), running, text, estimate)
    )


def _heart(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}  # not begun, or just ended: there is nothing to show
