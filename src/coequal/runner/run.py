"""Plan minus what is done, to an executor, to the run's folder."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from pebble import ProcessExpired

from coequal.files import write_new_json
from coequal.records import Result, Spent, Trial
from coequal.results.collect import collect
from coequal.results.folder import RunFolder, StoredResults
from coequal.results.index import Index
from coequal.results.results_csv import write_tables
from coequal.runner.interrupt import Stop
from coequal.runner.pending import planned
from coequal.runner.prepare import prepare_references, pulse_of_preparation
from coequal.runner.progress import Observer, Progress, Silent
from coequal.study.parts import metric_infos
from coequal.study.plan import most_trials, plan
from coequal.study.shard import Shard
from coequal.study.spec import Study
from coequal.trial.context import WorkerContext, environment
from coequal.trial.execute import STOPPED, execute, measured_so_far
from coequal.trial.heartbeat import Stopped

AHEAD = 2  # trials handed to the executor per worker, so that none waits
LOOK = 0.5  # seconds between two looks at the workers


@dataclass
class _Session:
    """This process's part of a run."""

    folder: RunFolder
    places: WorkerContext
    executor: Executor
    observer: Observer
    stop: Stop
    retries: int
    total: int  # trials that there will be at most
    index: Index | None  # None in a shard: `coequal collect` makes it
    trials: Sequence[Trial] = ()
    statuses: Counter[str] = field(default_factory=Counter)
    running: dict[Future[str], Trial] = field(default_factory=dict)
    deaths: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)  # by model
    failed: Counter[str] = field(default_factory=Counter)
    started: float = 0.0  # when training began
    already: int = 0
    room: int = 0  # trials that the workers take at a time
    news: list[str] = field(default_factory=list)  # what the observer has not been told yet


def run(
    study: Study,
    folder: RunFolder,
    *,
    source: str,
    places: WorkerContext,
    executor: Executor,
    observer: Observer | None = None,
    retries: int = 1,
    shard: Shard | None = None,
) -> StoredResults:
    """Run every trial of a study that has no result yet, and write the tables.

    A worker process that dies costs its own trial only, which is tried again up to `retries` times,
    from its last checkpoint, and then recorded as failed. Everything that goes wrong inside a trial
    is a result and not tried again. Ctrl-C, or SIGTERM, lets running trials write a checkpoint; a
    second one does not wait for them.

    Args:
        study: a checked one.
        folder: of the run; the same study goes on there, and nothing else may.
        source: the text of the study's file.
        places: for the workers.
        executor: runs the trials; it stays the caller's. If it has `slots()`, twice as many trials
            are handed to it at a time, else two.
        observer: is told how far the run is.
        retries: after a process died.
        shard: run this share of the trials, beside others that run the rest.

    Raises:
        FileExistsError: the folder holds another study, or something else.
        BlockingIOError: another process works in it.
        ValueError, OSError: the data, the encoder or the disk can't be had.
        KeyboardInterrupt: stopped; the same call goes on.
    """
    with ExitStack() as stack:
        stack.enter_context(folder.lock(shard.name if shard else ""))
        stop = stack.enter_context(Stop(folder.path))
        folder.begin(source, study.as_dict(), plan(study), metric_infos(study))
        index = None if shard else stack.enter_context(_index(folder))
        trials, done = planned(study, folder, index)
        most = sum(most_trials(study).values())
        places = replace(places, stop=str(stop.path))
        session = _Session(
            folder, places, executor, observer or Silent(), stop, retries, most, index
        )
        try:
            while todo := _begin(session, trials, done, shard):
                _prepare(session, todo)
                session.started = session.started or time.monotonic()
                _work(session, todo)
                if stop.asked:
                    raise stop.interrupt()
                trials, done = planned(study, folder, index)  # what ended may name later phases
        finally:
            if index is not None:
                write_tables(folder, index)
    return folder.stored()


def _index(folder: RunFolder) -> Index:
    """The index of a run that goes on, brought up to its trial folders.

    Raises:
        ValueError: a result can't be used; nothing is run over it.
    """
    found = collect(folder)
    if found.unusable:
        raise ValueError("\n".join(found.unusable))
    return Index(folder, write=True)


def _begin(
    session: _Session, trials: Sequence[Trial], done: Mapping[str, Result], shard: Shard | None
) -> list[Trial]:
    """Note the plan, count what there is, and name what is to do."""
    session.folder.write_plan(trials)
    if session.index is not None:
        session.index.plan(trials)
    if shard is not None:
        trials = [trial for trial in trials if shard.owns(trial)]
        session.total = len(trials)
    mine = [done[trial.id] for trial in trials if trial.id in done]
    session.trials = trials
    session.already = session.already or len(mine)
    session.statuses = Counter(result.status for result in mine)
    session.ended = Counter(result.trial.model for result in mine)
    session.failed = Counter(result.trial.model for result in mine if not result.finished)
    return [trial for trial in trials if trial.id not in done]


