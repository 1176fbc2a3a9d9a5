"""TensorBoard: event files in a folder, a sub-folder for each trial."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from coequal.checkpoints import Measurement
from coequal.contract import TrialInfo, TrialOutcome
from coequal.contract.callbacks import is_picture
from coequal.files import file_name
from coequal.images import tile
from coequal.trackers._tracker import Tracker, by_name, grouped

PART = "TensorBoard"


class TensorBoard(Tracker):
    """Losses, signals of health, scores and sample images of each trial, with its hyperparameters.

    What it is told is on the disk before it returns, so that a kill loses none of it.
    """

    PACKAGE = EXTRA = "tensorboard"
    ARGUMENT = "tensorboard:FOLDER"

    writer: Any = None
    hparams: Any = None

    @classmethod
    def prepared(cls, argument: str) -> str:
        """See `Tracker.prepared`; the argument is a folder, which need not be there."""
        super().prepared(argument)
        if not argument:
            raise ValueError("the tracker tensorboard needs a folder: tensorboard:FOLDER")
        return str(Path(argument).expanduser().resolve())

    def on_trial_begin(self, trial: TrialInfo, step: int) -> None:
        """Open the trial's sub-folder, and write its hyperparameters into a new one."""
        from torch.utils.tensorboard import SummaryWriter  # an extra, and slow to import
        from torch.utils.tensorboard.summary import hparams

        folder = Path(self.argument) / f"{file_name(trial.name)}-{trial.id[:8]}"
        self.writer = SummaryWriter(str(folder))
        values = {
            name: value if isinstance(value, bool | int | float | str) else str(value)
            for name, value in trial.parameters.items()
        }
        metrics = {f"test/{name}": math.nan for name in trial.metrics}
        *begin, self.hparams = hparams(values, metrics)
        if trial.seen:
            return
        for summary in begin:
            self.writer.file_writer.add_summary(summary)
        rows = [f"| {name} | {value} |" for name, value in values.items()]
        table = "\n".join(["| setting | value |", "|---|---|", *rows])
        self.writer.add_text("trial", f"{trial.name} on {trial.data}, {trial.id}\n\n{table}", 0)
        self.writer.flush()

    def on_probe(self, step: int, values: Mapping[str, float]) -> None:
        """Write a scalar for each signal."""
        self._scalars(step, grouped(values))

    def on_health(self, step: int, verdict: str, evidence: str) -> None:
        """Write the verdict in words."""
        self.writer.add_text("health", f"{verdict}: {evidence}", step)
        self.writer.flush()

    def on_checkpoint(
        self, step: int, measurements: Sequence[Measurement], images: NDArray[Any] | None
    ) -> None:
        """Write a scalar for each number, and the images as one picture."""
        if images is not None and is_picture(images):
            picture = tile(images, math.isqrt(len(images) - 1) + 1)  # about as wide as high
            layout = "HW" if picture.ndim == 2 else "HWC"
            self.writer.add_image("samples", picture, step, dataformats=layout)
        self._scalars(step, by_name(measurements))

    def on_trial_pause(self, step: int) -> None:
        """Close the files."""
        self.writer.close()

    def on_trial_end(self, outcome: TrialOutcome) -> None:
        """Write how the trial ended, and close the files."""
        text = f"{outcome.status}: {outcome.reason}" if outcome.reason else outcome.status
        self.writer.add_text("outcome", text, outcome.step)
        self.writer.file_writer.add_summary(self.hparams)
        self.writer.close()

    def _scalars(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
        self.writer.flush()
