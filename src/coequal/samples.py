"""Images of trained generators, out of a run's folder."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from coequal import lookup
from coequal.contract import Generator, ImageShape
from coequal.evaluation.instrument import generate
from coequal.images import to_uint8
from coequal.records import POINT, Trial
from coequal.report.grids import square_sheet
from coequal.results.collect import view
from coequal.results.folder import RunFolder
from coequal.rng import Rng
from coequal.seeds import seed_for
from coequal.selection import Rule
from coequal.study.trial import every_class, load_generator


class Sample(NamedTuple):
    """Images (count, channels, height, width), and the generator that made them."""

    images: Tensor
    generator: Generator


def sample(folder: RunFolder, trial: Trial, count: int, seed: int = 0) -> Sample:
    """`count` images of a trial's generator, in the form of the data: uint8, or float32 in [0, 1].

    Raises:
        FileNotFoundError: the trial left no weights.
    """
    reference = folder.references()[trial.data]
    classes = reference["classes"]
    shape = ImageShape(*reference["shape"])
    number = None if classes is None else len(classes)
    generator = load_generator(folder, trial, shape, number, _judged(folder, trial))
    form = torch.float32 if reference.get("form") == "float32" else torch.uint8
    rng = Rng(seed_for("sample", seed))
    images = generate(generator, count, rng, every_class(count, classes), form)
    return Sample(images, generator)


def _judged(folder: RunFolder, trial: Trial) -> int | None:
    """The step of the checkpoint at which a trial is judged."""
    result = folder.result(trial.id)
    moment = result and Rule.of(folder.study()["select"]).moment(result)
    return moment.step if moment else None


def chosen_trial(folder: RunFolder, model: str | None, trial: str | None) -> Trial:
    """The trial with this id, or the search's own run of a model's best setting by validation.

    Raises:
        LookupError: there is none, or more than one; the message says what there is.
    """
    rule = Rule.of(folder.study()["select"])
    with view(folder) as index:
        read = index.results(metrics=[rule.metric], splits=["validation"])
        results = {result.trial.id: rule.judged(result) for result in read}
    if trial is not None:
        found = [result.trial for key, result in results.items() if key.startswith(trial)]
        if len(found) != 1:
            raise LookupError(
                f"{len(found)} finished trials of {folder.path} have an id like '{trial}'"
            )
        return found[0]
    models = list(dict.fromkeys(result.trial.model for result in results.values()))
    if model is None and len(models) > 1:
        raise LookupError(f"say which --model: {', '.join(models)}")
    if model is not None and model not in models:
        raise LookupError(lookup.unknown(model, models))
    data = sorted({result.trial.data for result in results.values()})
    if len(data) > 1:
        raise LookupError(f"the run has several data sets ({', '.join(data)}); name a --trial")
    own = [r for r in results.values() if r.trial.model == (model or models[0])]
    best = rule.best_settings(own, 1)
    if not best:
        raise LookupError(f"no trial of {model or models} in {folder.path} has finished")
    return next(r.trial for r in own if (r.trial.setting, r.trial.repeat) == (best[0], 0))


def write_samples(folder: RunFolder, trial: Trial, count: int, seed: int, out: Path) -> Path:
    """Write images of a trained generator: one sheet (.png), an array (.npy), or a folder of PNGs.

    The sheet of points is a scatter plot over real ones.

    Raises:
        FileExistsError: an array or a folder with files is there already.
        FileNotFoundError: the trial left no weights.
        ValueError: a folder is asked for, and the images are points.
    """
    images = sample(folder, trial, count, seed).images
    if out.suffix == ".npy":
        _refuse_existing(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        np.save(out, images.numpy())
    elif out.suffix == ".png":
        _refuse_existing(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        shown = images if images.shape[1:] == POINT else to_uint8(images)
        out.write_bytes(square_sheet(shown.numpy(), folder.real_samples(trial.data)))
    elif images.shape[1:] == POINT:
        raise ValueError(f"{out}: a point makes no picture; name a .png (a scatter) or a .npy")
    else:
        _write_images(to_uint8(images).numpy(), out)
    return out


def _write_images(images: Any, folder: Path) -> None:
    _refuse_existing(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        Image.fromarray(pixels).save(folder / f"{index:06d}.png")


def _refuse_existing(path: Path) -> None:
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise FileExistsError(f"{path} is there already; name another with --out")
