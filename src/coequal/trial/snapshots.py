"""Snapshots of a trial: images at fixed latents while it trains, for an animation."""

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from coequal.contract import Conditions, Dataset, DensityGenerator, Generator, ImageShape
from coequal.evaluation.instrument import generate
from coequal.files import write_npz
from coequal.records import POINT
from coequal.results.folder import FRAMES
from coequal.rng import Rng
from coequal.seeds import seed_for
from coequal.training.loop import Trainer

MAX_FRAME_IMAGES = 36
MAX_FRAME_VALUES = 450_000  # 36 colour images of 64 x 64, or 9 of 128 x 128

SHEET_IMAGES = 64  # of each model, and real ones, kept for the report
SHEET_POINTS = 1000  # the same where images are points in the plane


def grid(generator: Generator, device: str, dataset: Dataset) -> torch.Tensor:
    """Generate the images of the sample sheet, on the CPU; its latents are the same for every trial
    with the same kind of latents."""
    count, form = sheet_format(dataset.shape)
    asked = Conditions.in_turn(count, len(dataset.classes or ()))
    return generate(generator, count, Rng(seed_for("grid"), device), asked, form).cpu()


class Snapshots:
    """Frames of one trial, evenly spaced over its budget: the first before the first step, the last
    at its end.

    They change no bit of the training and are off its clock. A generator whose images take too long
    (a likelihood model's) is asked for none, and images that are not finite are left out.

    Args:
        count: number of frames; 0 for none.
        trainer: of the trial, at the step where it begins or goes on.
        dataset: for the classes and the form of the images.
        folder: of the trial; frames that lie there, up to the trainer's step, are kept.
    """

    def __init__(self, count: int, trainer: Trainer, dataset: Dataset, folder: Path) -> None:
        self.trainer, self.dataset, self.path = trainer, dataset, folder / FRAMES
        self.steps: list[int] = []
        self.spent: list[float] = []
        self.images: list[NDArray[np.generic]] = []
        amount = trainer.training.amount
        wanted = 0 if isinstance(trainer.generator, DensityGenerator) else count
        self.due = [amount * k / (wanted - 1) for k in range(wanted)] if wanted > 1 else []
        if wanted and self.path.exists():
            self._restore()

    @property
    def next(self) -> float:
        """The amount of the budget at which the next frame is due; infinite without one."""
        return self.due[0] if self.due else math.inf

    def take(self, *, final: bool = False) -> NDArray[np.generic] | None:
        """Make a frame if one is due, or if it is the final one: (n, channels, height, width); else
        None."""
        now = self.trainer.spent_of_budget
        early = final and self.due and self.trainer.steps_done not in self.steps
        if now < self.next and not early:
            return None
        self.due = [amount for amount in self.due if amount > now]
        try:
            made = grid(self.trainer.evaluated, str(self.trainer.device), self.dataset)
        except FloatingPointError:
            return None
        images: NDArray[np.generic] = made[: images_per_frame(self.dataset.shape)].numpy()
        self.steps.append(self.trainer.steps_done)
        self.spent.append(now)
        self.images.append(images)
        return images

    def save(self) -> None:
        """Write the frames so far; called before each checkpoint, so that none is lost."""
        if self.images:
            arrays = {
                "steps": np.array(self.steps, dtype=np.int64),
                "spent": np.array(self.spent, dtype=np.float64),
                "images": np.stack(self.images),
            }
            write_npz(self.path, arrays)

    def _restore(self) -> None:
        with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            known = int((file["steps"] <= self.trainer.steps_done).sum())
            self.steps = file["steps"][:known].tolist()
            self.spent = file["spent"][:known].tolist()
            self.images = list(file["images"][:known])
        self.due = [amount for amount in self.due if not self.spent or amount > self.spent[-1]]


def images_per_frame(shape: ImageShape) -> int:
    """The number of images of a frame: the whole sheet if they are points, else a square."""
    if shape == POINT:
        return sheet_format(shape)[0]
    return min(MAX_FRAME_IMAGES, max(1, math.isqrt(MAX_FRAME_VALUES // math.prod(shape))) ** 2)


def sheet_format(shape: ImageShape) -> tuple[int, torch.dtype]:
    """The number of images of a sample sheet, and their form: points in the plane stay floats."""
    return (SHEET_POINTS, torch.float32) if shape == POINT else (SHEET_IMAGES, torch.uint8)
