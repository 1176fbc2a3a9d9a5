"""What a trial is made of: its instrument, its nets and what trains them, at step 0."""

from pathlib import Path

import torch

from coequal.contract import ClassLogits, Dataset, Log
from coequal.datasets._loading import load_dataset
from coequal.evaluation.encoder_choice import RunEncoder
from coequal.evaluation.instrument import Instrument, prepare
from coequal.evaluation.requested import requested_metrics
from coequal.records import Trial
from coequal.results.encoder_files import ENCODERS, check_encoder_file
from coequal.results.folder import RunFolder
from coequal.seeds import seed_for
from coequal.study.parts import Parts
from coequal.training.batches import Batches
from coequal.training.loop import Trainer, build_players
from coequal.trial.context import WorkerContext


def make_trainer(trial: Trial, parts: Parts, dataset: Dataset, device: str) -> Trainer:
    """Build the trainer of a trial, at step 0.

    Args:
        trial: its `seed_id` decides the seeds of nets, data and training.
        parts: of the trial, as `assemble` gives them.
        dataset: the trial's own.
        device: what torch computes on.

    Raises:
        ValueError: the nets can't be built for these images.
    """
    refusal = parts.architecture.unsupported_reason(dataset.shape) or unsupported_without_labels(
        trial, parts, dataset
    )
    if refusal:
        raise ValueError(refusal)
    classes = None if dataset.classes is None else len(dataset.classes)
    requirements = parts.objective.requirements()
    players = build_players(
        parts.architecture, dataset.shape, classes, requirements, seed_for(trial.seed_id, "nets")
    )
    seed = seed_for(trial.seed_id, "training")
    batches = Batches(
        dataset.train, parts.training.batch_size, seed_for(seed, "data"), torch.device(device)
    )
    return Trainer(
        parts.objective,
        players,
        batches,
        parts.optimisation,
        parts.training,
        seed,
        device,
        parts.tricks,
    )


def instrument_for(trial: Trial, context: WorkerContext, note: Log) -> Instrument:
    """Make the instrument of a trial's dataset; its costly parts come from the run's folder or the
    cache, or are made now and kept in the cache. It computes on the worker's device.

    Raises:
        OSError: the weights in the run's folder are not those with which it began.
    """
    dataset = load_dataset(trial.data, Path(context.data), trial.image_size, note)
    run = RunFolder(Path(context.run))
    check_encoder_file(run, trial.data)
    began_with = run.references().get(trial.data, {}).get("encoder")
    return prepare(
        dataset,
        str(trial.evaluation["encoder"]),
        requested_metrics(trial.evaluation["metrics"], trial.evaluation.get("settings")),
        int(trial.evaluation["samples"]),
        Path(context.cache),
        note,
        RunEncoder(run.path / ENCODERS, began_with),
        context.device,
    )


def unsupported_without_labels(trial: Trial, parts: Parts, data: Dataset) -> str | None:
    """The reason why a model that learns classes can't be trained on these images; None if it
    can."""
    head = parts.objective.requirements().output
    if not parts.architecture.uses_labels and not (head and issubclass(head, ClassLogits)):
        return None
    if data.train.labels is None or data.classes is None:
        return (
            f"{trial.model} learns classes, and the images of {data.name} have no labels; what "
            "would do: a folder with a sub-folder for each class, another dataset, or a model "
            "without classes"
        )
    present = set(data.train.labels.unique().tolist())
    absent = [name for label, name in enumerate(data.classes) if label not in present]
    if absent:
        return (
            f"{trial.model} learns classes, and the training split of {data.name} has no image of "
            f"{', '.join(absent)}"
        )
    return None
