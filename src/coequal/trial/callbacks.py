"""Everything that looks at a trial while it trains: its health, its pictures, TensorBoard."""

import math
from pathlib import Path
from typing import Any

from coequal.contract import Dataset, Encoder
from coequal.records import Trial
from coequal.training.loop import Trainer
from coequal.trial.context import WorkerContext
from coequal.trial.health_callback import HealthCallback
from coequal.trial.snapshots import Snapshots
from coequal.trial.tensorboard import TensorBoardLog


class TrialCallbacks:
    """To be made before a trainer is put where its checkpoint is; `begin` comes after that."""

    def __init__(
        self,
        trial: Trial,
        trainer: Trainer,
        dataset: Dataset,
        encoder: Encoder,
        places: WorkerContext,
        folder: Path,
    ) -> None:
        self.trainer, self.dataset, self.places, self.folder = trainer, dataset, places, folder
        self.watch = HealthCallback(trial, trainer, dataset, encoder)
        self.frames: Snapshots | None = None
        self.board: TensorBoardLog | None = None

    def begin(self) -> None:
        """The trainer is where the training begins or goes on."""
        self.frames = Snapshots(self.places.frames, self.trainer, self.dataset, self.folder)
        if self.places.tensorboard:
            self.board = TensorBoardLog(Path(self.places.tensorboard), self.trainer.steps_done)

    @property
    def next(self) -> float:
        """How much of the budget is spent when it wants to look again, whatever the pulse."""
        return math.inf if self.frames is None else self.frames.next

    def steps(self, most: int) -> int:
        """How many steps may go by until the next look, `most` at the most."""
        return self.watch.steps(most)

    def look(self) -> tuple[str, str]:
        """How the training stands in a line, and the verdict on its health; empty before one.

        Raises:
            StoppedEarly: it is one that the study stops trials for.
        """
        try:
            health = self.watch.look()
        finally:  # what it stops for is shown, too
            if self.board is not None:
                self.board.probes(self.watch.signals, self.watch.health)
        return self.watch.said, health.verdict if health else ""

    def picture(self, *, anyway: bool = False) -> None:
        """Keep a picture of the training if one is due, or anyway."""
        images = None if self.frames is None else self.frames.take(anyway=anyway)
        if images is not None and self.board is not None:
            self.board.frame(images, self.trainer.steps_done)

    def save(self) -> None:
        """Write what a checkpoint does not hold; before each."""
        if self.frames is not None:
            self.frames.save()

    def close(self) -> None:
        """The training stops here, to go on later or not."""
        if self.board is not None:
            self.board.close()

    def finish(self, diverged: str | None, *, picture: bool) -> dict[str, Any]:
        """Write everything into the trial's folder.

        Args:
            diverged: what the training said when it could not go on.
            picture: whether one of the end may be made.

        Returns:
            What a result holds of its health.
        """
        if picture:
            self.picture(anyway=True)
        self.save()
        self.close()
        return self.watch.finish(self.folder, diverged)
