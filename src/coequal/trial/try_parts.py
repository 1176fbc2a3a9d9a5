"""Parts are tried on a few images before anything is trained: one step of each model, one
measurement by metrics and an encoder from outside.

What goes wrong is said in one sentence for each part, with file and line and what was expected.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch

from coequal import lookup
from coequal.code_places import located, place_of
from coequal.contract import (
    ContractError,
    Dataset,
    DensityGenerator,
    Encoder,
    Generator,
    GeneratorInput,
    ImageSet,
    Metric,
)
from coequal.datasets._loading import load_dataset, stand_in
from coequal.evaluation.conditions import like_split
from coequal.evaluation.instrument import generate
from coequal.evaluation.requested import requested_metrics
from coequal.evaluation.requirements import Available, unmet
from coequal.records import Trial
from coequal.rng import Rng
from coequal.study.document import PartsError, Place, StudyError, StudyProblem, parse
from coequal.study.parts import Parts, assemble
from coequal.study.plan import search_of
from coequal.study.spec import Study
from coequal.testing.architectures import check_posterior_and_density
from coequal.testing.encoders import check_form
from coequal.testing.metrics import check_numbers, check_outputs, check_reference
from coequal.training.loop import Diverged, Trainer
from coequal.training.part_calls import (
    GlobalDraw,
    checked_images,
    checked_output,
    named,
    no_global_draws,
    said,
)
from coequal.trial.build import make_trainer
from coequal.trial.find_draw import place_of_draw

CPU = torch.device("cpu")
IMAGES = 64  # of each split that parts are tried on
BATCH = 8  # images of the step of a model
MORE_IMAGES = 1000  # that a metric gets if it fails with few
FEATURES = 16  # numbers of an image that a metric is given where no encoder of the user's is tried
OF_CODE = (ContractError, AttributeError, NameError, TypeError, NotImplementedError)
"""Errors that another number of images does not mend."""

SHIPPED_SECONDS = 2.0  # after which no more models are tried that have no part from outside


class Problem(NamedTuple):
    """What is wrong with a part.

    Attributes:
        place: in a study file, with the name of a model instead of its position.
        message: in one sentence, with file and line.
    """

    place: Place
    message: str


def refuse_failing_study(
    file: Path,
    study: Study,
    text: str,
    *,
    device: str,
    data_dir: Path,
    log: Callable[[str], None],
) -> None:
    """Refuse a study whose parts fail when they are tried.

    Args:
        file: of the study.
        study: one that has been checked.
        text: of the file.
        device: what torch computes on.
        data_dir: where datasets lie or are put.
        log: is told what is read.

    Raises:
        StudyError: with the line of the file at which each part is named.
    """
    document, names = parse(text, str(file)), [model.name for model in study.models]
    problems = []
    for place, message in try_study(study, device=device, data_dir=data_dir, log=log):
        if place[0] == "models":
            place = ("models", names.index(str(place[1])))
        problems.append(StudyProblem(message, place, document.line(place)))
    if problems:
        raise StudyError(str(file), problems)


def refuse_failing(trials: Sequence[Trial], dataset: Dataset, device: str) -> None:
    """Refuse trials whose parts fail when they are tried.

    Args: as of `try_parts`.

    Raises:
        PartsError: a line for each part; nothing has been trained.
    """
    problems = try_parts(trials, dataset, device)
    lines = [f"{place[-1]}: {message}" for place, message in problems]
    if lines:
        hint = "nothing has been trained; once they are mended, the same command goes on"
        raise PartsError("\n".join([*lines, f"({hint}; --no-try skips this)"]))


def try_study(
    study: Study, *, device: str, data_dir: Path, log: Callable[[str], None]
) -> list[Problem]:
    """Try the parts of a study on images of the form of its own; of datasets of ours none is
    read, and noise of that form does.

    Args:
        study: one that has been checked.
        device: what torch computes on.
        data_dir: where datasets lie or are put.
        log: is told what is read.
    """
    found: dict[Problem, None] = {}
    tried: set[tuple[Any, ...]] = set()
    for data in study.data:
        try:
            dataset = stand_in(data, study.image_size, IMAGES)
            if dataset is None:
                log(f"reading {data}")
                dataset = load_dataset(data, data_dir, study.image_size, log)
        except (ValueError, LookupError, OSError) as error:
            message = str(error.args[0]) if isinstance(error, LookupError) else str(error)
            found[Problem(("data", study.data.index(data)), message)] = None
            continue
        form = (dataset.shape, dataset.train.images.dtype, dataset.classes, dataset.manifold)
        if form not in tried:
            tried.add(form)
            trials = [trial for trial in search_of(study) if trial.data == data]
            found |= dict.fromkeys(try_parts(trials, dataset, device))
    return list(found)


def try_parts(trials: Sequence[Trial], dataset: Dataset, device: str) -> list[Problem]:
    """Try the parts of trials on some images of their dataset.

    Args:
        trials: on one dataset; the first of each model is tried.
        dataset: of theirs, or noise in its form.
        device: what torch computes on.

    Returns:
        One problem for each model, metric or encoder that failed.
    """
    data, begun = _few(dataset), math.inf
    problems: list[Problem] = []
    generators: list[Generator] = []
    first: dict[str, Trial] = {}
    for trial in trials:
        first.setdefault(trial.model, trial)
    for trial in sorted(first.values(), key=lambda trial: not has_outside_parts(trial)):
        outside = has_outside_parts(trial)
        if not outside and time.monotonic() - begun > SHIPPED_SECONDS:
            break
        try:
            generators.append(_try_model(trial, data, device))
        except (Diverged, FloatingPointError) as error:
            if outside:  # of parts of ours it is their setting's fault, and so a result
                problems.append(Problem(("models", trial.model), _with_place(error, trial)))
        except Exception as error:
            problems.append(Problem(("models", trial.model), said(error)))
        begun = min(begun, time.monotonic())  # after the first, for which torch imports half of it
    problems.sort(key=lambda problem: list(first).index(str(problem.place[1])))
    return problems + list(_instrument_problems(trials[0], data, generators))


def has_outside_parts(trial: Trial) -> bool:
    """Whether the loss or the nets of a trial come from outside the package."""
    return ":" in trial.objective or ":" in str(trial.architecture["name"])


def _with_place(error: Exception, trial: Trial) -> str:
    """What was not finite, with the place of the loss."""
    return located(f"{error}", place_of(lookup.load("objectives", trial.objective)))


def _few(dataset: Dataset) -> Dataset:
    """Some images of each split, among them of each class."""
    splits: dict[str, Any] = {}
    for name in ("train", "validation", "test"):
        split = dataset.split(name)
        order = torch.arange(len(split))
        if split.labels is not None:  # every class in turn, as far as there are images of it
            rank = torch.zeros_like(order)
            for label in split.labels.unique():
                rows = split.labels == label
                rank[rows] = torch.arange(int(rows.sum()))
            order = torch.argsort(rank * (int(split.labels.max()) + 1) + split.labels)
        most = max(IMAGES, 2 * len(dataset.classes or ()))
        splits[name] = split.select(order[:most])
    return replace(dataset, **splits)


def _try_model(trial: Trial, data: Dataset, device: str) -> Generator:
    """One step of each player of a model, and some images; in a batch of the study's own size if
    it fails in a small one."""
    parts = assemble(trial)
    size = min(parts.training.batch_size, len(data.train))
    if size <= BATCH:
        return _step(trial, parts, data, device, size)
    try:
        return _step(trial, parts, data, device, BATCH)
    except OF_CODE:
        raise
    except Exception:  # such as a shape that fits the study's own batch alone
        return _step(trial, parts, data, device, size)


def _step(trial: Trial, parts: Parts, data: Dataset, device: str, size: int) -> Generator:
    def trained() -> Trainer:
        once = replace(parts.optimisation, discriminator_per_generator=1)
        training = replace(parts.training, batch_size=size)
        short = replace(parts, optimisation=once, training=training)
        trainer = make_trainer(trial, short, data, device)
        if has_outside_parts(trial):
            _check_nets(trainer, parts, data)
        trainer.train_until(math.inf, at_most_steps=1)
        asked = like_split(data.test, BATCH, Rng(0))
        generate(trainer.evaluated, BATCH, Rng(1, device), asked, data.train.images.dtype)
        return trainer

    try:
        return trained().evaluated.cpu()
    except GlobalDraw as error:
        raise _located_draw(error, trained) from None


def _check_nets(trainer: Trainer, parts: Parts, data: Dataset) -> None:
    """What the nets give, before a loss makes use of it."""
    real = trainer.batches.draw()
    trainer.batches.restore(-1, len(data.train))
    classes = None if data.classes is None else len(data.classes)
    kind, net = trainer.requirements.output, trainer.discriminator
    if net is not None and kind is not None:
        forward = type(net).forward
        with no_global_draws(forward, "discriminator", trainer.device):
            output = net(real)
        checked_output(net, output, kind, real, classes)
    latents = trainer.generator.latents(len(real.images), Rng(2, trainer.device))
    with torch.no_grad():
        made = trainer.generator(GeneratorInput(latents, real.conditions))
    made = checked_images(trainer.generator, made, real, values=True)
    if not bool(made.images.isfinite().all()):
        forward = type(trainer.generator).forward
        text = f"{named(forward)} made images that are not finite, before any training"
        raise ContractError(located(text, place_of(forward)))
    with torch.no_grad():
        check_posterior_and_density(parts.architecture, trainer.generator, real)


def _located_draw(error: GlobalDraw, again: Callable[[], object]) -> GlobalDraw:
    """The same, with the line that draws, which a second attempt finds."""
    place = place_of_draw(again, error.place) or error.place
    return GlobalDraw(error.who, place, error.moved, error.remedy)


def _instrument_problems(
    trial: Trial, data: Dataset, generators: Sequence[Generator]
) -> Iterator[Problem]:
    """What is wrong with an encoder and metrics from outside."""
    evaluation, features = trial.evaluation, None
    if ":" in (name := str(evaluation["encoder"])):
        try:
            kind = lookup.load_class("encoders", name, Encoder)
            features = None if _not_here(kind, data) else _features(kind, data)
        except OSError:
            pass  # its files are not here, which its preparation will say
        except Exception as error:
            yield Problem(("evaluation", "encoder"), said(error))
    requested = requested_metrics(evaluation["metrics"], evaluation.get("settings"))
    for name, metric in requested.parts.items():
        if ":" not in name:
            continue
        try:
            _try_metric(metric, data, features, generators, int(evaluation["samples"]))
        except Exception as error:
            yield Problem(("evaluation", "metrics"), said(error))


def _not_here(kind: Any, data: Dataset) -> bool:
    """Whether an encoder can't be had, for a reason that it knows and its preparation says."""
    return bool(kind.available() or kind.unsupported_reason(data))


