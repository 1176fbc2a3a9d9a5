"""What a callback is given of a run: plain values and images, and nothing that it could change."""

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
        folder: a folder for the callback's own files of this run; the same for every worker, and
            when the run goes on. It is there.
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
        study: to which it belongs.
        id: of the trial: sixteen hexadecimal digits.
        name: of the trial, for people, "ns_gan 3 seed 2".
        model: the contender's name.
        data: the dataset.
        values: everything that the trial is, by name: objective, hyperparameters (`settings`),
            networks (`architecture`), training, evaluation, seed.
        metrics: of each number that is measured, what its metric says: `better`, `unit`, `label`.
        folder: a folder for the callback's own files of this trial, which is there again when the
            trial goes on.
        seen: whether this callback has been told of the trial before: by an earlier attempt, which
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
        """The trial in one level, as trackers want it: hyperparameters by their own names, all else
        by its path, "architecture.width". Lists are written as text."""
        own = dict(self.values.get("settings", {}))
        rest = {name: value for name, value in self.values.items() if name != "settings"}
        return {**own, **dict(_flat(rest, ""))}


@dataclass(frozen=True)
class TrialOutcome:
    """How a trial ended.

    Attributes:
        status: "done", "diverged", "timeout", "failed" or "stopped early".
        reason: of every status but "done".
        step: at which the training ended.
        seconds: of training, on the clock.
        verdict: on the health of the training; empty if it was not watched.
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

    Each trial has an instance of its own, in the process that trains it; one more lives in the
    process that runs the study, for `on_study_begin` and `on_study_end`. (An object that was given
    with `workers=0` is the only one.) The instance of a trial is called in its process between two
    steps, off the training's clock.

    No result depends on a callback. What it draws from a global random generator is put back. If it
    raises an exception, this is written to the trial's log.txt and said on the screen, and the
    trial goes on without it; only `on_study_begin` refuses the run by it.

    Steps come in order, and each comes once, also when a trial is stopped or killed and goes on
    from its last checkpoint: how far a callback has been told is kept in its folder of the trial. A
    process that is killed at the very moment may tell the last half second twice.
    """

    def on_study_begin(self, study: StudyInfo) -> None:
        """A run begins, or goes on, and has trials to train; called before any work.

        Args:
            study: of the run.
        """

    def on_trial_begin(self, trial: TrialInfo, step: int) -> None:
        """A trial begins, or goes on from a checkpoint.

        Args:
            trial: which it is.
            step: of its checkpoint; 0 if it begins.
        """

    def on_probe(self, step: int, values: Mapping[str, float]) -> None:
        """The training was probed, at first every 25 steps.

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
            images: generated at fixed latents, (n, channels, height, width), uint8; of points in
                the plane float32 in [0, 1]. None if none are kept.
        """

    def on_trial_pause(self, step: int) -> None:
        """The trial stops here, or the machine fails it; it may go on later from a checkpoint.

        Args:
            step: at which it stops.
        """

    def on_trial_end(self, outcome: TrialOutcome) -> None:
        """The trial has ended, and its result is written.

        Args:
            outcome: how it ended.
        """

    def on_study_end(self, study: StudyInfo) -> None:
        """Every trial of the run has a result. Not called where a run is stopped.

        Args:
            study: of the run.
        """


def is_picture(images: NDArray[Any] | None) -> bool:
    """Whether what `Callback.on_checkpoint` was given can be shown as pictures."""
    return images is not None and images.dtype == np.uint8


def _flat(values: Mapping[str, Any], above: str) -> list[tuple[str, Any]]:
    """Nested mappings in one level, by their paths."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{above}{name}.")
        elif isinstance(value, list | tuple):
            found.append((f"{above}{name}", ", ".join(map(str, value))))
        elif value is not None:
            found.append((f"{above}{name}", value))
    return found
