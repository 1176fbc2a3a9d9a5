"""One coordinator's part of a run: what runs, what has ended, and how far that is."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

from pebble import ProcessExpired

from coequal.checkpoints import Checkpoints, Spent
from coequal.records import Result, Status, Trial, label
from coequal.results.collect import update
from coequal.results.folder import RunFolder
from coequal.results.result_file import measured_so_far, write_result
from coequal.results.result_log import LogWriter
from coequal.results.run_results import RunResults, logged_results, results_on_disk
from coequal.results.stopped import StoppedModel, fails_at_once, log_of, set_aside
from coequal.runner.interrupt import GracefulStop
from coequal.runner.looks import look_news
from coequal.runner.progress import Observer, Progress
from coequal.study.plan import StudyPlan
from coequal.trial.context import WorkerContext
from coequal.trial.delivery import failures
from coequal.trial.environment import environment
from coequal.trial.execute import STOPPED

MIN_GAINED = 0.5  # trials that must have been gained before a rate is estimated from them


@dataclass
class Session:
    """The state of one coordinator.

    Attributes:
        folder: of the run.
        context: what workers need to know of this machine and this call.
        observer: is told how far the run is.
        stop: whether somebody asked the run to stop.
        retries: how often a trial whose process died is tried again.
        log: of the results; None in a shard, for `coequal collect` makes it.
        trials: those that are known by now, of this shard.
        total: trials that there will be at most.
        planned: the plan of the study, as far as its results allow.
        statuses: how many trials ended with each status.
        running: the trials that the executor has, by their futures.
        deaths: by trial id, how often its process died.
        ended: trials with a result, by model.
        failed: trials that did not reach their budget, by model.
        phase_began: when the trials of this phase began, by the monotonic clock; 0.0 before.
        done_before_phase: trials that had a result then.
        done_before: trials that had a result when this coordinator began.
        slots: trials that the workers can run at a time.
        keep_going: whether a model whose code fails at once is trained on.
        stopped: models that are not trained on, by model and dataset.
        failures: results of trials that an exception ended, by model and dataset.
        lived: models and datasets of which a trial ended otherwise.
        prepared: datasets whose references have been seen to, and whose parts tried, by this call.
        news: messages that the observer has not been given yet.
        failed_callbacks: what callbacks failed by, said once whatever number of trials it happened
            in.
    """

    folder: RunFolder
    context: WorkerContext
    observer: Observer
    stop: GracefulStop
    retries: int
    log: LogWriter | None
    trials: Sequence[Trial] = ()
    total: int = 0
    planned: StudyPlan = field(default_factory=lambda: StudyPlan([], (), 0))
    statuses: Counter[str] = field(default_factory=Counter)
    running: dict[Future[str], Trial] = field(default_factory=dict)
    deaths: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    phase_began: float = 0.0
    done_before_phase: int = 0
    done_before: int | None = None
    slots: int = 0
    keep_going: bool = False
    stopped: dict[tuple[str, str], StoppedModel] = field(default_factory=dict)
    failures: dict[tuple[str, str], list[Result]] = field(default_factory=dict)
    lived: set[tuple[str, str]] = field(default_factory=set)
    prepared: set[str] = field(default_factory=set)
    news: list[str] = field(default_factory=list)
    failed_callbacks: set[str] = field(default_factory=set)

    @property
    def ended_here(self) -> int:
        """Trials that ended since this coordinator began."""
        return self.statuses.total() - (self.done_before or 0)

    def results(self) -> RunResults:
        """The results that there are by now, of this shard's trials and of all others."""
        return results_on_disk(self.folder) if self.log is None else logged_results(self.log)

    def count_results(self, results: Sequence[Result]) -> None:
        """Count anew what there is; `results` are those of this shard's trials."""
        if self.done_before is None:
            self.done_before = len(results)
        self.statuses = Counter(result.status for result in results)
        self.ended = Counter(result.trial.model for result in results)
        self.failed = Counter(result.trial.model for result in results if not result.finished)
        self.failures.clear()
        for result in results:
            self._note_failure(result)

    def begin_phase(self) -> None:
        """Begin to estimate anew: trials of another phase take another time."""
        self.phase_began = time.monotonic()
        self.done_before_phase = self.statuses.total()

    def take(self, planned: StudyPlan) -> None:
        """Take a new plan, and tell what the looks say that have been taken since the last one."""
        for before, search in zip(self.planned.searches, planned.searches, strict=False):
            self.news += look_news(search, before.looks_done)
        self.planned = planned

    def add_foreign(self, trial_ids: Sequence[str]) -> None:
        """Note results that were trained elsewhere: they ended before this coordinator began."""
        for trial_id in trial_ids:
            if self.log is not None:
                self.log.add(trial_id)
        self.done_before = (self.done_before or 0) + len(trial_ids)

    def count_slots(self, executor: Executor) -> int:
        """Trials that can run at a time; workers of a cluster come and go, which is reported."""
        slots = getattr(executor, "slots", None)
        before, self.slots = self.slots, 1 if slots is None else int(slots())
        if before and self.slots != before:
            how = "joined" if self.slots > before else "left, or died"
            self.news.append(
                f"workers have {how}: {self.slots} trials can run at a time instead of {before}"
            )
        return self.slots

    def accept(self, future: Future[str], trial: Trial) -> bool:
        """Take what became of a trial.

        Returns:
            Whether the trial is settled; if not (its process died), it is to be tried again.

        Raises:
            OSError: the disk or the data failed: no trial can go on, and none is to blame.
        """
        error = future.exception()
        self._note_callbacks(trial)
        if error is None:
            if future.result() == STOPPED:
                return self.stop.requested
            self._count(trial, future.result())
            self._see(trial, future.result())
            return True
        if isinstance(error, TimeoutError):
            if ended := self.folder.result(trial.id):  # only a callback was still being told of it
                self._count(trial, ended.status)
                return True
            self._record(trial, "timeout", str(error) or "it did not end within its time")
            return True
        if isinstance(error, OSError) and not isinstance(error, ProcessExpired):
            raise error
        if self.stop.requested:
            return True  # whoever stopped the run may have ended its process: that is no result
        self.deaths[trial.id] += 1
        times = self.deaths[trial.id]
        if times <= self.retries:
            self.news.append(f"{label(trial)}: {error}; trying again from its last checkpoint")
            return False
        what = "its process died" if isinstance(error, ProcessExpired) else "the machine failed it"
        self._record(trial, "failed", f"{what} {times} times: {type(error).__name__}: {error}")
        return True

    def _note_callbacks(self, trial: Trial) -> None:
        """Say by what callbacks of a trial failed, unless that has been said."""
        for text in failures(self.folder.path, self.context.callbacks, trial):
            if text not in self.failed_callbacks:
                self.failed_callbacks.add(text)
                log = self.folder.path / log_of(self.folder, trial)
                self.news.append(f"{label(trial)}: {text}; trials go on without it; log: {log}")

    def is_stopped(self, trial: Trial) -> bool:
        """Whether the model of a trial is not trained on."""
        return (trial.model, trial.data) in self.stopped

    def _see(self, trial: Trial, status: str) -> None:
        """Tell of the first failure of a model, and stop one whose code fails at once."""
        key = trial.model, trial.data
        if status in ("done", "stopped early"):
            self.lived.add(key)
            self.stopped.pop(key, None)
            return
        result = self.folder.result(trial.id)
        if result is None:
            return
        if key not in self.failures and key not in self.lived and key not in self.stopped:
            log = self.folder.path / log_of(self.folder, trial)
            self.news.append(f"{label(trial)} {status}: {result.reason}; log: {log}")
        self._note_failure(result)
        self.stop_failing(key)

    def _note_failure(self, result: Result) -> None:
        key = result.trial.model, result.trial.data
        if result.error is None:
            self.lived.add(key)
        else:
            self.failures.setdefault(key, []).append(result)

    def stop_failing(self, key: tuple[str, str]) -> None:
        """Stop a model whose trials fail at once, all in the same way, unless told otherwise: what
        they wrote is set aside.

        Args:
            key: the model and the dataset.
        """
        results = self.failures.get(key, [])
        if self.keep_going or key in self.lived:
            return
        if key not in self.stopped and not fails_at_once(results):
            return
        trials, last = [result.trial for result in results], results[-1]
        set_aside(self.folder, trials)
        if self.log is not None:
            update(self.log, lambda line: None)
        before = self.stopped[key].trials if key in self.stopped else 0
        reason, log = last.reason or "", log_of(self.folder, last.trial)
        self.stopped[key] = StoppedModel(*key, before + len(trials), reason, log)
        for trial in trials:
            self.statuses["failed"] -= 1
            self.ended[trial.model] -= 1
            self.failed[trial.model] -= 1
        self.failures[key] = []
        if not before:
            self.news.append(
                f"{key[0]} is stopped on {key[1]}: its first {len(trials)} trials "
                "failed in the same way before each player had taken a step. A bug is "
                "not a result of the model, so nothing is recorded and its other "
                "trials are skipped. Fix the bug and run the same command to train "
                "them, or add --keep-going to record the failures"
            )

    def show(self, text: str = "") -> None:
        """Tell the observer how far the run is; `text`: what goes on instead of training."""
        running: dict[str, float] = {}
        doing: dict[str, str] = {}
        verdicts: dict[str, str] = {}
        for trial in self.running.values():
            self._note_callbacks(trial)
            beat = read_heartbeat(self.folder.trial_folder(trial.id) / "progress.json")
            if beat:
                name = label(trial)
                running[name], doing[name] = float(beat["share"]), beat["text"]
                if verdict := beat.get("verdict"):
                    verdicts[name] = verdict
        gained = self.statuses.total() - self.done_before_phase + sum(running.values())
        pending = self.total - self.statuses.total() - sum(running.values())
        seconds = time.monotonic() - self.phase_began
        known_rate = self.phase_began > 0 and gained >= MIN_GAINED
        known = Counter(trial.model for trial in self.trials)
        news = tuple(self.news)
        self.news.clear()
        self.observer.update(
            Progress(
                total=self.total,
                statuses=dict(self.statuses),
                running=running,
                text=text,
                seconds_left=seconds / gained * pending if known_rate else None,
                models={m: (known[m], self.ended[m], self.failed[m]) for m in known},
                per_hour=3600 * gained / seconds if known_rate else None,
                news=news,
                doing=doing,
                verdicts=verdicts,
            )
        )

    def _record(self, trial: Trial, status: Status, reason: str) -> None:
        """Write the result of a trial that could not write its own."""
        path = self.folder.trial_folder(trial.id)
        try:
            measured = tuple(measured_so_far(path))  # what it spent since then died with it
        except ValueError:  # damaged by whatever ended the process
            measured = ()
        result = Result(
            trial,
            status,
            measured[-1].spent if measured else Spent(),
            checkpoints=Checkpoints.of(measured),
            reason=reason,
            environment=environment(self.context),
        )
        write_result(path, result)
        self._count(trial, status)

    def _count(self, trial: Trial, status: str) -> None:
        if self.log is not None:
            self.log.add(trial.id)
        self.statuses[status] += 1
        self.ended[trial.model] += 1
        self.failed[trial.model] += status != "done"


def read_heartbeat(path: Path) -> Mapping[str, str]:
    """What a worker last wrote of its progress; empty if it has not begun, or has just ended."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}
