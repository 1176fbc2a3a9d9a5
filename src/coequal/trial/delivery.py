"""What the callbacks of a trial are told, each step once; a callback that fails is left out."""

import json
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from coequal.checkpoints import Checkpoint
from coequal.code_places import described
from coequal.contract import Callback, StudyInfo, TrialInfo, TrialOutcome
from coequal.files import write_json
from coequal.health import Health
from coequal.health.signals import NAMES, Signals
from coequal.records import Result, Trial, label
from coequal.results.folder import RunFolder
from coequal.rng import global_states_kept
from coequal.trackers._tracker import callback_folder, made, name_of
from coequal.trial.context import WorkerContext

DELIVERED = "delivered.json"
"""In the folder of a callback and a trial: the last steps that it was told."""

FAILED = "failed.json"
"""In the folder of a callback and a trial: which exception it raised."""


@dataclass
class _Told:
    """A callback of the trial, and how far it has been told.

    Attributes:
        given: as the run was given it.
        folder: of the callback and the trial.
        callback: None until it is made, and once it has failed.
        probe: step of the last probe that it was told.
        checkpoint: step of the last checkpoint that it was told.
        verdict: the last one that it was told.
    """

    given: str | Callback
    folder: Path
    callback: Callback | None = None
    probe: int = -1
    checkpoint: int = -1
    verdict: str = ""

    def restore(self) -> bool:
        """Read how far an earlier attempt told it; whether there was one."""
        path = self.folder / DELIVERED
        if not path.exists():
            return False
        for name, value in json.loads(path.read_text()).items():
            setattr(self, name, value)
        return True

    def save(self) -> None:
        """Keep how far it has been told."""
        kept = {name: getattr(self, name) for name in ("probe", "checkpoint", "verdict")}
        write_json(self.folder / DELIVERED, kept)


class Delivery:
    """The callbacks of one trial.

    What they are told is read from what the trial keeps: the rows of its monitor, its checkpoints,
    the sheets of its samples. A callback that lags behind is told what it has missed.

    Args:
        trial: whose they are.
        context: of the worker.
        log: writes a line into the trial's log.txt.

    Attributes:
        seconds: that the callbacks have taken.
    """

    def __init__(self, trial: Trial, context: WorkerContext, log: Callable[[str], None]) -> None:
        self.trial, self.context, self.log = trial, context, log
        self.run = RunFolder(Path(context.run))
        self.seconds = 0.0
        self.told = [
            _Told(given, callback_folder(self.run.path, given) / trial.id)
            for given in context.callbacks
        ]

    def begin(self, step: int) -> None:
        """Make the callbacks, and tell them the step at which the trial begins or goes on."""
        for told in self.told:
            with self._guarded(told):
                told.folder.mkdir(parents=True, exist_ok=True)
                (told.folder / FAILED).unlink(missing_ok=True)  # of an earlier attempt
                seen = told.restore()
                callback = made(told.given)
                callback.on_trial_begin(self._info(told, seen), step)
                told.callback = callback
                told.save()

    def steps(self, signals: Signals, measured: Sequence[Checkpoint]) -> None:
        """Tell the probes and checkpoints that are new to each callback, in the order of steps.

        Args:
            signals: of all probes so far.
            measured: all checkpoints so far.
        """
        for told, callback in self._active():
            rows = np.flatnonzero(signals["step"] > told.probe).tolist()
            points = [point for point in measured if point.step > told.checkpoint]
            if not rows and not points:
                continue
            with self._guarded(told):
                try:
                    self._tell(told, callback, signals.values[rows], points)
                finally:
                    told.save()

    def health(self, health: Health | None) -> None:
        """Tell the verdict on the training where it has changed."""
        for told, callback in self._active():
            if health is not None and health.verdict != told.verdict:
                with self._guarded(told):
                    callback.on_health(max(told.probe, 0), health.verdict, health.evidence)
                    told.verdict = health.verdict
                    told.save()

    def pause(self, step: int) -> None:
        """Tell that the trial stops here, and may go on later."""
        for told, callback in self._active():
            with self._guarded(told):
                callback.on_trial_pause(step)

    def end(self, result: Result) -> None:
        """Tell how the trial ended; its result is on the disk by then."""
        health = result.health
        outcome = TrialOutcome(
            result.status,
            result.reason or "",
            result.spent.discriminator_steps,
            result.spent.seconds,
            health.verdict if health else "",
            health.evidence if health else "",
        )
        for told, callback in self._active():
            with self._guarded(told):
                callback.on_trial_end(outcome)

    def _tell(
        self,
        told: _Told,
        callback: Callback,
        rows: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
        points: Sequence[Checkpoint],
    ) -> None:
        """Tell probes and checkpoints in the order of their steps, at one step the probe first."""
        waiting = list(points)
        for row in rows.tolist():
            step = int(row[0])
            while waiting and waiting[0].step < step:
                self._checkpoint(told, callback, waiting.pop(0))
            values = {name: v for name, v in zip(NAMES[1:], row[1:], strict=True) if v == v}
            callback.on_probe(step, values)
            told.probe = step
        for point in waiting:
            self._checkpoint(told, callback, point)

    def _checkpoint(self, told: _Told, callback: Callback, point: Checkpoint) -> None:
        images = self.run.samples(self.trial.id, point.step)
        callback.on_checkpoint(point.step, point.measurements, images)
        told.checkpoint = point.step

    def _info(self, told: _Told, seen: bool) -> TrialInfo:
        trial = self.trial
        return TrialInfo(
            study_info(self.run, told.given),
            trial.id,
            label(trial),
            trial.model,
            trial.data,
            trial.as_dict(),
            {name: asdict(info) for name, info in self.run.metrics().items()},
            told.folder,
            seen,
        )

    def _active(self) -> list[tuple[_Told, Callback]]:
        return [(told, told.callback) for told in self.told if told.callback is not None]

    @contextmanager
    def _guarded(self, told: _Told) -> Iterator[None]:
        """Call somebody else's code: what it draws from global generators is put back, its time is
        counted, and if it fails, it is called no more."""
        began = time.monotonic()
        try:
            with global_states_kept(self.context.device):
                yield
        except Exception as error:
            told.callback = None
            name = name_of(told.given)
            where = "".join(traceback.format_exception(error))
            self.log(f"the callback {name} failed; the trial goes on without it\n{where}")
            text = f"the callback {name} failed: {described(error)}"
            write_json(told.folder / FAILED, {"text": text})
        finally:
            self.seconds += time.monotonic() - began


def study_info(run: RunFolder, given: str | Callback) -> StudyInfo:
    """What a callback is told of the study of a run; the callback's folder is made."""
    folder = callback_folder(run.path, given)
    folder.mkdir(parents=True, exist_ok=True)
    study = run.study()
    return StudyInfo(str(study["study"]), run.path, folder, study)


def failures(run: Path, callbacks: Sequence[str | Callback], trial: Trial) -> list[str]:
    """What the callbacks of a trial that runs, or has just ended, failed by: a sentence each."""
    paths = [callback_folder(run, given) / trial.id / FAILED for given in callbacks]
    return [json.loads(path.read_text())["text"] for path in paths if path.exists()]
