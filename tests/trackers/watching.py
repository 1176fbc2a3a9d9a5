"""Callbacks that tests give to runs by name or as objects."""

import json
import random
from pathlib import Path

import numpy as np
import torch

from coequal.contract import Callback


class Recorder(Callback):
    """Remembers what it is told, as plain values; with a file also in its lines."""

    def __init__(self, path: str = "") -> None:
        self.path, self.told = path, []  # type: ignore[var-annotated]

    def add(self, *values):  # type: ignore[no-untyped-def]
        self.told.append(values)
        if self.path:
            with Path(self.path).open("a") as file:
                file.write(json.dumps(values) + "\n")

    def on_study_begin(self, study):  # type: ignore[no-untyped-def]
        self.add("study begins", study.name)

    def on_trial_begin(self, trial, step):  # type: ignore[no-untyped-def]
        self.add("begins", trial.name, step, trial.seen)

    def on_probe(self, step, values):  # type: ignore[no-untyped-def]
        self.add("probe", step, values["loss_generator"])

    def on_health(self, step, verdict, evidence):  # type: ignore[no-untyped-def]
        self.add("health", step, verdict)

    def on_checkpoint(self, step, measurements, images):  # type: ignore[no-untyped-def]
        numbers = {f"{m.metric} on {m.split}": m.value for m in measurements}
        self.add("checkpoint", step, numbers, [*images.shape, str(images.dtype)])

    def on_trial_pause(self, step):  # type: ignore[no-untyped-def]
        self.add("pauses", step)

    def on_trial_end(self, outcome):  # type: ignore[no-untyped-def]
        self.add("ends", outcome.status, outcome.step)

    def on_study_end(self, study):  # type: ignore[no-untyped-def]
        self.add("study ends", study.name)


class Drawing(Callback):
    """Draws from every global generator, and seeds them, whenever it is called."""

    def __init__(self) -> None:
        self.draw()

    def draw(self) -> None:
        torch.manual_seed(1)
        np.random.seed(2)  # noqa: NPY002
        random.seed(3)
        torch.rand(5), np.random.rand(5), random.random()  # noqa: NPY002

    def on_trial_begin(self, trial, step):  # type: ignore[no-untyped-def]
        trial.values.clear()  # nobody else reads it
        self.draw()

    def on_probe(self, step, values):  # type: ignore[no-untyped-def]
        self.draw()

    def on_checkpoint(self, step, measurements, images):  # type: ignore[no-untyped-def]
        images[:] = 0
        self.draw()


class Failing(Callback):
    """Fails at its first probe."""

    def on_probe(self, step, values):  # type: ignore[no-untyped-def]
        raise RuntimeError("no place for the number")


class Unready(Callback):
    """Fails before any work."""

    def on_study_begin(self, study):  # type: ignore[no-untyped-def]
        raise ConnectionError("nobody is there")


class Unsendable(Callback):
    """Holds what can't be pickled."""

    def __init__(self) -> None:
        self.function = lambda: None
