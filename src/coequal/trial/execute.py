"""One trial, in the worker: build the parts, train, measure. Every failure becomes a result."""

import fcntl
import io
import json
import math
import os
import platform
import shutil
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from coequal.datasets._loading import fingerprint
from coequal.evaluation.conditions import like_split
from coequal.evaluation.instrument import SPLITS, Instrument, drawing, generate
from coequal.evaluation.neighbour_sheet import beside_nearest
from coequal.files import atomic_write, write_json, write_new_json, write_npz
from coequal.records import Checkpoint, Measurement, MetricInfo, Result, Spent, Trial
from coequal.results.folder import DETAILS, NEIGHBOURS, RunFolder, samples_path
from coequal.rng import Rng
from coequal.seeds import seed_for
from coequal.study.parts import assemble
from coequal.training import checkpoint as checkpoints
from coequal.training.loop import Diverged, Trainer
from coequal.trial.build import instrument_for, make_trainer
from coequal.trial.callbacks import TrialCallbacks
from coequal.trial.context import WorkerContext, environment, threads
from coequal.trial.health_callback import StoppedEarly
from coequal.trial.heartbeat import Heartbeat, Stopped, TimedOut, stop_on_sigterm
from coequal.trial.snapshots import grid
from coequal.trial.weights import KEPT, kept_weights, write_weights

INFRASTRUCTURE = (OSError, MemoryError, torch.OutOfMemoryError, SafetensorError)
"""What the machine does to a trial; everything else that goes wrong in it is its own result."""

PULSE = 0.5  # seconds of training below which twice as many steps are taken between two pulses

BESIDE = 10  # generated images that are shown beside their nearest training images

STOPPED = "stopped"
"""What `execute` returns for a trial that left a checkpoint and no result."""


def execute(trial: Trial, places: WorkerContext) -> str:
    """Run a trial to its result on disk; go on from its last checkpoint if it has one.

    Returns:
        The status. Whatever goes wrong inside the trial is in its result and in its log.txt.

    Raises:
        OSError, MemoryError: the machine or the data failed, not the model: no result is written.
    """
    run = RunFolder(Path(places.run))
    folder = run.trial_folder(trial.id)
    folder.mkdir(parents=True, exist_ok=True)
    # A worker may outlive a coordinator that was killed: whoever comes next waits for its end.
    with (folder / ".lock").open("w") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        known = run.result(trial.id)
        if known is not None:
            return known.status
        write_json(folder / "trial.json", trial.as_dict())
        state = _Running(trial, places, folder)
        with threads(places.threads), stop_on_sigterm(state.heart):
            return _execute(state)


def _execute(state: "_Running") -> str:
    status, reason = "done", None
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
        raise
    except Exception as error:
        cause = error.__cause__ if isinstance(error, _OfTheModel) else error
        status, reason = "failed", f"{type(cause).__name__}: {cause}"
        state.log("".join(traceback.format_exception(error)))
    state.finish(status, reason)
    return status


class _OfTheModel(Exception):
    """An error that looks like the machine's and was raised by a model's own code."""


