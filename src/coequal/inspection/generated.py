"""Generated images by what a call names: a trained model of a run, a function, or images."""

from pathlib import Path

from coequal.evaluation.instrument import drawing
from coequal.inputs.input import Scorable
from coequal.inputs.load import from_generator
from coequal.results.folder import RunFolder
from coequal.results.own_code import refuse_code
from coequal.results.pack import is_pack, opened


def generated_images(fake: Scorable, count: int, seed: int) -> Scorable:
    """Generate the images of a trained model or a function.

    Args:
        fake: a trained model of a run or its pack, "runs/demo:ns_gan"; a function that takes a
            number and returns so many images, or a pair of images and labels; anything else is
            returned as it is.
        count: number of images to generate.
        seed: of the latents of a trained model.

    Raises:
        ValueError: the function returned no images; or a run is named, and none of its models.
        LookupError, FileNotFoundError: the run has no such model, or it left no weights.
        ValueError: it is in a pack whose code would have to be run.
    """
    if callable(fake):
        images: Scorable = fake(count)
        if images is None or isinstance(images, str | Path) or callable(images):
            kind = type(images).__name__
            raise ValueError(f"fake: the call returned a {kind}; it must return {count} images")
        return images
    if not isinstance(fake, str | Path):
        return fake
    _refuse_whole_run(fake)
    if not str(fake).rpartition(":")[0]:
        return fake
    place, _, model = str(fake).rpartition(":")
    path = Path(place).expanduser()
    if not (is_pack(path) if path.is_file() else (path / "study.json").exists()):
        return fake
    with opened(path) as folder:
        refuse_code(folder)
        return _of_model(folder, model, str(fake), count, seed)


def _of_model(folder: RunFolder, model: str, fake: str, count: int, seed: int) -> Scorable:
    # Only now: what opens a trained model takes a second to import, and most scores need none.
    from coequal.inspection.samples import chosen_trial, sample

    trial = chosen_trial(folder, model, None)
    samples = sample(folder, trial, count, seed)
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