def _prepare(session: _Session, todo: Sequence[Trial]) -> None:
    """The encoder and the references of each data set that is still needed, before its first
    trial."""
    known = session.folder.references()
    for data in dict.fromkeys(trial.data for trial in todo):
        if data in known:
            continue
        trials = [trial for trial in todo if trial.data == data]
        for attempt in range(session.retries + 1):
            future = session.executor.submit(prepare_references, trials, session.places)
            while not wait([future], timeout=LOOK).done:
                pulse = _heart(pulse_of_preparation(session.places))
                _show(session, pulse.get("text") or f"reading {data}")
            error = future.exception()
            if error is None:
                break
            if isinstance(error, Stopped) or session.stop.asked:
                raise session.stop.interrupt()
            if not isinstance(error, ProcessExpired) or attempt == session.retries:
                raise error


def _work(session: _Session, todo: Sequence[Trial]) -> None:
    queue = list(reversed(todo))
    while session.running or (queue and not session.stop.asked):
        window = AHEAD * max(1, _room(session))
        while queue and len(session.running) < window and not session.stop.asked:
            trial = queue.pop()
            session.running[session.executor.submit(execute, trial, session.places)] = trial
        finished = wait(session.running, timeout=LOOK, return_when=FIRST_COMPLETED).done
        for future in finished:
            trial = session.running.pop(future)
            if not _took_result(session, future, trial):
                queue.append(trial)
        _show(session, "stopping: what runs writes a checkpoint" if session.stop.asked else "")


def _room(session: _Session) -> int:
    """Trials that can run at a time; on a cluster workers come and go, and that is said."""
    slots = getattr(session.executor, "slots", None)
    before, session.room = session.room, 1 if slots is None else int(slots())
    if before and session.room != before:
        how = "joined" if session.room > before else "left, or died"
        session.news.append(
            f"workers have {how}: there is room for {session.room} trials at a time, was {before}"
        )
    return session.room


def _took_result(session: _Session, future: Future[str], trial: Trial) -> bool:
    """Whether a trial has ended with a result; if its process died, it may be tried again."""
    error = future.exception()
    if error is None:
        if future.result() == STOPPED:
            return session.stop.asked
        _count(session, trial, future.result())
        return True
    if isinstance(error, TimeoutError):
        _record(session, trial, "timeout", str(error) or "it did not end within its time")
        return True
    if isinstance(error, OSError) and not isinstance(error, ProcessExpired):
        raise error  # the disk or the data: no trial can go on, and none is to blame
    if session.stop.asked:
        return True  # whoever stopped the run may have ended its process: that is no result
    session.deaths[trial.id] += 1
    if session.deaths[trial.id] <= session.retries:
        session.news.append(f"{_name(trial)}: {error}; it is tried again from its last checkpoint")
        return False
    times = session.deaths[trial.id]
    what = "its process died" if isinstance(error, ProcessExpired) else "the machine failed it"
    reason = f"{what} {times} times: {type(error).__name__}: {error}"
    _record(session, trial, "failed", reason)
    return True


def _record(session: _Session, trial: Trial, status: str, reason: str) -> None:
    """The result of a trial that could not write its own."""
    path = session.folder.trial_folder(trial.id)
    measured = tuple(measured_so_far(path))  # what it spent since then died with it
    result = Result(
        trial,
        status,
        measured[-1].spent if measured else Spent(),
        checkpoints=measured,
        reason=reason,
        environment=environment(session.places),
    )
    write_new_json(path / "result.json", result.as_dict())
    _count(session, trial, status)


def _count(session: _Session, trial: Trial, status: str) -> None:
    result = session.folder.result(trial.id)
    if session.index is not None and result is not None:
        session.index.record(result)
    session.statuses[status] += 1
    session.ended[trial.model] += 1
    session.failed[trial.model] += status != "done"


def _show(session: _Session, text: str = "") -> None:
    running: dict[str, float] = {}
    doing: dict[str, str] = {}
    verdicts: dict[str, str] = {}
    for trial in session.running.values():
        beat = _heart(session.folder.trial_folder(trial.id) / "progress.json")
        if beat:
            name = _name(trial)
            running[name], doing[name] = float(beat["share"]), beat["text"]
            if verdict := beat.get("verdict"):
                verdicts[name] = verdict
    finished = sum(session.statuses.values())
    gained = finished - session.already + sum(running.values())
    left = session.total - finished - sum(running.values())
    seconds = time.monotonic() - session.started
    estimate = seconds / gained * left if gained >= 0.5 else None
    known = Counter(trial.model for trial in session.trials)
    models = {m: (known[m], session.ended[m], session.failed[m]) for m in known}
    rate = 3600 * gained / seconds if gained >= 0.5 else None
    statuses, news = dict(session.statuses), tuple(session.news)
    session.news.clear()
    session.observer.update(
        Progress(
            session.total, statuses, running, text, estimate, models, rate, news, doing, verdicts
        )
    )


def _name(trial: Trial) -> str:
    again = f" seed {trial.repeat}" if trial.repeat else ""
    return f"{trial.model} {trial.setting}{again}"


def _heart(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}  # not begun, or just ended: there is nothing to show
