"""Makes the runs: signals, final images and what a classifier says of these, each run once."""

import copy
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import torch

from coequal.contract import Dataset, Encoder, Samples, Split
from coequal.datasets._loading import data_folder, load_dataset
from coequal.encoders.classifier import Classifier
from coequal.evaluation.instrument import generate
from coequal.files import atomic_write, cache_folder, write_json, write_npz
from coequal.images import to_uint8
from coequal.monitoring.monitor import Monitor
from coequal.monitoring.probe import auc
from coequal.monitoring.reference import RealReference
from coequal.reporting.image_grids import square_sheet
from coequal.rng import Rng
from coequal.study.document import Document
from coequal.study.parts import assemble
from coequal.study.plan import search_of
from coequal.study.spec import from_document
from coequal.training.loop import Diverged, Trainer
from coequal.trial.build import make_trainer
from coequal.trial.snapshots import grid
from failing.recipes import Recipe

FINAL = 2000  # images for the label, in batches' statistics as in training


@cache
def data_of(name: str) -> tuple[Dataset, Encoder, RealReference]:
    """A dataset with its classifier: clothes, or shapes whose class is one of nine places."""
    if name == "clothes":
        data = load_dataset("fashion_mnist", data_folder(None))
    else:
        made = load_dataset("colour_shapes", data_folder(None))

        def by_place(split: Split) -> Split:
            assert split.labels is not None
            return Split(split.images, split.labels % 9)

        places = tuple(f"place {number}" for number in range(9))
        parts = (by_place(made.split(part)) for part in ("train", "validation", "test"))
        data = Dataset("shapes", *parts, classes=places)
    encoder = Classifier.prepare(data, cache_folder(), print)
    reference = RealReference(data, encoder)
    assert len(reference.class_fractions)  # computed before a run may cut its data
    return data, encoder, reference


def trainer_of(recipe: Recipe) -> Trainer:
    """The run at step 0, watched."""
    settings = {**recipe.settings, **recipe.extra}
    model: dict[str, Any] = {"base": recipe.model, "settings": settings}
    if recipe.model == "hinge":
        model = {"name": "hinge", "objective": "hinge", "settings": settings}
    values = {
        "study": "failing",
        "data": ["fashion_mnist"],
        "models": [model],
        "architecture": {"name": "infogan", "width": 0.125},
        "search": {"settings": 0},
        "training": {"budget": {"discriminator_steps": recipe.steps}, "checkpoints": 1},
        "seed": recipe.seed,
    }
    trial = search_of(from_document(Document(values, {}, ()), "recipe", "recipe"))[0]
    data, _, reference = data_of(recipe.data)
    trainer = make_trainer(trial, assemble(trial), data, "cpu")
    trainer.monitor = Monitor(copy.copy(reference), recipe.seed, trainer.generator)
    return trainer


def make(recipe: Recipe, folder: Path) -> None:
    """Train it, and write what was seen."""
    begun = time.perf_counter()
    trainer = trainer_of(recipe)
    reason = None
    try:
        if recipe.change is not None and recipe.onset:
            trainer.train_until(recipe.onset)
        if recipe.change is not None:
            recipe.change(trainer)
        trainer.train_until(recipe.steps)
    except Diverged as error:
        reason = str(error)
    assert trainer.monitor is not None
    write_npz(folder / f"{recipe.id}.npz", trainer.monitor.signals.arrays())
    data, encoder, reference = data_of(recipe.data)
    found: dict[str, Any] = {
        "name": recipe.id,
        "meant": recipe.meant,
        "onset": recipe.onset if recipe.change else 0,
        "steps": recipe.steps,
        "done": trainer.steps_done,
        "stopped": reason,
        "seconds": round(time.perf_counter() - begun, 1),
    }
    if trainer.discriminator is not None and reason is None:
        found["knows"] = _knows(trainer)
    try:
        sheet = to_uint8(grid(trainer.generator, "cpu", data))
        atomic_write(folder / f"{recipe.id}.png", square_sheet(sheet.numpy()))
        images = generate(trainer.generator, FINAL, Rng(3))
        features = encoder.features(images)
        taken = reference.class_counts(features)
        assert taken is not None
        assert reference.features is not None
        found |= {
            "shares": (taken / FINAL).tolist(),
            "real_shares": reference.class_fractions.tolist(),
            "distinct": len(torch.unique(images.flatten(1), dim=0)),
            "fd": _fd(reference.features, features),
        }
    except FloatingPointError as error:
        found["stopped"] = reason or str(error)
    write_json(folder / f"{recipe.id}.json", found)


@torch.no_grad()
def _knows(trainer: Trainer) -> float:
    """How well the discriminator tells what it was trained on from what it was not, in evaluation
    mode and over a thousand images of each: not the way in which the monitor looks."""
    assert trainer.monitor is not None
    assert trainer.discriminator is not None
    trainer.discriminator.eval()
    said = [
        trainer.discriminator(Samples(known.images)).logits
        for known in (trainer.monitor.reference.train, trainer.monitor.reference.held_out)
    ]
    trainer.discriminator.train()
    return float(auc(*said))


def _fd(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Fréchet distance in the classifier's features."""
    from coequal.contract import ImageSet
    from coequal.metrics.fd import FrechetDistance

    metric = FrechetDistance()
    reference = metric.reference(ImageSet(real))
    return float(metric.values(real=reference, fake=ImageSet(fake), rng=Rng(0))["fd"].value)


def make_all(recipes: list[Recipe], folder: Path, part: int, parts: int) -> None:
    """Those of this share that are not there yet."""
    torch.set_num_threads(1)
    mine = [recipe for index, recipe in enumerate(recipes) if index % parts == part]
    for number, recipe in enumerate(mine):
        if not (folder / f"{recipe.id}.json").exists():
            make(recipe, folder)
            print(f"{number + 1} of {len(mine)}: {recipe.id}", file=sys.stderr, flush=True)
