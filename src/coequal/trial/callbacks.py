"""What is called while a trial trains: its health, its snapshots, and the callbacks of the run."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from coequal.checkpoints import Checkpoint
from coequal.contract import Dataset, Encoder
from coequal.records import Result, Trial, TrialHealth
from coequal.training.loop import Trainer
from coequal.trial.context import WorkerContext
from coequal.trial.delivery import Delivery
from coequal.trial.health_callback import HealthCallback
from coequal.trial.snapshots import Snapshots


class TrialCallbacks:
    """Health, snapshots and the run's callbacks of one trial.

    It is made before a checkpoint is restored into the trainer; `begin` is called after that.

    Args:
        trial: it.
        trainer: of the trial.
        dataset: of the trial.
        encoder: that measures it.
        context: of the worker.
        folder: of the trial.
        log: writes a line into its log.txt.
    """

    def __init__(
        self,
        trial: Trial,
        trainer: Trainer,
        dataset: Dataset,
        encoder: Encoder,
        context: WorkerContext,
        folder: Path,
        log: Callable[[str], None],
    ) -> None:
        self.trainer, self.dataset, self.context, self.folder = trainer, dataset, context, folder
        self.health = HealthCallback(trial, trainer, dataset, encoder)
        self.snapshots: Snapshots | None = None
        self.delivery = Delivery(trial, context, log)
        self.measured: Sequence[Checkpoint] = ()

    def begin(self, measured: Sequence[Checkpoint]) -> None:
        """Start at the step of the trainer, at which the training begins or goes on.

        Args:
            measured: the checkpoints so far; those that follow are added to it.
        """
        self.snapshots = Snapshots(self.context.frames, self.trainer, self.dataset, self.folder)
        self.measured = measured
        self.delivery.begin(self.trainer.steps_done)
        self.deliver()

    def deliver(self) -> None:
        """Tell the run's callbacks what is new."""
        if self.delivery.told:
            self.delivery.steps(self.health.signals, self.measured)
            self.delivery.health(self.health.health)

    @property
    def next(self) -> float:
        """The amount of the budget at which the next snapshot is due; infinite without one."""
        return math.inf if self.snapshots is None else self.snapshots.next

    def steps_until_update(self, limit: int) -> int:
        """How many steps may be taken until the next update, at most `limit`."""
        return self.health.steps_until_update(limit)

    def update(self) -> tuple[str, str]:
        """Judge the training by its new probes.

        Returns:
            The state of the training in a line, and the verdict on its health; empty before the
            first.

        Raises:
            StoppedEarly: the verdict is one at which the study stops trials.
        """
        try:
            health = self.health.update()
        finally:  # the verdict that stops the trial is shown, too
            self.deliver()
        return self.health.summary, health.verdict if health else ""

    def snapshot(self, *, final: bool = False) -> None:
        """Take a snapshot if one is due, or if it is the final one."""
        if self.snapshots is not None:
            self.snapshots.take(final=final)

    def save(self) -> None:
        """Write what a checkpoint does not hold; called before each checkpoint."""
        if self.snapshots is not None:
            self.snapshots.save()

    def pause(self) -> None:
        """Tell the run's callbacks that the training stops here, to go on later or not."""
        self.delivery.pause(self.trainer.steps_done)

    def finish(self, diverged: str | None, *, snapshot: bool) -> TrialHealth:
        """Write everything into the trial's folder.

        Args:
            diverged: why the training could not go on; None if it could.
            snapshot: whether a final one may be made.

        Returns:
            What a result stores of its health.
        """
        if snapshot:
            self.snapshot(final=True)
        self.save()
        stored = self.health.finish(self.folder, diverged)
        self.deliver()
        return stored

    def end(self, result: Result) -> None:
        """Tell the run's callbacks how the trial ended; its result is on the disk."""
        self.delivery.end(result)
