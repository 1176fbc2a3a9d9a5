"""What a study will take, from a short calibration on this machine: seconds, disk."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch

from coequal.contract import Generator, Log
from coequal.evaluation.conditions import like_split
from coequal.evaluation.instrument import GENERATED_AT_ONCE, Instrument, generate
from coequal.records import Result, Trial
from coequal.rng import Rng
from coequal.study.parts import assemble
from coequal.study.plan import most_trials
from coequal.study.spec import Study
from coequal.training.loop import Trainer
from coequal.trial.build import instrument_for, make_trainer
from coequal.trial.context import WorkerContext, threads
from coequal.trial.snapshots import shown

SECONDS = 1.0  # of training that are timed for each kind of trial
SMALL = 40_000  # bytes of a trial's JSON, log and loss curves


@dataclass(frozen=True)
class Cost:
    """Of one kind of trial: a model on a data set at a ratio of steps."""

    step: float  # seconds of a discriminator step with its share of the generator's
    flops: float  # of the same
    start: float  # seconds until a worker has read data and encoder and built the nets
    evaluation: float  # seconds of one checkpoint, both splits
    kept: int  # bytes that stay
    working: int  # bytes more while it runs

    def seconds(self, trial: Trial) -> float:
        """Of a whole trial, evaluation included."""
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
    """Of what is still to do. A trial that fails early costs less."""

    trials: int
    core_seconds: float
    disk: int  # bytes that stay
    working: int  # bytes more while the run goes on
    workers: int

    @property
    def seconds(self) -> float:
        """On the clock, all workers busy."""
        return self.core_seconds / max(1, self.workers)


def estimate(
    study: Study,
    trials: Sequence[Trial],
    results: Mapping[str, Result],
    places: WorkerContext,
    workers: int,
    note: Log,
) -> Estimate:
    """Time a second of training of every kind of trial that is left, and one evaluation.

    Encoders that are not in the cache are made (the run then finds them there). Phases that can't
    be named yet are counted in full, at the mean cost of the model's search.

    Args:
        study: as its file says.
        trials: those that can be named by now.
        results: those that there are.
        places: the data and the cache; nothing is written into the run's folder.
        workers: processes that will share the work.
        note: is told what goes on.

    Raises:
        OSError, ValueError: the data or the encoder can't be had.
    """
    costs: dict[tuple[str, str, int], Cost] = {}
    readied: dict[str, _Ready] = {}
    with threads(places.threads):
        for trial in trials:
            if _kind(trial) in costs:
                continue
            if trial.data not in readied:
                readied[trial.data] = _ready(trial, places, note)
            note(f"timing {trial.model} on {trial.data}")
            costs[_kind(trial)] = _cost(trial, readied[trial.data], places)
    left = [trial for trial in trials if trial.id not in results]
    ended = all(trial.id in results for trial in trials if trial.repeat == 0)
    later = 0 if ended else sum(most_trials(study).values()) - len(trials)
    mean = fmean(costs[_kind(trial)].seconds(trial) for trial in trials)
    kept = fmean(costs[_kind(trial)].kept for trial in trials)
    return Estimate(
        trials=len(left) + later,
        core_seconds=sum(costs[_kind(t)].seconds(t) for t in left) + later * mean,
        disk=int((len(left) + later) * kept),
        working=max(cost.working for cost in costs.values()) * max(1, workers),
        workers=workers,
    )


def _kind(trial: Trial) -> tuple[str, str, int]:
    return trial.model, trial.data, int(trial.settings.get("discriminator_per_generator", 1))


@dataclass(frozen=True)
class _Ready:
    """A data set's instrument, and the seconds that its trials spend on it."""

    instrument: Instrument
    start: float
    measuring: dict[bool, float]  # of one split, by whether images are of a class asked for

    def evaluation(self, generator: Generator, device: str) -> float:
        """Seconds of one checkpoint, both splits: a batch of images is timed for every model, the
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


def _ready(trial: Trial, places: WorkerContext, note: Log) -> _Ready:
    instrument_for(trial, places, note)  # makes what is not in the cache
    started = time.perf_counter()
    instrument = instrument_for(trial, places, note)
    make_trainer(trial, assemble(trial), instrument.dataset, places.device)
    return _Ready(instrument, time.perf_counter() - started, {})


def _cost(trial: Trial, ready: _Ready, places: WorkerContext) -> Cost:
    dataset = ready.instrument.dataset
    trainer = make_trainer(trial, assemble(trial), dataset, places.device)
    step = _seconds_per_step(trainer, _kind(trial)[2])
    parameters = {
        player: sum(value.numel() for value in net.state_dict().values())
        for player, net in trainer.nets().items()
    }
    count, form = shown(dataset.shape)
    sheet = count * form.itemsize * math.prod(dataset.shape)  # bytes
    return Cost(
        step=step,
        flops=max(1.0, trainer.spent.flops / max(1, trainer.steps_done)),
        start=ready.start,
        evaluation=ready.evaluation(trainer.evaluated, places.device),
        kept=4 * parameters["generator"] + len(trainer.training.schedule()) * sheet + SMALL,
        working=3 * 4 * sum(parameters.values()),  # weights and Adam's two moments
    )


def _seconds_per_step(trainer: Trainer, ratio: int) -> float:
    """Over whole rounds of the ratio; the first is left out, for it counts FLOPs and warms up."""
    before = 0.0
    try:
        trainer.train_until(math.inf, at_most_steps=ratio)
        before = trainer.spent.seconds
        while trainer.spent.seconds - before < SECONDS:
            trainer.train_until(math.inf, at_most_steps=ratio)
    except Exception:  # a setting that fails is a result of the run: timed as far as it came
        pass
    counted = trainer.steps_done - ratio if before else trainer.steps_done
    return (trainer.spent.seconds - before) / max(1, counted)
