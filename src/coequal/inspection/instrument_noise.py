"""The noise of a run's instrument: images of its networks, measured again by other encoders."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from coequal import lookup
from coequal.contract import Dataset, Encoder, ImageShape, Log
from coequal.datasets._loading import load_dataset
from coequal.evaluation.encoder_choice import RunEncoder, prepared_encoder
from coequal.evaluation.instrument_noise import (
    GeneratedImages,
    RepeatedMeasurements,
    measure_repeatedly,
    of_images_alone,
)
from coequal.evaluation.requested import requested_metrics
from coequal.records import Trial
from coequal.results.encoder_files import ENCODERS, check_encoder_file
from coequal.results.folder import RunFolder
from coequal.rng import Rng
from coequal.seeds import seed_for
from coequal.trial.measured_images import measured_images
from coequal.trial.weights import load_generator


def instrument_noise(
    run: RunFolder,
    data: str,
    *,
    encoders: int = 5,
    partitions: int = 10,
    metrics: Sequence[str] | None = None,
    data_dir: Path,
    cache: Path,
    log: Log,
) -> RepeatedMeasurements:
    """Measure images of the chosen settings' networks by several encoders, and against halves of
    the test images.

    The images are those by which the study measured its last checkpoints. Nothing is trained but
    encoders, which stay in the cache.

    Args:
        run: with the weights of some trials of chosen settings, search or fresh seeds.
        data: a dataset of the study.
        encoders: how many, the study's own among them; one that is not trained here is alone.
        partitions: of the test images into two halves.
        metrics: names of numbers; None: those of the study.
        data_dir: the folder of the datasets.
        cache: the folder of all caches.
        log: is told about long work.

    Raises:
        ValueError: no network or no number can be measured so.
        OSError: the data or the weights can't be had.
    """
    trials = list(_networks(run, data))
    if not trials:
        raise ValueError(f"{run.path} holds no weights of a chosen setting on {data}")
    first = trials[0]
    dataset = load_dataset(data, data_dir, first.image_size, log)
    evaluation = first.evaluation
    asked = requested_metrics(metrics or evaluation["metrics"], evaluation.get("settings"))
    requested = of_images_alone(asked)
    if not requested.parts:
        raise ValueError(f"no number of {run.path} depends on features of images alone")
    return measure_repeatedly(
        [_generated(run, trial, dataset) for trial in trials],
        dataset,
        _encoders(run, first, dataset, encoders, cache, log),
        requested,
        partitions=partitions,
        rng=Rng(seed_for("instrument noise", data)),
        log=log,
    )


def _networks(run: RunFolder, data: str) -> Iterator[Trial]:
    """Trials of the chosen settings whose weights are there, in the plan's order."""
    rule, results = run.rule(), run.results()
    for model in dict.fromkeys(result.trial.model for result in results.values()):
        own = [r for r in results.values() if (r.trial.model, r.trial.data) == (model, data)]
        chosen = rule.best_settings(own, 1)
        for result in own:
            weights = run.trial_folder(result.trial.id) / "generator.safetensors"
            if result.finished and result.trial.setting in chosen and weights.exists():
                yield result.trial


def _generated(run: RunFolder, trial: Trial, dataset: Dataset) -> GeneratedImages:
    result = run.result(trial.id)
    assert result is not None
    classes = None if dataset.classes is None else len(dataset.classes)
    generator = load_generator(run, trial, ImageShape(*dataset.shape), classes)
    step = result.checkpoints.steps[-1]
    images, labels = measured_images(trial, generator, dataset, "test", step)
    return GeneratedImages(trial.id, trial.model, images, labels)


def _encoders(
    run: RunFolder, trial: Trial, dataset: Dataset, count: int, cache: Path, log: Log
) -> list[Encoder]:
    """The study's encoder, then others of the same recipe if it is trained here."""
    check_encoder_file(run, trial.data)
    name = str(trial.evaluation["encoder"])
    known: dict[str, Any] = run.references().get(trial.data, {})
    began_with = RunEncoder(run.path / ENCODERS, known.get("encoder"))
    found = [prepared_encoder(name, dataset, cache, log, began_with)]
    kind: type[Encoder] = lookup.load_class("encoders", name, Encoder)
    for repeat in range(1, count):
        other = kind.retrained(dataset, cache, log, repeat)
        if other is None:
            break
        found.append(other)
    return found
