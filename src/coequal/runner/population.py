"""How many trials at a time train most on one GPU, measured: small nets leave most of it idle."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import torch

from coequal.datasets._loading import load_dataset
from coequal.execution.main_guard import refuse_unguarded_main
from coequal.lookup import search_also
from coequal.records import Trial
from coequal.study.parts import assemble
from coequal.training.loop import Trainer
from coequal.trial.build import make_trainer
from coequal.trial.context import WorkerContext, computing

SIZES = (1, 2, 4, 8)
SECONDS = 3.0  # of training for each size
WARM_UP_STEPS = 20
WAIT_SECONDS = 120.0  # for all processes of a size to be ready
GAIN = 1.05  # that a larger population must bring, as it takes more memory


@dataclass(frozen=True)
class Population:
    """What populations of equal trials reach on one device.

    Attributes:
        speeds: steps a second of all trials together, by how many train at a time.
        failure: why no larger population was measured; empty if all were.
    """

    speeds: Mapping[int, float]
    failure: str = ""

    @property
    def best(self) -> int:
        """The smallest population that no larger one beats by more than 5 %."""
        size, *larger = self.speeds
        for other in larger:
            if self.speeds[other] > GAIN * self.speeds[size]:
                size = other
        return size


def measured_population(
    make: Callable[[], Trainer],
    sizes: Sequence[int] = SIZES,
    seconds: float = SECONDS,
) -> Population:
    """Train equal trials in processes of their own, and count the steps of all.

    Args:
        make: makes the trainer of a trial; it is sent to another process.
        sizes: how many trials train at a time, rising.
        seconds: of training for each size.

    Raises:
        RuntimeError: not even the smallest number of them can train.
    """
    speeds: dict[int, float] = {}
    for size in sizes:
        try:
            speeds[size] = _speed(make, size, seconds)
        except Exception as error:  # as a rule the memory of the GPU does not do for so many
            if not speeds:
                raise RuntimeError(f"no trial trains here: {error}") from error
            return Population(speeds, f"{size} at a time fail: {type(error).__name__}: {error}")
    return Population(speeds)


def measured_per_gpu(trial: Trial, context: WorkerContext) -> Population:
    """How many trials like one train most together on the device of a context.

    Args:
        trial: whose nets and data all have.
        context: its device, the data and the folders in which parts are searched.

    Raises:
        RuntimeError: it can't be trained; or a script would be run again by each process.
    """
    refuse_unguarded_main()
    return measured_population(partial(_trainer_of, trial, context))


def _trainer_of(trial: Trial, context: WorkerContext) -> Trainer:
    search_also(*context.import_path)
    dataset = load_dataset(trial.data, Path(context.data), trial.image_size, lambda line: None)
    return make_trainer(trial, assemble(trial), dataset, context.device)


def _speed(make: Callable[[], Trainer], size: int, seconds: float) -> float:
    """Steps a second of so many trials together."""
    spawn = get_context("spawn")
    with spawn.Manager() as manager:
        barrier: Any = manager.Barrier(size)
        with ProcessPoolExecutor(size, spawn) as pool:
            running = [pool.submit(_steps_per_second, make, barrier, seconds) for _ in range(size)]
            return math.fsum(future.result() for future in running)


def _steps_per_second(make: Callable[[], Trainer], barrier: Barrier, seconds: float) -> float:
    """In a process: train so long, beginning with all others."""
    torch.set_num_threads(1)
    try:
        trainer = make()
        with computing(WorkerContext("", "", "", str(trainer.device))):
            trainer.train_until(math.inf, at_most_steps=WARM_UP_STEPS)
            barrier.wait(WAIT_SECONDS)
            before, begun = trainer.steps_done, time.perf_counter()
            while time.perf_counter() - begun < seconds:
                trainer.train_until(math.inf, at_most_steps=trainer.read_every)
            return (trainer.steps_done - before) / (time.perf_counter() - begun)
    except BaseException:
        barrier.abort()  # or the others would wait for this one
        raise
