"""One trial, in the worker: build the parts, train, measure. Every failure becomes a result."""

import io
import os
import platform
import shutil
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.code_places import described, place_of_error
from coequal.datasets._loading import fingerprint
from coequal.evaluation.instrument import SPLITS, Instrument, drawing
from coequal.evaluation.neighbour_sheet import beside_nearest
from coequal.files import atomic_write, write_json, write_npz
from coequal.lookup import search_also
from coequal.records import CodeError, Result, Status, Trial
from coequal.results.folder import DETAILS, FRAMES, NEIGHBOURS, RunFolder, samples_path
from coequal.results.lock import lock
from coequal.results.result_file import MEASURED, measured_so_far, write_result
from coequal.results.states import STATE, begin_from_state, keep_state, state_to_extend
from coequal.rng import GlobalStates
from coequal.study.parts import Parts, assemble
from coequal.training import checkpoint as checkpoints
from coequal.training.loop import Diverged, Trainer
from coequal.training.part_calls import GlobalDraw, said
from coequal.trial.build import instrument_for, make_trainer
from coequal.trial.callbacks import TrialCallbacks
from coequal.trial.context import WorkerContext, computing
from coequal.trial.environment import environment
from coequal.trial.health_callback import StoppedEarly
from coequal.trial.heartbeat import Heartbeat, Stopped, TimedOut, stop_on_sigterm
from coequal.trial.measured_images import measured_images
from coequal.trial.snapshots import grid
from coequal.trial.weights import CHECKPOINT_WEIGHTS, keep_weights, write_weights

INFRASTRUCTURE = (OSError, MemoryError, torch.OutOfMemoryError, SafetensorError)
"""What the machine does to a trial; everything else that goes wrong in it is its own result."""

CHUNK_SECONDS = 0.5  # steps between two reports are doubled until they take as long as this

NEIGHBOUR_IMAGES = 10  # generated images that are kept beside their nearest training images

KEPT_BESIDE = (MEASURED, FRAMES, CHECKPOINT_WEIGHTS, "samples")
"""What a longer budget needs of a trial beside its last checkpoint."""

DAMAGED = "damaged-"
"""In a trial's folder, with a number: a folder of what could not be read of an earlier attempt."""

STOPPED = "stopped"
"""What `execute` returns for a trial that left a checkpoint and no result."""


def execute(trial: Trial, context: WorkerContext) -> str:
    """Run a trial to its result on disk, from its last checkpoint if it has one.

    Args:
        trial: described completely by plain values.
        context: where to read and write, and on what to compute.

    Returns:
        The status of the result, or `STOPPED`. Whatever goes wrong inside the trial is in its
        result and in its log.txt.

    Raises:
        OSError, MemoryError: the machine or the data failed, not the model: no result is written.
    """
    search_also(*context.import_path)
    run = RunFolder(Path(context.run))
    folder = run.trial_folder(trial.id)
    folder.mkdir(parents=True, exist_ok=True)
    # A worker may outlive a coordinator that was killed: whoever comes next waits for its end.
    with (folder / ".lock").open("a+") as mine:
        lock(mine, wait=True)
        result = run.result(trial.id)
        if result is not None:
            return result.status
        write_json(folder / "trial.json", trial.as_dict())
        state = _TrialRun(trial, context, folder)
        with computing(context), stop_on_sigterm(state.heartbeat):
            return _execute(state)


def _execute(state: "_TrialRun") -> str:
    status: Status = "done"
    reason: str | None = None
    code_error: CodeError | None = None
    try:
        state.run()
    except Stopped:
        state.pause()
        return STOPPED
    except TimedOut as error:
        status, reason = "timeout", str(error)
    except StoppedEarly as error:
        status, reason = "stopped early", str(error)
    except (Diverged, FloatingPointError) as error:
        status, reason = "diverged", str(error)
    except INFRASTRUCTURE as error:
        state.log(f"the machine failed: {type(error).__name__}: {error}")
        if state.callbacks is not None:
            state.callbacks.pause()
        raise
    except Exception as error:
        cause = error.__cause__ if isinstance(error, _ModelError) else error
        status, reason = "failed", said(cause or error)
        code_error = state.code_error(cause or error)
        state.log("".join(traceback.format_exception(error)))
    state.finish(status, reason, code_error)
    return status


