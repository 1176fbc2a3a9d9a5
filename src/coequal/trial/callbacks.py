"""What is called while a trial trains: its health, its snapshots, TensorBoard."""

import math
from pathlib import Path

from coequal.contract import Dataset, Encoder
from coequal.records import Trial, TrialHealth
from coequal.training.loop import Trainer
from coequal.trial.context import WorkerContext
from coequal.trial.health_callback import HealthCallback
from coequal.trial.snapshots import Snapshots
from coequal.trial.tensorboard import TensorBoardLog


class TrialCallbacks:
    """Health, snapshots and TensorBoard of one trial.

    It is made before a checkpoint is restored into the trainer; `begin` is called after that.
    """

    def __init__(
        self,
        trial: Trial,
        trainer: Trainer,
        dataset: Dataset,
        encoder: Encoder,
        context: WorkerContext,
        folder: Path,
    ) -> None:
        self.trainer, self.dataset, self.context, self.folder = trainer, dataset, context, folder
        self.health = HealthCallback(trial, trainer, dataset, encoder)
        self.snapshots: Snapshots | None = None
        self.tensorboard: TensorBoardLog | None = None

    def begin(self) -> None:
        """Start at the step of the trainer, at which the training begins or goes on."""
        self.snapshots = Snapshots(self.context.frames, self.trainer, self.dataset, self.folder)
        if self.context.tensorboard:
            self.tensorboard = TensorBoardLog(
                Path(self.context.tensorboard), self.trainer.steps_done
            )

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
            if self.tensorboard is not None:
                self.tensorboard.probes(self.health.signals, self.health.health)
        return self.health.summary, health.verdict if health else ""

    def snapshot(self, *, final: bool = False) -> None:
        """Take a snapshot if one is due, or if it is the final one."""
        images = None if self.snapshots is None else self.snapshots.take(final=final)
        if images is not None and self.tensorboard is not None:
            self.tensorboard.frame(images, self.trainer.steps_done)

    def save(self) -> None:
        """Write what a checkpoint does not hold; called before each checkpoint."""
        if self.snapshots is not None:
            self.snapshots.save()

    def close(self) -> None:
        """Close what is open; the training stops here, to go on later or not."""
        if self.tensorboard is not None:
            self.tensorboard.close()

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
        self.close()
        return self.health.finish(self.folder, diverged)
