"""The nets of a trial and what trains them, at step 0."""

import torch

from coequal.contract import Dataset
from coequal.records import Trial
from coequal.seeds import seed_for
from coequal.study.parts import Parts
from coequal.study.references import refuses_unlabelled
from coequal.training.data import Batches
from coequal.training.loop import Trainer, build_players


def make_trainer(trial: Trial, parts: Parts, dataset: Dataset, device: str) -> Trainer:
    """Everything of a trial, at step 0.

    Raises:
        ValueError: the nets can't be built for these images.
    """
    refusal = parts.architecture.refuses(dataset.shape) or refuses_unlabelled(trial, parts, dataset)
    if refusal:
        raise ValueError(refusal)
    classes = None if dataset.classes is None else len(dataset.classes)
    needs = parts.objective.needs()
    players = build_players(
        parts.architecture, dataset.shape, classes, needs, seed_for(trial.id, "nets")
    )
    seed = seed_for(trial.id, "training")
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