def _features(kind: Any, data: Dataset) -> torch.Tensor:
    """Features of the test images by an encoder that was prepared for a few images."""
    images = data.test.images.whole

    def encoded() -> tuple[Encoder, Any]:
        encoder = kind.prepare(data, Path(folder), lambda line: None)
        with no_global_draws(type(encoder).features, "measuring", CPU):
            return encoder, encoder.features(images)

    with TemporaryDirectory() as folder:
        try:
            encoder, features = encoded()
        except GlobalDraw as error:
            raise _located_draw(error, encoded) from None
    check_form(kind, encoder, features, len(images))
    made: torch.Tensor = features
    return made


def _try_metric(
    metric: Metric,
    data: Dataset,
    features: torch.Tensor | None,
    generators: Sequence[Generator],
    samples: int,
) -> None:
    """One measurement; with more images if it fails with few."""
    check_outputs(metric)
    needed = {*metric.required, *metric.required_for.values()}
    fitting = [g for g in generators if "density" not in needed or isinstance(g, DensityGenerator)]
    if ("generator" in needed and not fitting) or unmet(metric, _available(data, fitting)):
        return  # of these images it can't be had, which `check` and its preparation say
    few = len(data.test)
    try:
        _measure(metric, data, features, fitting, few)
    except FloatingPointError:
        return  # it says itself that it has no number of so few images
    except Exception:
        more = min(samples, MORE_IMAGES)
        if more <= few:
            raise
        _measure(metric, data, features, fitting, more)


