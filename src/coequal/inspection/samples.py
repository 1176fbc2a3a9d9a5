"""Images of trained generators, out of a run's folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from coequal import lookup
from coequal.contract import Conditions, Generator, ImageShape
from coequal.evaluation.conditions import like_counts, of_class
from coequal.evaluation.instrument import generate
from coequal.files import folder_name
from coequal.inspection.image_files import refuse_place, write_images
from coequal.records import Trial
from coequal.results.collect import usable_results
from coequal.results.folder import RunFolder
from coequal.rng import Rng
from coequal.seeds import seed_for
from coequal.trial.weights import load_generator


class Sample(NamedTuple):
    """Generated images, and what made them.

    Attributes:
        images: (count, channels, height, width) uint8, or float32 in [0, 1].
        generator: that made them.
        labels: (count,) the classes asked for; None of a generator that takes none.
        classes: names of the classes; None of a generator that takes none.
    """

    images: Tensor
    generator: Generator
    labels: Tensor | None = None
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class SampleRequest:
    """Which images are asked for.

    Attributes:
        count: number of images; not used with `per_class`.
        per_class: number of images of each class, class by class; None for `count` in all.
        of: a class by name or number, for images of this class alone; None for all classes.
        like_data: whether classes come as often as among the training images, or all in turn.
    """

    count: int = 64
    per_class: int | None = None
    of: str | None = None
    like_data: bool = False

    @property
    def by_class(self) -> bool:
        """Whether the request names classes in any way."""
        return self.per_class is not None or self.of is not None or self.like_data


def sample(
    folder: RunFolder,
    trial: Trial,
    request: SampleRequest | int,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Sample:
    """Images of a trial's generator, in the form of the data: uint8, or float32 in [0, 1]; on the
    CPU.

    Args:
        folder: of the run.
        trial: whose generator is meant.
        request: which images, or their number.
        seed: one seed gives the same images every time, on other devices but for rounding.
        device: where the generator computes, and stays.

    Raises:
        FileNotFoundError: the trial left no weights.
        LookupError: no class has this name or number.
        ValueError: classes are asked for, and the generator takes none.
    """
    request = SampleRequest(request) if isinstance(request, int) else request
    reference = folder.references()[trial.data]
    classes = reference["classes"]
    shape = ImageShape(*reference["shape"])
    number = None if classes is None else len(classes)
    generator = load_generator(folder, trial, shape, number, _chosen_step(folder, trial)).to(device)
    form = torch.float32 if reference.get("form") == "float32" else torch.uint8
    rng = Rng(seed_for("sample", seed))
    if not generator.conditional:
        if request.by_class:
            raise ValueError(
                f"{trial.model} cannot generate images of a requested class (generator_labels: "
                "none); leave out --class, --per-class and --like-data, or train a conditional "
                "model"
            )
        conditions = Conditions.in_turn(request.count, number or 0)
        return Sample(generate(generator, request.count, rng, conditions, form).cpu(), generator)
    conditions, count = _conditions(request, reference, trial.data, seed)
    images = generate(generator, count, rng, conditions, form).cpu()
    return Sample(images, generator, conditions.labels, tuple(classes))


def _conditions(
    request: SampleRequest, reference: Mapping[str, Any], data: str, seed: int
) -> tuple[Conditions, int]:
    """The class of each image that is asked for, and how many images these are."""
    classes: list[str] = reference["classes"]
    if request.of is not None:
        count = request.per_class or request.count
        return of_class(_class_number(request.of, classes, data), count), count
    if request.per_class is not None:
        labels = torch.arange(len(classes)).repeat_interleave(request.per_class)
        return Conditions(labels), len(labels)
    if not request.like_data:
        return Conditions.in_turn(request.count, len(classes)), request.count
    counts = reference.get("class_counts")
    if counts is None:
        raise ValueError("this run was made before class frequencies were kept; --per-class works")
    order = Rng(seed_for("sample", "labels", seed))
    return like_counts(torch.tensor(counts), request.count, order), request.count


def _class_number(name: str, classes: Sequence[str], data: str) -> int:
    """The number of a class that is given by name, by its folder's name or by number."""
    for names in (list(classes), [folder_name(known) for known in classes]):
        if name in names:
            return names.index(name)
    if name.isdecimal() and int(name) < len(classes):
        return int(name)
    message = lookup.unknown(name, classes, f"class of {data}: ")
    raise LookupError(f"{message}; a number from 0 to {len(classes) - 1} also works")


def _chosen_step(folder: RunFolder, trial: Trial) -> int | None:
    """The step of the checkpoint at which a trial is judged."""
    result = folder.result(trial.id)
    moment = result and folder.rule().chosen_checkpoint(result)
    return moment.step if moment else None


def chosen_trial(folder: RunFolder, model: str | None, trial: str | None) -> Trial:
    """The trial with this id, or the search's own run of a model's best setting by validation.

    Args:
        folder: of the run.
        model: by name; may be None if the run has one model.
        trial: the id of a trial or its beginning; None to go by the model.

    Raises:
        LookupError: there is no such trial, or more than one; the message lists what there is.
    """
    rule = folder.rule()
    usable, _ = usable_results(folder)
    planned = usable.of(folder.planned())
    results = {key: rule.summary(result) for key, result in planned.items()}
    if trial is not None:
        matches = [result.trial for key, result in results.items() if key.startswith(trial)]
        if len(matches) != 1:
            raise LookupError(
                f"{len(matches)} finished trials of {folder.path} have an id like '{trial}'"
            )
        return matches[0]
    models = list(dict.fromkeys(result.trial.model for result in results.values()))
    if model is None and len(models) > 1:
        raise LookupError(f"choose one with --model: {', '.join(models)}")
    if model is not None and model not in models:
        raise LookupError(lookup.unknown(model, models))
    data = sorted({result.trial.data for result in results.values()})
    if len(data) > 1:
        raise LookupError(f"the run has several datasets ({', '.join(data)}); name a --trial")
    own = [r for r in results.values() if r.trial.model == (model or models[0])]
    best = rule.best_settings(own, 1)
    if not best:
        raise LookupError(f"no trial of {model or models} in {folder.path} has finished")
    return next(r.trial for r in own if (r.trial.setting, r.trial.repeat) == (best[0], 0))


def write_samples(
    folder: RunFolder,
    trial: Trial,
    request: SampleRequest | int,
    seed: int,
    out: Path,
    device: torch.device | str = "cpu",
) -> Path:
    """Write images of a trained generator: one sheet (.png), an array (.npy), or a folder of PNGs.

    The sheet of points is a scatter plot over real ones. Of a generator that takes classes the
    sheet has a row for each, the folder a sub-folder for each, and the labels of an array lie
    beside it in NAME-labels.npy.

    Args:
        folder: of the run.
        trial: whose generator is meant.
        request: which images, or their number.
        seed: one seed gives the same images every time.
        out: ends with .png, with .npy, or is a folder.
        device: where the generator computes.

    Returns:
        `out`.

    Raises:
        FileExistsError: an array or a folder with files is there already.
        FileNotFoundError: the trial left no weights.
        LookupError, ValueError: a folder is asked for, and the images are points; `out` ends like
            a file of another kind; or see `sample`.
    """
    refuse_place(out)
    drawn = sample(folder, trial, request, seed, device)
    points = folder.real_samples(trial.data)
    return write_images(drawn.images, out, drawn.labels, drawn.classes, points)
