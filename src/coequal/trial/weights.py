"""The weights that a trial leaves, and the generator made of them again."""

from pathlib import Path

from safetensors.torch import load_file, save

from coequal.contract import Generator, ImageShape
from coequal.files import atomic_write
from coequal.records import Trial
from coequal.results.folder import RunFolder
from coequal.study.parts import assemble
from coequal.training.loop import Trainer, build_players

KEPT = "generators"
"""The folder of the weights of checkpoints that stay beside those of the last."""


def write_weights(path: Path, trainer: Trainer) -> None:
    """Write those of the generator that is measured."""
    weights = {k: v.cpu().contiguous() for k, v in trainer.evaluated.state_dict().items()}
    atomic_write(path, save(weights))


def kept_weights(folder: Path, step: int) -> Path:
    """Where a trial keeps the weights of one of its checkpoints, if the study's rule says so."""
    return folder / KEPT / f"step-{step:09d}.safetensors"


def load_generator(
    run: RunFolder, trial: Trial, shape: ImageShape, classes: int | None, step: int | None = None
) -> Generator:
    """The trained generator of a finished trial, on the CPU.

    Args:
        run, trial: which.
        shape, classes: of its images.
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
