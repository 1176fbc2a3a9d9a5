"""Run the trials of a study that have no result yet, and record each result as it comes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from pebble import ProcessExpired

from coequal.records import Trial
from coequal.results.collect import update
from coequal.results.folder import RunFolder
from coequal.results.result_log import LogWriter, log_writer
from coequal.results.results_csv import refresh_tables
from coequal.results.reuse import Reuse
from coequal.results.run_results import RunResults, logged_results
from coequal.results.stopped import StoppedModel, stopped_models, write_stopped
from coequal.runner.growth import note_growth
from coequal.runner.interrupt import GracefulStop
from coequal.runner.own_source import keep_source
from coequal.runner.pending import known_trials
from coequal.runner.prepare import TRYING, preparation_heartbeat, prepare_references
from coequal.runner.progress import Observer, Silent
from coequal.runner.session import Session, read_heartbeat
from coequal.runner.study_callbacks import StudyCallbacks
from coequal.study.document import PartsError
from coequal.study.parts import metric_infos
from coequal.study.plan import StudyPlan, plan
from coequal.study.shard import Shard
from coequal.study.spec import Study
from coequal.trial.context import WorkerContext
from coequal.trial.execute import execute
from coequal.trial.heartbeat import Stopped
from coequal.trial.try_parts import has_outside_parts

TRIALS_PER_SLOT = 2  # handed to the executor at a time, so that no worker waits for the next
POLL_SECONDS = 0.5  # between two readings of the workers' progress


@dataclass(frozen=True)
class RunOutcome:
    """What one call of `run` left.

    Attributes:
        results: of every trial of the study that has one by now.
        ended: trials that ended during the call; 0 if there was nothing to do.
        planned: the plan of the study as far as its results allow.
        stopped: models that were stopped, because their code fails at once.
    """

    results: RunResults
    ended: int
    planned: StudyPlan
    stopped: tuple[StoppedModel, ...] = ()


def run(
    study: Study,
    folder: RunFolder,
    *,
    source: str,
    context: WorkerContext,
    executor: Callable[[], Executor],
    observer: Observer | None = None,
    retries: int = 1,
    shard: Shard | None = None,
    reuse: Sequence[RunFolder] = (),
    keep_going: bool = False,
) -> RunOutcome:
    """Run every trial of a study that has no result yet, and write the tables.

    A worker process that dies costs its own trial only, which is tried again up to `retries` times,
    from its last checkpoint, and then recorded as failed. Everything that goes wrong inside a trial
    is a result and not tried again. Ctrl-C, or SIGTERM, lets running trials write a checkpoint; a
    second one does not wait for them.

    Args:
        study: one that has been checked.
        folder: of the run; the same study goes on there, also one that has been changed, as long as
            results that are there are part of it.
        source: the text of the study's file.
        context: for the workers.
        executor: makes what runs the trials; it is called only if there is something to do. If
            the executor has `slots()`, twice as many trials are handed to it at a time, else two.
        observer: is told how far the run is.
        retries: after a process died.
        shard: run this part of the trials, beside others that run the rest.
        keep_going: train a model on whose first trials all fail at once, and record the failures.
        reuse: runs whose results are taken over where the plan names their trials.

    Raises:
        FileExistsError: the folder holds a study that has nothing in common with this one, or
            something else.
        BlockingIOError: another process works in it.
        ValueError, OSError: the data, the encoder or the disk can't be had, or a callback can't
            begin.
        KeyboardInterrupt: stopped; the same call goes on.
    """
    with ExitStack() as stack:
        # Take the folder, and bring the log of its results up to date.
        stack.enter_context(folder.lock(shard.name if shard else ""))
        stop = stack.enter_context(GracefulStop(folder.path))
        taking = Reuse(folder, reuse)
        folder.begin(source, study.as_dict(), plan(study), metric_infos(study))
        log = None if shard else stack.enter_context(_current_log(folder))
        if log is not None:
            stack.callback(_refresh_tables, log)

        # Find what has no result yet.
        context = replace(context, stop=str(stop.path))
        session = Session(folder, context, observer or Silent(), stop, retries, log)
        session.keep_going = keep_going
        pending = _begin(session, study, shard)
        if pending and (other_source := keep_source(folder)):
            session.news.append(other_source)
        if growth := note_growth(folder, session.results()):
            session.news += growth
            session.show()

        # Run phase after phase: what has ended names the trials of the next one.
        pending = _take_over(session, study, shard, taking, pending)
        callbacks = StudyCallbacks(folder, context.callbacks)
        if pending:
            callbacks.begin()
            workers = stack.enter_context(shutting_down(executor()))
            while pending:
                _prepare(session, workers, pending)
                pending = _take_over(session, study, shard, taking, pending)
                _report(session, taking)
                train_trials(session, workers, pending)
                _record_stopped(session)
                if stop.requested:
                    raise stop.interrupt()
                pending = _begin(session, study, shard)
                pending = _take_over(session, study, shard, taking, pending)
        session.news += callbacks.end()
        _report(session, taking)
        results = session.results().of(folder.planned())
        _record_stopped(session)
        stopped = tuple(session.stopped.values())
        return RunOutcome(results, session.ended_here, session.planned, stopped)


@contextmanager
def shutting_down(executor: Executor) -> Iterator[Executor]:
    """Shut an executor down afterwards; if something goes wrong, calls that run are ended."""
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=True, cancel_futures=True)
        raise
    executor.shutdown()


@contextmanager
def _current_log(folder: RunFolder) -> Iterator[LogWriter]:
    """The log of a run, open to write and brought up to its trial folders.

    Raises:
        ValueError: a result can't be used; nothing is run over it.
    """
    with log_writer(folder) as log:
        update(log, lambda line: None).refuse_unusable()
        yield log


def _refresh_tables(log: LogWriter) -> None:
    refresh_tables(log.folder, logged_results(log).of(log.folder.planned()))


def _begin(session: Session, study: Study, shard: Shard | None) -> list[Trial]:
    """Note the plan, count the results that there are, and return the trials that have none."""
    session.folder.refuse_other_version(study.as_dict())
    planned, results = known_trials(study, session.results(), session.folder)
    session.folder.write_plan(planned.trials)
    session.take(planned)
    trials = planned.trials
    if shard is not None:
        trials = [trial for trial in trials if shard.owns(trial)]
    session.total = planned.most if shard is None else len(trials)
    session.trials = trials
    first = session.done_before is None
    session.count_results([results[trial.id] for trial in trials if trial.id in results])
    for key in list(session.failures):
        session.stop_failing(key)  # an earlier run may have ended before it did
    if first:
        session.done_before = session.statuses.total()
    if session.news:
        session.show()
    pending = [trial for trial in trials if trial.id not in results]
    return [trial for trial in pending if not session.is_stopped(trial)]


def _take_over(
    session: Session, study: Study, shard: Shard | None, taking: Reuse, pending: list[Trial]
) -> list[Trial]:
    """Take results of other runs for as long as what was taken names trials of which they have
    some, too; returns the trials that still have none."""
    while taking.sources and pending:
        session.show("taking over results of other runs")
        taken = taking.take(pending, lambda: session.stop.requested)
        session.add_foreign(taken)
        if session.stop.requested:
            raise session.stop.interrupt()
        if not taken:
            break
        pending = _begin(session, study, shard)
    return pending


def _record_stopped(session: Session) -> None:
    """Write which models are stopped; those that shards or earlier runs stopped stay so until a
    trial of theirs has ended otherwise."""
    known = {(entry.model, entry.data): entry for entry in stopped_models(session.folder)}
    kept = {key: entry for key, entry in known.items() if key not in session.lived}
    write_stopped(session.folder, (kept | session.stopped).values())


def _report(session: Session, taking: Reuse) -> None:
    session.news += taking.report()
    if session.news:
        session.show()


def _prepare(session: Session, executor: Executor, pending: Sequence[Trial]) -> None:
    """Make encoder and references of each dataset that is still needed, before its first trial;
    parts from outside are tried again, as they may have changed since."""
    known = session.folder.references()
    for data in dict.fromkeys(trial.data for trial in pending):
        trials = [trial for trial in pending if trial.data == data]
        again = session.context.try_parts and any(map(has_outside_parts, trials))
        if data in session.prepared or (data in known and not again):
            continue
        session.prepared.add(data)
        for attempt in range(session.retries + 1):
            future = executor.submit(prepare_references, trials, session.context)
            while not wait([future], timeout=POLL_SECONDS).done:
                beat = read_heartbeat(preparation_heartbeat(session.context))
                session.show(beat.get("text") or f"reading {data}")
            error = future.exception()
            if error is None:
                break
            if isinstance(error, Stopped) or session.stop.requested:
                raise session.stop.interrupt()
            doing = read_heartbeat(preparation_heartbeat(session.context)).get("text", "")
            if isinstance(error, ProcessExpired) and doing.startswith(TRYING):
                raise PartsError(f"the process died while {doing}: {error}")
            if not isinstance(error, ProcessExpired) or attempt == session.retries:
                raise error


def train_trials(session: Session, executor: Executor, pending: Sequence[Trial]) -> None:
    """Run trials until each has ended, or until somebody asked the run to stop."""
    session.begin_phase()
    queue = list(reversed(pending))
    while session.running or (queue and not session.stop.requested):
        # Hand out trials, so that no worker waits.
        window = TRIALS_PER_SLOT * max(1, session.count_slots(executor))
        while queue and len(session.running) < window and not session.stop.requested:
            trial = queue.pop()
            session.running[executor.submit(execute, trial, session.context)] = trial

        # Take the results of those that have ended.
        finished = wait(session.running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED).done
        for future in finished:
            trial = session.running.pop(future)
            if not session.accept(future, trial):
                queue.append(trial)
        if session.stopped:
            session.total -= sum(map(session.is_stopped, queue))
            queue = [trial for trial in queue if not session.is_stopped(trial)]

        # Report how far the run is.
        session.show(
            "stopping: saving checkpoints of running trials" if session.stop.requested else ""
        )