class _Running:
    """A trial under way: what it has measured so far, and what it writes."""

    def __init__(self, trial: Trial, places: WorkerContext, folder: Path) -> None:
        self.trial, self.places, self.folder = trial, places, folder
        self.measured: list[Checkpoint] = []
        self.notes: list[str] = []
        self.trainer: Trainer | None = None
        self.onlooker: TrialCallbacks | None = None
        self.heart = Heartbeat(folder / "progress.json", places)

    def log(self, text: str) -> None:
        """A line in the trial's log."""
        with (self.folder / "log.txt").open("a") as file:
            file.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {text.rstrip()}\n")

    def run(self) -> None:
        """Train to every checkpoint of the schedule and measure there."""
        self.log(f"begins in process {os.getpid()} on {platform.node()}")
        self.heart.note("starting")
        parts = assemble(self.trial)
        trial, places = self.trial, self.places
        instrument = instrument_for(trial, places, self.heart.note)
        self._refuse_changed(instrument)
        trainer = self.trainer = make_trainer(trial, parts, instrument.dataset, places.device)
        onlooker = self.onlooker = TrialCallbacks(
            trial, trainer, instrument.dataset, instrument.encoder, places, self.folder
        )
        self._resume(trainer)
        onlooker.begin()
        for amount in parts.training.schedule():
            if self.measured and amount <= getattr(self.measured[-1].spent, parts.training.unit):
                continue  # measured already; what was only trained, before a stop, is not
            self._train(trainer, onlooker, amount)
            self._measure(trainer, instrument, trainer.steps_done)
            onlooker.save()
            checkpoints.save(trainer, self.folder / "checkpoint")

    def pause(self) -> None:
        """Leave a checkpoint for whoever goes on."""
        if self.onlooker is not None:
            self.onlooker.save()
            self.onlooker.close()
        if self.trainer is not None and self.trainer.steps_done:
            checkpoints.save(self.trainer, self.folder / "checkpoint")
            self.log(f"stopped at step {self.trainer.steps_done}, with a checkpoint")
        (self.folder / "progress.json").unlink(missing_ok=True)

    def _train(self, trainer: Trainer, onlooker: TrialCallbacks, amount: float) -> None:
        """Train until so much is spent, with a pulse about every second."""
        steps = 1
        while trainer.spent_of_budget < amount:
            begun = time.monotonic()
            onlooker.picture()
            try:
                most = onlooker.steps(steps)
                trainer.train_until(min(amount, onlooker.next), at_most_steps=most)
            except OSError as error:  # training touches no file: it is the model's own code
                raise _OfTheModel from error
            said, verdict = onlooker.look()
            if time.monotonic() - begun < PULSE:
                steps *= 2
            self.heart.beat(trainer.spent_of_budget / trainer.training.amount, said, verdict)
        onlooker.picture()

    def finish(self, status: str, reason: str | None) -> None:
        """Write the result, and leave only what a report or `coequal sample` can use."""
        trainer, health = self.trainer, None
        if self.onlooker is not None:
            whole = status != "failed"  # else whatever failed may fail again
            health = self.onlooker.finish(reason if status == "diverged" else None, picture=whole)
        if trainer is not None:
            write_npz(self.folder / "curves.npz", trainer.curves.arrays())
            write_weights(self.folder / "generator.safetensors", trainer)
        result = Result(
            trial=self.trial,
            status=status,
            spent=trainer.spent if trainer else Spent(),
            checkpoints=tuple(self.measured),
            reason=reason,
            environment=environment(self.places),
            notes=tuple(self.notes),
            health=health,
        )
        write_new_json(self.folder / "result.json", result.as_dict())
        self.log(f"ends: {status}" + (f": {reason}" if reason else ""))
        shutil.rmtree(self.folder / "checkpoint", ignore_errors=True)
        for name in ("measured.json", "progress.json"):
            (self.folder / name).unlink(missing_ok=True)

    def _measure(self, trainer: Trainer, instrument: Instrument, step: int) -> None:
        generator, device = trainer.evaluated, self.places.device
        measurements: list[Measurement] = []
        details: dict[str, Any] = {"step": step, "conditional": generator.conditional}
        for split in SPLITS:  # fresh samples for each: what chooses must not be what is reported
            rng = Rng(seed_for(self.trial.id, "evaluation", split, step), device)
            form = instrument.dataset.train.images.dtype
            order = Rng(seed_for("labels", split))
            asked = like_split(instrument.dataset.split(split), instrument.samples, order)
            images = generate(generator, instrument.samples, rng, asked, form)
            numbers = instrument.measure(
                images,
                split,
                f"{drawing(trainer.training.ema)} seed=trial",
                labels=asked.labels if generator.conditional else None,
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
        sheet = grid(generator, device, instrument.dataset)
        atomic_write(samples_path(self.folder, step), _npy(sheet))
        if self.trial.evaluation.get("neighbours") and sheet.shape[1] in (1, 3):
            cache = Path(self.places.cache)
            found = beside_nearest(sheet[:BESIDE], instrument.dataset, instrument.encoder, cache)
            atomic_write(self.folder / NEIGHBOURS, _npy(found))
        if generator.conditional or details["test"]:
            write_json(self.folder / DETAILS, details)
        bad = [entry for entry in measurements if not np.isfinite(entry.value)]
        if bad:
            raise FloatingPointError(f"{bad[0].metric} was {bad[0].value} at step {step}")
        self.measured.append(Checkpoint(step, trainer.spent, tuple(measurements)))
        self._keep(trainer, step, instrument.requested.infos())
        write_json(self.folder / "measured.json", [asdict(entry) for entry in self.measured])
        said = [f"{m.metric} {m.value:.5g} on {m.split}" for m in measurements]
        self.log(f"step {step}: {', '.join(said)}")

    def _keep(self, trainer: Trainer, step: int, metrics: Mapping[str, MetricInfo]) -> None:
        """The weights of this checkpoint, if the study's rule says so; those of the best so far go
        when a better one comes."""
        rule, _, metric = trainer.training.keep.partition(":")
        if rule == "last":
            return
        if rule == "best":
            cost = metrics[metric].cost
            *before, now = (cost(m.value(metric, "validation")) for m in self.measured)
            if now >= min(before, default=math.inf):
                return
        folder = self.folder / KEPT
        older = set(folder.glob("step-*")) if rule == "best" else set()
        write_weights(kept_weights(self.folder, step), trainer)
        for path in older - {kept_weights(self.folder, step)}:
            path.unlink()

    def _refuse_changed(self, instrument: Instrument) -> None:
        """Images and encoder must be those that the study began with."""
        known = RunFolder(Path(self.places.run)).references().get(self.trial.data, {})
        if known.get("fingerprint", now := fingerprint(instrument.dataset)) != now:
            raise OSError(
                f"the images of {self.trial.data} are not those that this study began with; "
                "bring them back, or begin another folder with --out"
            )
        if known.get("encoder", mine := instrument.encoder.id) != mine:
            raise OSError(
                f"the encoder here is {mine}, and this study began with {known['encoder']}; bring "
                "its cache (COEQUAL_CACHE) here, or begin another folder with --out"
            )

    def _resume(self, trainer: Trainer) -> None:
        if not (self.folder / "checkpoint" / "state.json").exists():
            return
        checkpoints.restore(trainer, self.folder / "checkpoint")
        known = measured_so_far(self.folder)
        self.measured = [entry for entry in known if entry.step <= trainer.steps_done]
        self.log(f"goes on from the checkpoint of step {trainer.steps_done}")


def _npy(values: torch.Tensor) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values.numpy(), allow_pickle=False)
    return buffer.getvalue()


def measured_so_far(folder: Path) -> list[Checkpoint]:
    """The checkpoints of a trial under way, out of its folder."""
    path = folder / "measured.json"
    known = json.loads(path.read_text()) if path.exists() else []
    return [Checkpoint.from_dict(entry) for entry in known]
