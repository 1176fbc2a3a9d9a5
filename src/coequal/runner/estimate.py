"""Estimate what a study will take, by a short calibration on this machine: time and disk."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import torch

from coequal.contract import Generator, Log
from coequal.evaluation.conditions import like_split
from coequal.evaluation.instrument import GENERATED_AT_ONCE, Instrument, generate
from coequal.pace import Pace
from coequal.records import Result, Trial
from coequal.rng import Rng
from coequal.study.parts import assemble
from coequal.study.plan import StudyPlan
from coequal.training.loop import Trainer
from coequal.training.part_calls import said
from coequal.trial.build import instrument_for, make_trainer
from coequal.trial.context import WorkerContext, computing
from coequal.trial.snapshots import sheet_format

TIMED_SECONDS = 1.0  # of training, for each kind of trial
SMALL_FILES_BYTES = 40_000  # of a trial's JSON, log and loss curves


@dataclass(frozen=True)
class Cost:
    """The measured cost of one kind of trial: a model on a dataset, at a ratio of steps.

    Attributes:
        step: seconds of a discriminator step, with the generator steps that go with it.
        flops: of such a step.
        start: seconds until a worker has read data and encoder and built the nets.
        evaluation: seconds of one checkpoint, both splits.
        kept: bytes that stay on disk.
        working: further bytes while it runs.
    """

    step: float
    flops: float
    start: float
    evaluation: float
    kept: int
    working: int

    def seconds(self, trial: Trial) -> float:
        """Seconds of a whole trial, evaluation included."""
        training = assemble(trial).training
        steps = {
            "discriminator_steps": training.amount,
            "images": training.amount / training.batch_size,
            "flops": training.amount / self.flops,
            "seconds": training.amount / self.step,
        }[training.unit]
        return self.start + steps * self.step + len(training.schedule()) * self.evaluation


@dataclass(frozen=True)
class Estimate:
    """What the pending trials will take; one that fails early takes less.

    Attributes:
        trials: that are still to run, at most.
        core_seconds: of all of them.
        disk: bytes that stay on disk.
        working: further bytes while the run goes on.
        workers: processes that share the work.
        per_trial: seconds of each trial that can be named by now, by its id, finished or not.
    """

    trials: int
    core_seconds: float
    disk: int
    working: int
    workers: int
    per_trial: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Seconds on the clock, with all workers busy."""
        return self.core_seconds / max(1, self.workers)


def estimate(
    planned: StudyPlan,
    results: Mapping[str, Result],
    context: WorkerContext,
    workers: int,
    log: Log,
) -> Estimate:
    """Estimate the cost of the pending trials from a second of training and one evaluation of each
    kind of trial.

    Encoders that are not in the cache are made, and the run then finds them there. Phases whose
    trials can't be named yet are counted in full, at the mean cost of the search.

    Args:
        planned: the trials that can be named by now, and how many there will be at most.
        results: those that there are, by trial id.
        context: the data and the cache; nothing is written into the run's folder.
        workers: processes that will share the work.
        log: is told what goes on.

    Raises:
        OSError, ValueError: the data or the encoder can't be had.
    """
    trials = planned.trials
    costs: dict[tuple[str, str, int], Cost] = {}
    readied: dict[str, _Ready] = {}
    kinds = len(set(map(_kind, trials)))
    pace = Pace("timing a second of each kind of trial", kinds, log, unit="kinds")
    with computing(context):
        for trial in trials:
            if _kind(trial) in costs:
                continue
            if trial.data not in readied:
                readied[trial.data] = _ready(trial, context, log)
            costs[_kind(trial)] = _cost(trial, readied[trial.data], context, log)
            pace.add(1)
    pending = [trial for trial in trials if trial.id not in results]
    later = planned.most - len(trials)
    seconds = {trial.id: costs[_kind(trial)].seconds(trial) for trial in trials}
    mean = fmean(seconds.values())
    kept = fmean(costs[_kind(trial)].kept for trial in trials)
    return Estimate(
        trials=len(pending) + later,
        core_seconds=sum(seconds[trial.id] for trial in pending) + later * mean,
        disk=int((len(pending) + later) * kept),
        working=max(cost.working for cost in costs.values()) * max(1, workers),
        workers=workers,
        per_trial=seconds,
    )


