"""Weights of a trial: written, kept by the study's rule, and loaded into a generator again."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors.torch import load_file, save

from coequal.checkpoints import Checkpoint
from coequal.contract import Generator, ImageShape
from coequal.files import atomic_write
from coequal.records import MetricInfo, Trial
from coequal.results.folder import RunFolder
from coequal.study.parts import assemble
from coequal.training.loop import Trainer, build_players

CHECKPOINT_WEIGHTS = "generators"
"""In a trial's folder: the weights of checkpoints that stay beside those of the last."""


def write_weights(path: Path, trainer: Trainer) -> None:
    """Write the weights of the generator that is measured to a safetensors file."""
    weights = {k: v.cpu().contiguous() for k, v in trainer.evaluated.state_dict().items()}
    atomic_write(path, save(weights))


def kept_weights(folder: Path, step: int) -> Path:
    """The file in which a trial keeps the weights of one of its checkpoints."""
    return folder / CHECKPOINT_WEIGHTS / f"step-{step:09d}.safetensors"


def keep_weights(
    folder: Path,
    trainer: Trainer,
    measured: Sequence[Checkpoint],
    metrics: Mapping[str, MetricInfo],
) -> None:
    """Keep the weights of the last checkpoint if the study's rule asks for it; those of the best so
    far are deleted when a better one comes.

    Args:
        folder: of the trial.
        trainer: at that checkpoint.
        measured: the checkpoints so far.
        metrics: what the study's metrics say of their numbers, by the name of the number.
    """
    rule, _, metric = trainer.training.keep.partition(":")
    if rule == "last":
        return
    if rule == "best":
        cost = metrics[metric].cost
        *before, now = (cost(point.value(metric, "validation")) for point in measured)
        if now >= min(before, default=math.inf):
            return
    path = kept_weights(folder, measured[-1].step)
    older = set(path.parent.glob("step-*")) if rule == "best" else set()
    write_weights(path, trainer)
    for other in older - {path}:
        other.unlink()


def load_generator(
    run: RunFolder, trial: Trial, shape: ImageShape, classes: int | None, step: int | None = None
) -> Generator:
    """The trained generator of a finished trial, on the CPU.

    Args:
        run: the folder of its run.
        trial: one with a result.
        shape: of its images.
        classes: number of classes; None for images without labels.
        step: of the checkpoint wanted; None, or one whose weights were not kept: the last.

    Raises:
        FileNotFoundError: the trial left no weights.
    """
    folder = run.trial_folder(trial.id)
    path = folder / "generator.safetensors"
    if step is not None and kept_weights(folder, step).exists():
        path = kept_weights(folder, step)
    if not path.exists():
        raise FileNotFoundError(f"trial {trial.id} ({trial.model}) left no generator at {path}")
    parts = assemble(trial)
    players = build_players(parts.architecture, shape, classes, parts.objective.requirements(), 0)
    players.generator.load_state_dict(load_file(path))
    return players.generator
