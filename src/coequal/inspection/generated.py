"""Generated images by what a call names: a trained model of a run, a function, or images."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from coequal.contract import Log
from coequal.evaluation.instrument import drawing
from coequal.generators.files import is_file
from coequal.generators.load import deferred, generator, is_outside
from coequal.inputs.input import Scorable
from coequal.inputs.load import from_generator
from coequal.lookup import external
from coequal.results.folder import RunFolder
from coequal.results.own_code import refuse_code
from coequal.results.pack import is_pack, opened


def generated_images(
    fake: Scorable, count: int, seed: int, log: Log, device: torch.device
) -> Scorable:
    """Images of a trained model of a run, or of a generator or function from outside.

    Args:
        fake: a trained model of a run or its pack, "runs/demo:ns_gan"; what `coequal.generator`
            returns; a function that takes a number and returns so many images, or a pair of images
            and labels; the name of either, "my_lab.gen:make"; a file of a generator, "g.pt2";
            anything else is returned as it is.
        count: number of images to generate.
        seed: of the latents, and of what a function draws from global generators.
        log: is told how far it is.
        device: where a trained model computes, and a generator that is found by its name; a module
            that Python gave computes where it lies.

    Returns:
        What may be scored. A generator from outside makes its images when they are loaded.

    Raises:
        ValueError: a torch module without its latents; or a run is named, and none of its models.
        LookupError, FileNotFoundError: the run has no such model, or it left no weights; or there
            is nothing of this name.
        ValueError: it is in a pack whose code would have to be run.
    """
    if not isinstance(fake, str | Path):
        with _named_fake():
            return deferred(fake, count, seed, log, device) or fake
    _refuse_whole_run(fake)
    if not str(fake).rpartition(":")[0]:
        return _by_name(str(fake), count, seed, log, device)
    place, _, model = str(fake).rpartition(":")
    path = Path(place).expanduser()
    if not (is_pack(path) if path.is_file() else (path / "study.json").exists()):
        return _by_name(str(fake), count, seed, log, device)
    with opened(path) as folder:
        refuse_code(folder)
        return _of_model(folder, model, str(fake), count, seed, device)


def _by_name(fake: str, count: int, seed: int, log: Log, device: torch.device) -> Scorable:
    """What the name of a generator stands for; any other text as it is."""
    if not is_outside(fake):
        return fake
    with _named_fake():
        found = generator(fake) if is_file(fake) else external(fake)
        return deferred(found, count, seed, log, device, fake) or found


@contextmanager
def _named_fake() -> Iterator[None]:
    """Errors say that they are about the generated images."""
    try:
        yield
    except (ValueError, LookupError, FileNotFoundError) as error:
        raise type(error)(f"fake: {error}") from error


def _of_model(
    folder: RunFolder, model: str, fake: str, count: int, seed: int, device: torch.device
) -> Scorable:
    # Only now: what opens a trained model takes a second to import, and most scores need none.
    from coequal.inspection.samples import chosen_trial, sample

    trial = chosen_trial(folder, model, None)
    samples = sample(folder, trial, count, seed, device)
    what = f"{fake} (trial {trial.id}, seed {seed})"
    return from_generator(
        samples.images,
        samples.generator,
        what,
        samples.labels,
        samples.classes,
        drawing(trial.training.get("ema")),
    )


def _refuse_whole_run(fake: str | Path) -> None:
    """Refuse the folder of a run: its pictures are not what any one model makes.

    Raises:
        ValueError: the message names the models.
    """
    folder = RunFolder(Path(fake).expanduser())
    if (folder.path / "study.json").exists():
        models = [model["name"] for model in folder.study()["models"]]
        raise ValueError(
            f"fake: {fake} is the folder of a run; name one of its models: "
            f"{', '.join(f'{fake}:{model}' for model in models)}"
        )