class _ModelError(Exception):
    """An error of a kind that the machine raises, which was raised by a model's own code."""


class _TrialRun:
    """A trial under way.

    Attributes:
        measured: the checkpoints at which it was measured so far.
        notes: every fallback that was taken.
        trainer: None until the nets are built.
        callbacks: None until the nets are built.
    """

    def __init__(self, trial: Trial, context: WorkerContext, folder: Path) -> None:
        self.trial, self.context, self.folder = trial, context, folder
        self.run_folder = RunFolder(Path(context.run))
        self.measured: list[Checkpoint] = []
        self.notes: list[str] = []
        self.trainer: Trainer | None = None
        self.callbacks: TrialCallbacks | None = None
        self.heartbeat = Heartbeat(folder / "progress.json", context)

    def log(self, text: str) -> None:
        """Add a line to the trial's log.txt."""
        with (self.folder / "log.txt").open("a") as file:
            file.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {text.rstrip()}\n")

    def run(self) -> None:
        """Train to every checkpoint of the schedule and measure there."""
        # Build the instrument and the nets.
        self.log(f"begins in process {os.getpid()} on {platform.node()}")
        self.heartbeat.report_stage("starting")
        parts = assemble(self.trial)
        trial, context = self.trial, self.context
        instrument = instrument_for(trial, context, self.heartbeat.report_stage)
        self._refuse_changed(instrument)
        trainer, callbacks = self._begin(parts, instrument)

        # Train and measure, checkpoint after checkpoint.
        for amount in parts.training.schedule():
            if self.measured and amount <= getattr(self.measured[-1].spent, parts.training.unit):
                continue  # measured already; what was only trained, before a stop, is not
            self._train(trainer, callbacks, amount)
            with self._without_global_draws("measuring"):
                self._measure(trainer, instrument, trainer.steps_done)
            callbacks.save()
            checkpoints.save(trainer, self.folder / "checkpoint")
            callbacks.deliver()

    def pause(self) -> None:
        """Leave a checkpoint from which the trial can go on."""
        if self.callbacks is not None:
            self.callbacks.save()
            self.callbacks.pause()
        if self.trainer is not None and self.trainer.steps_done:
            checkpoints.save(self.trainer, self.folder / "checkpoint")
            self.log(f"stopped at step {self.trainer.steps_done}, with a checkpoint")
        (self.folder / "progress.json").unlink(missing_ok=True)

    def _train(self, trainer: Trainer, callbacks: TrialCallbacks, amount: float) -> None:
        """Train until `amount` of the budget is spent, with a report about every second."""
        steps = 1
        while trainer.spent_of_budget < amount:
            begun = time.monotonic()
            callbacks.snapshot()
            try:
                limit = callbacks.steps_until_update(steps)
                with self._without_global_draws("training"):
                    trainer.train_until(min(amount, callbacks.next), at_most_steps=limit)
            except OSError as error:  # training touches no file: it is the model's own code
                raise _ModelError from error
            summary, verdict = callbacks.update()
            if time.monotonic() - begun < CHUNK_SECONDS:
                steps *= 2
            fraction = trainer.spent_of_budget / trainer.training.amount
            self.heartbeat.off_the_clock = callbacks.delivery.seconds
            self.heartbeat.report(fraction, summary, verdict)
        callbacks.snapshot()

    @contextmanager
    def _without_global_draws(self, doing: str) -> Iterator[None]:
        """Refuse what the first moves did not show: a draw from a global generator at any time.

        Raises:
            GlobalDraw: there was one.
        """
        before = GlobalStates(self.context.device)
        yield
        if moved := before.moved():
            step = self.trainer.steps_done if self.trainer else 0
            remedy = "a part draws from the rng that it is given"
            raise GlobalDraw(f"{doing}, up to step {step},", "", moved, remedy)

    def code_error(self, error: BaseException) -> CodeError:
        """What a result records of an exception in the parts' code."""
        moved = self.trainer is not None and self.trainer.spent.generator_steps > 0
        return CodeError(type(error).__name__, place_of_error(error), moved)

    def finish(
        self, status: Status, reason: str | None, code_error: CodeError | None = None
    ) -> None:
        """Write the result, and leave only what a report or `coequal sample` can use."""
        trainer, health = self.trainer, None
        if self.callbacks is not None:
            health = self.callbacks.finish(
                reason if status == "diverged" else None,
                snapshot=status != "failed",  # whatever failed may fail again
            )
        if trainer is not None:
            if status == "done" and can_be_extended(trainer):
                keep_state(self.run_folder.path, self.trial, self.folder, KEPT_BESIDE)
            write_npz(self.folder / "curves.npz", trainer.curves.arrays())
            write_weights(self.folder / "generator.safetensors", trainer)
        result = Result(
            trial=self.trial,
            status=status,
            spent=trainer.spent if trainer else Spent(),
            checkpoints=Checkpoints.of(self.measured),
            reason=reason,
            environment=environment(self.context),
            notes=tuple(self.notes),
            health=health,
            error=code_error,
        )
        write_result(self.folder, result)
        self.log(f"ends: {status}" + (f": {reason}" if reason else ""))
        shutil.rmtree(self.folder / "checkpoint", ignore_errors=True)
        for name in (MEASURED, "progress.json"):
            (self.folder / name).unlink(missing_ok=True)
        if self.callbacks is not None:
            self.callbacks.end(result)

    def _measure(self, trainer: Trainer, instrument: Instrument, step: int) -> None:
        """Measure the generator on both splits, and write everything that a report shows of it."""
        generator, device = trainer.evaluated, self.context.device
        measurements: list[Measurement] = []
        details: dict[str, Any] = {"step": step, "conditional": generator.conditional}

        # Measure fresh images for each split: what chooses must not be what is reported.
        for split in SPLITS:
            images, labels = measured_images(
                self.trial, generator, instrument.dataset, split, step, device
            )
            numbers = instrument.measure(
                images,
                split,
                f"{drawing(trainer.training.ema)} seed=trial",
                labels=labels,
                generator=generator,
            )
            measurements += [
                Measurement(
                    name, split, number.value.value, number.protocol, number.value.standard_error
                )
                for name, number in numbers.items()
            ]
            details[split] = {
                name: number.value.details
                for name, number in numbers.items()
                if number.value.details is not None
            }

        # Write the sample sheet, nearest neighbours and details.
        sheet = grid(generator, device, instrument.dataset)
        atomic_write(samples_path(self.folder, step), _npy(sheet))
        if self.trial.evaluation.get("neighbours") and sheet.shape[1] in (1, 3):
            cache = Path(self.context.cache)
            samples = sheet[:NEIGHBOUR_IMAGES]
            beside = beside_nearest(samples, instrument.dataset, instrument.encoder, cache)
            atomic_write(self.folder / NEIGHBOURS, _npy(beside))
        if generator.conditional or details["test"]:
            write_json(self.folder / DETAILS, details)

        # Record the checkpoint.
        bad = [entry for entry in measurements if not np.isfinite(entry.value)]
        if bad:
            why = details[bad[0].split].get(bad[0].metric, {}).get("undefined")
            text = f"{bad[0].metric} was {bad[0].value} at step {step}"
            raise FloatingPointError(f"{text}: {why}" if why else text)
        self.measured.append(Checkpoint(step, trainer.spent, tuple(measurements)))
        keep_weights(self.folder, trainer, self.measured, instrument.requested.infos())
        write_json(self.folder / MEASURED, [asdict(entry) for entry in self.measured])
        values = [f"{m.metric} {m.value:.5g} on {m.split}" for m in measurements]
        self.log(f"step {step}: {', '.join(values)}")

    def _refuse_changed(self, instrument: Instrument) -> None:
        """Refuse images or an encoder that are not those with which the study began.

        Raises:
            OSError: so it is; the message says what to do.
        """
        known = self.run_folder.references().get(self.trial.data, {})
        if known.get("fingerprint", now := fingerprint(instrument.dataset)) != now:
            raise OSError(
                f"the images of {self.trial.data} are not those that this study began with; "
                "bring them back, or begin another folder with --out"
            )
        if known.get("encoder", mine := instrument.encoder.id) != mine:
            raise OSError(
                f"the encoder here is {mine}, and this study began with {known['encoder']}; bring "
                "the folder `encoders` of the run along (or the COEQUAL_CACHE of the machine on "
                "which it began), or begin another folder with --out"
            )

    def _begin(self, parts: Parts, instrument: Instrument) -> tuple[Trainer, TrialCallbacks]:
        """Build what trains, and put it where an earlier attempt stopped. What can't be read of
        that is set aside, and the trial starts over: it would be no result of the model."""
        trial, context, dataset = self.trial, self.context, instrument.dataset
        while True:
            trainer = self.trainer = make_trainer(trial, parts, dataset, context.device)
            callbacks = self.callbacks = TrialCallbacks(
                trial, trainer, dataset, instrument.encoder, context, self.folder, self.log
            )
            place = self._last_checkpoint(trainer)
            try:
                if place is not None:
                    self._resume(trainer, place)
                callbacks.begin(self.measured)
                return trainer, callbacks
            except Exception as error:
                if not _is_damage(error) or not self._set_aside(place, error):
                    raise

    def _last_checkpoint(self, trainer: Trainer) -> Path | None:
        """The checkpoint of an earlier attempt, or else the kept state of a shorter budget; None if
        there is neither."""
        place = self.folder / "checkpoint"
        if (place / STATE).exists():
            return place
        state = state_to_extend(self.run_folder.path, self.trial)
        return state if state is not None and can_be_extended(trainer) else None

    def _resume(self, trainer: Trainer, place: Path) -> None:
        if place.parent != self.folder:
            begin_from_state(place, self.folder, KEPT_BESIDE)
        checkpoints.restore(trainer, place)
        known = measured_so_far(self.folder)
        self.measured = [entry for entry in known if entry.step <= trainer.steps_done]
        self.log(f"goes on from the checkpoint of step {trainer.steps_done} in {place}")

    def _set_aside(self, place: Path | None, error: Exception) -> bool:
        """Move what an earlier attempt left into a folder of its own; whether there was any."""
        left = [self.folder / name for name in (MEASURED, FRAMES)]
        damaged = [path for path in (place, *left) if path is not None and path.exists()]
        if not damaged:
            return False
        aside = self.folder / f"{DAMAGED}{len(list(self.folder.glob(f'{DAMAGED}*'))) + 1}"
        aside.mkdir()
        for path in damaged:
            shutil.move(path, aside / path.name)
        self.measured = []
        text = f"a checkpoint could not be read and is now in {aside.name}, the trial starts over"
        self.log(f"{text}: {described(error)}")
        self.notes.append(text)
        return True


def _is_damage(error: Exception) -> bool:
    """Whether an error in going on from a checkpoint says that it can't be read, and not that the
    disk or the memory failed."""
    if isinstance(error, FileNotFoundError | SafetensorError):
        return True
    return not isinstance(error, INFRASTRUCTURE)


def can_be_extended(trainer: Trainer) -> bool:
    """Whether the steps of a training are the same whatever its budget is."""
    return trainer.training.extendable and not trainer.optimisation.follows_budget


def _npy(values: torch.Tensor) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values.numpy(), allow_pickle=False)
    return buffer.getvalue()
