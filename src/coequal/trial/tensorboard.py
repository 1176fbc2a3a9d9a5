"""Event files for TensorBoard while a trial trains (the package is an extra)."""

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coequal.health import Health
from coequal.health.signals import NAMES, Signals
from coequal.images import tile
from coequal.records import POINT

GROUPS = {"loss_discriminator": "loss/discriminator", "loss_generator": "loss/generator"}


def refuse_without_tensorboard() -> None:
    """Refuse, before any work, where event files can't be written.

    Raises:
        ValueError: the package is not installed; the message says what would do.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError(
            "--tensorboard needs the package tensorboard, which is not installed: "
            "pip install 'coequal[tensorboard]'"
        )


class TensorBoardLog:
    """The event files of one trial: a scalar for each signal at each probe, pictures of the frames,
    the health in words whenever the verdict changes.

    Args:
        folder: for the event files.
        step: where the training begins or goes on; what an earlier attempt wrote beyond it is
            hidden by TensorBoard.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # an extra, and slow to import

        self.writer: Any = SummaryWriter(str(folder), purge_step=step + 1 if step else None)
        self.last_step, self.verdict = step, ""

    def probes(self, signals: Signals, health: Health | None) -> None:
        """Write the probes that are new, and the verdict if it is."""
        steps = signals["step"]
        for row in np.flatnonzero(steps > self.last_step).tolist():
            step = int(steps[row])
            for name in NAMES[1:]:
                value = float(signals[name][row])
                if not math.isnan(value):
                    self.writer.add_scalar(GROUPS.get(name, f"health/{name}"), value, step)
            self.last_step = step
        if health is not None and health.verdict != self.verdict:
            self.verdict = health.verdict
            self.writer.add_text("health", f"{health.verdict}: {health.evidence}", self.last_step)

    def frame(self, images: NDArray[Any], step: int) -> None:
        """Write a frame as one picture; points in the plane make none."""
        if images.shape[1:] != POINT:
            columns = math.isqrt(len(images) - 1) + 1  # about as wide as high
            picture = tile(images, columns)
            layout = "HW" if picture.ndim == 2 else "HWC"
            self.writer.add_image("samples", picture, step, dataformats=layout)

    def close(self) -> None:
        """Write what is still in memory."""
        self.writer.close()