def _available(data: Dataset, generators: Sequence[Generator]) -> Available:
    labels = data.test.labels is not None
    kind = type(generators[0]) if generators else None
    return Available(real_labels=labels, generator=kind, manifold=data.manifold)


def _measure(
    metric: Metric,
    data: Dataset,
    features: torch.Tensor | None,
    generators: Sequence[Generator],
    count: int,
) -> None:
    def measured() -> Any:
        with no_global_draws(type(metric).compute_reference, "measuring", CPU):
            reference = metric.reference(real, train)
        check_reference(metric, reference)
        with no_global_draws(type(metric).compute_values, "measuring", CPU):
            return metric.values(real=reference, fake=fake, rng=Rng(1))

    generator = generators[0] if generators else None
    real, train, fake = (
        _image_set(data, features, seed, count, generator if seed == 2 else None)
        for seed in range(3)
    )
    try:
        values = measured()
    except GlobalDraw as error:
        raise _located_draw(error, measured) from None
    there = {"labels": real.labels is not None, "generator": fake.generator is not None}
    there["density"] = isinstance(fake.generator, DensityGenerator)
    absent = [name for name, need in metric.required_for.items() if not there.get(need, True)]
    check_numbers(metric, values, absent)
    for name, value in values.items():
        if not math.isfinite(value.value):
            text = f"{type(metric).__name__} gave {value.value} for {name}, of {count} sound images"
            raise ValueError(located(text, place_of(type(metric).compute_values)))


def _image_set(
    data: Dataset, features: torch.Tensor | None, seed: int, count: int, made_by: Generator | None
) -> ImageSet:
    """Images of the test split, as often as needed, with features and classes beside them."""
    rows = torch.arange(count) % len(data.test)
    rng, labels = Rng(seed), data.test.labels
    own = rng.normal(count, FEATURES) if features is None else features[rows]
    noise = 0.01 * rng.normal(*own.shape) if features is not None and seed else 0.0
    classes = len(data.classes or ()) or 10
    return ImageSet(
        own + noise,
        rng.normal(count, classes).softmax(1),
        None if labels is None else labels[rows],
        data.test.images[rows],
        manifold=data.manifold if made_by is None else None,
        generator=made_by,
    )