def _kind(trial: Trial) -> tuple[str, str, int]:
    return trial.model, trial.data, int(trial.settings.get("discriminator_per_generator", 1))


@dataclass(frozen=True)
class _Ready:
    """The instrument of a dataset, and what it costs each trial.

    Attributes:
        instrument: of the dataset.
        start: seconds until a worker has read data and encoder and built the nets.
        measuring: seconds for one split, by whether images are of a class that was asked for.
    """

    instrument: Instrument
    start: float
    measuring: dict[bool, float]

    def evaluation(self, generator: Generator, device: str) -> float:
        """Seconds of one checkpoint, both splits. A batch of images is timed for every model; the
        metrics once for models that take classes and once for others."""
        samples = self.instrument.samples
        count = min(samples, GENERATED_AT_ONCE)
        asked = like_split(self.instrument.dataset.test, count, Rng(0))
        begun = time.perf_counter()
        images = generate(generator, count, Rng(0, device), asked)
        of_each = (time.perf_counter() - begun) / count
        if generator.conditional not in self.measuring:
            many = torch.arange(samples) % count
            known = asked[many].labels if generator.conditional else None
            begun = time.perf_counter()
            self.instrument.measure(images[many], "test", "calibration", labels=known)
            self.measuring[generator.conditional] = time.perf_counter() - begun
        return 2 * (samples * of_each + self.measuring[generator.conditional])


def _ready(trial: Trial, context: WorkerContext, log: Log) -> _Ready:
    instrument_for(trial, context, log)  # makes what is not in the cache
    started = time.perf_counter()
    instrument = instrument_for(trial, context, log)
    make_trainer(trial, assemble(trial), instrument.dataset, context.device)
    return _Ready(instrument, time.perf_counter() - started, {})


def _cost(trial: Trial, ready: _Ready, context: WorkerContext, log: Log) -> Cost:
    dataset = ready.instrument.dataset
    trainer = make_trainer(trial, assemble(trial), dataset, context.device)
    try:
        step = _seconds_per_step(trainer, _kind(trial)[2])
    except Exception as error:  # a result of the run: timed as far as it came
        log(f"{trial.model} fails: {said(error)}; its time can't be estimated")
        step = trainer.spent.seconds / max(1, trainer.steps_done)
    parameters = {
        player: sum(value.numel() for value in net.state_dict().values())
        for player, net in trainer.nets().items()
    }
    count, dtype = sheet_format(dataset.shape)
    sheet = count * dtype.itemsize * math.prod(dataset.shape)  # bytes
    checkpoints = len(trainer.training.schedule())
    return Cost(
        step=step,
        flops=max(1.0, trainer.spent.flops / max(1, trainer.steps_done)),
        start=ready.start,
        evaluation=ready.evaluation(trainer.evaluated, context.device),
        kept=4 * parameters["generator"] + checkpoints * sheet + SMALL_FILES_BYTES,
        working=3 * 4 * sum(parameters.values()),  # weights and Adam's two moments
    )


def _seconds_per_step(trainer: Trainer, ratio: int) -> float:
    """Seconds of a step, timed over whole rounds of the ratio; the first round is left out, as it
    counts FLOPs and warms up."""
    trainer.train_until(math.inf, at_most_steps=ratio)
    before = trainer.spent.seconds
    while trainer.spent.seconds - before < TIMED_SECONDS:
        trainer.train_until(math.inf, at_most_steps=ratio)
    return (trainer.spent.seconds - before) / max(1, trainer.steps_done - ratio)
