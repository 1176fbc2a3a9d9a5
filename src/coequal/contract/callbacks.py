"""What a callback gets from a run: plain values and images, and nothing that it could change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coequal.checkpoints import Measurement


@dataclass(frozen=True)
class StudyInfo:
    """A study whose trials a callback watches.

    Attributes:
        name: of the study.
        run: the run's folder.
        folder: a folder for the callback's own files of this run. It exists, and is the same for
            every worker and after the run is continued.
        values: the study file with every default filled in.
    """

    name: str
    run: Path
    folder: Path
    values: Mapping[str, Any]


@dataclass(frozen=True)
class TrialInfo:
    """A trial that a callback watches.

    Attributes:
        study: the study to which it belongs.
        id: of the trial: sixteen hexadecimal digits.
        name: of the trial, for people, "ns_gan 3 seed 2".
        model: the contender's name.
        data: the dataset.
        values: everything that defines the trial, by name: objective, hyperparameters (`settings`),
            networks (`architecture`), training, evaluation, seed.
        metrics: for each number that is measured, what its metric says: `better`, `unit`, `label`.
        folder: a folder for the callback's own files of this trial; it is the same after the trial
            is continued.
        seen: whether this callback has been told about the trial before, in an earlier attempt that
            was stopped or killed.
    """

    study: StudyInfo
    id: str
    name: str
    model: str
    data: str
    values: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Any]]
    folder: Path
    seen: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """The trial as a flat mapping, as trackers want it: hyperparameters by their own names, all
        else by its path, such as "architecture.width". Lists are written as text."""
        own = dict(self.values.get("settings", {}))
        rest = {name: value for name, value in self.values.items() if name != "settings"}
        return {**own, **dict(_flat(rest, ""))}


@dataclass(frozen=True)
class TrialOutcome:
    """How a trial ended.

    Attributes:
        status: "done", "diverged", "timeout", "failed" or "stopped early".
        reason: why it ended, for every status but "done".
        step: the step at which training ended.
        seconds: wall time of training.
        verdict: on the health of the training; empty if it was not monitored.
        evidence: for the verdict, in words.
    """

    status: str
    reason: str
    step: int
    seconds: float
    verdict: str = ""
    evidence: str = ""


class Callback:
    """Watches the trials of a run. Extend it with the methods that you need; they do nothing here.

    Each trial has its own instance, in the process that trains it. One more lives in the process
    that runs the study, for `on_study_begin` and `on_study_end`. (With `workers=0`, an object that
    you pass is the only instance.) The instance of a trial is called in its process between two
    steps; its time does not count as training time.

    No result depends on a callback. The state of every global random generator is restored after
    each call. If a callback raises an exception, this is written to the trial's log.txt and
    printed, and the trial continues without the callback. Only an exception in `on_study_begin`
    keeps the run from starting.

    Steps come in order, and each comes once, even if a trial is stopped or killed and continues
    from its last checkpoint: the callback's folder of the trial records how far it has been told.
    If the process is killed just then, the last half second may be told twice.
    """

    def on_study_begin(self, study: StudyInfo) -> None:
        """A run starts or continues, and has trials to train; called before any work.

        Args:
            study: of the run.
        """

    def on_trial_begin(self, trial: TrialInfo, step: int) -> None:
        """A trial starts, or continues from a checkpoint.

        Args:
            trial: which trial it is.
            step: the step of its checkpoint; 0 if it starts.
        """

    def on_probe(self, step: int, values: Mapping[str, float]) -> None:
        """A probe measured the training; at first there is one every 25 steps.

        Args:
            step: discriminator steps done.
            values: the signals of training health by name (`coequal.health.signals.MEANING`):
                losses, gradients, diversity of the images; one that can't be measured is left out.
        """

    def on_health(self, step: int, verdict: str, evidence: str) -> None:
        """The verdict on the health of the training has changed.

        Args:
            step: of the last probe.
            verdict: "healthy", "collapsed", ...: one of `coequal.health.VERDICTS`.
            evidence: for it, in words.
        """

    def on_checkpoint(
        self, step: int, measurements: Sequence[Measurement], images: NDArray[Any] | None
    ) -> None:
        """The generator was measured.

        Args:
            step: discriminator steps done.
            measurements: every number on every split of the reference images, with its standard
                error and its protocol.
            images: generated at fixed latents, (n, channels, height, width), uint8; float32 in
                [0, 1] for points in the plane. None if no images are kept.
        """

    def on_trial_pause(self, step: int) -> None:
        """The trial is stopped, or the machine fails; it may continue later from a checkpoint.

        Args:
            step: the step at which it stops.
        """

    def on_trial_end(self, outcome: TrialOutcome) -> None:
        """The trial has ended, and its result has been written.

        Args:
            outcome: how it ended.
        """

    def on_study_end(self, study: StudyInfo) -> None:
        """Every trial of the run has a result. Not called if the run is stopped.

        Args:
            study: of the run.
        """


def is_picture(images: NDArray[Any] | None) -> bool:
    """Whether the images that `Callback.on_checkpoint` was given can be shown as pictures."""
    return images is not None and images.dtype == np.uint8


def _flat(values: Mapping[str, Any], above: str) -> list[tuple[str, Any]]:
    """Nested mappings as one flat list, by their paths."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{above}{name}.")
        elif isinstance(value, list | tuple):
            found.append((f"{above}{name}", ", ".join(map(str, value))))
        elif value is not None:
            found.append((f"{above}{name}", value))
    return found
