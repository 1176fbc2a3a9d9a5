"""A made-up run of any size, in the form that its trials would have left: numbers are drawn, and
nothing was trained.

Models differ, settings are a good cluster with a long tail, some fail early, each model's best
setting has ten fresh seeds: so whatever the report computes of a real study, it computes of this.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.files import write_json
from coequal.records import MetricInfo, Result, Status, Trial
from coequal.results.folder import RunFolder, samples_path
from coequal.results.result_file import RESULT, result_text
from coequal.study.spec import Study

DATA = ("fashion_mnist", "mnist", "digits", "cifar10", "svhn")
USUAL = ("mm_gan", "ns_gan", "lsgan", "wgan", "wgan_gp", "dragan", "began", "vae")
LEVEL = {"mm_gan": 60, "ns_gan": 34, "lsgan": 36, "wgan": 95}
LEVEL |= {"wgan_gp": 48, "dragan": 41, "began": 130, "vae": 210}  # FD of a usual setting
LEVEL |= {"dcgan": 38, "sngan": 31, "cgan": 33, "acgan": 52}
MODELS = tuple(LEVEL)
GFLOPS = (2.0, 2.0, 2.0, 1.7, 3.9, 3.5, 2.6, 1.1, 2.2, 2.3, 2.1, 2.1)  # a step
COST = dict(zip(MODELS, GFLOPS, strict=True))
METRICS = ("fd", "kid", "precision", "recall", "f1", "density", "coverage", "swd", "emd", "vendi")
SPLITS = ("validation", "test")
STATUSES: tuple[Status, ...] = ("done",) * 17 + ("diverged", "timeout", "failed")
SEEDS = 10  # fresh ones of each model's best setting
CAP, FLOOR = 800.0, 0.4
PROTOCOL = (
    "encoder=classifier:c1092c402786 real={}:10000 fake=5000 batch_norm=moving-averages ema=none"
    " seed=trial"
)


@dataclass(frozen=True)
class Size:
    """How much a made-up run holds.

    Attributes:
        settings: of each model on each dataset, the authors' among them.
        checkpoints: of a trial that did not fail.
        metrics: number of metrics, on both splits at each checkpoint.
        data: names of the datasets.
        models: names of the models.
        images: samples that each trial keeps at its last checkpoint; 0: none.
    """

    settings: int
    checkpoints: int
    metrics: int
    data: Sequence[str] = DATA[:1]
    models: Sequence[str] = USUAL
    images: int = 0

    @property
    def trials(self) -> int:
        """Number of trials, fresh seeds among them."""
        return (self.settings + SEEDS) * len(self.models) * len(self.data)


def generate(path: Path, size: Size) -> None:
    """A run with results of that size."""
    made = plan(size)
    folder = RunFolder(path)
    folder.begin("study: synthetic\n", _study(size), made, _infos(size.metrics))
    ends = {"cap": {"fd": CAP, "f1": 0.0}, "floor": {"fd": FLOOR}}
    reference = {"encoder": "classifier:c1092c402786", **ends}
    write_json(path / "references.json", dict.fromkeys(size.data, reference))
    if size.images:
        for name in size.data:
            _save(path / "references" / f"{name}.npy", blobs(Random(name), size.images))
    share = partial(_write, path, size)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(share, [made[at : at + 500] for at in range(0, len(made), 500)]))


def plan(size: Size) -> list[Trial]:
    """The search's trials, then the fresh seeds of each model's best setting.

    Raises:
        ValueError: fewer than two settings.
    """
    if size.settings < 2:
        raise ValueError("give two settings or more")
    pairs = [(data, model) for data in size.data for model in size.models]
    search = [trial(*pair, number) for number in range(size.settings) for pair in pairs]
    again = []
    for pair in pairs:
        done = [n for n in range(size.settings) if fate(trial(*pair, n))[0] == "done"]
        best = min(done, key=lambda number: fate(trial(*pair, number))[1])
        again += [trial(*pair, best, repeat) for repeat in range(1, SEEDS + 1)]
    return search + again


def trial(data: str, model: str, number: int, repeat: int = 0) -> Trial:
    """One of the plan; settings are shared by the models, as in a paired search."""
    chance = Random(number)
    drawn = {"learning_rate": 10 ** chance.uniform(-5, -2), "beta1": chance.random()}
    drawn |= {
        "batch_norm": chance.random() < 0.5,
        "discriminator_per_generator": chance.choice((1, 5)),
    }
    return Trial(
        model=model,
        objective=model,
        data=data,
        setting=number,
        settings=drawn,
        architecture={"name": "infogan", "width": 0.125},
        training={"budget": {"discriminator_steps": 2000}, "batch_size": 64, "checkpoints": 20},
        evaluation={"encoder": "classifier", "metrics": ["fd"], "samples": 5000},
        repeat=repeat,
    )


def fate(trial: Trial) -> tuple[Status, float, Random]:
    """How a trial ends, the validation FD where it ends, and what its other numbers come from."""
    chance = Random(f"{trial.data} {trial.model} {trial.setting}")
    status, kind = STATUSES[chance.randrange(len(STATUSES))], chance.random()
    away = chance.gauss(-0.5, 0.08) if kind < 0.15 else chance.gauss(0.2, 0.5)
    if trial.repeat:
        chance = Random(f"{trial.data} {trial.model} {trial.setting} {trial.repeat}")
        away += chance.gauss(0.1, 0.06)
    return status, LEVEL[trial.model] * math.exp(away), chance


def result(trial: Trial, checkpoints: int, metrics: int) -> Result:
    """A result with so many checkpoints, of a trial that did not fail."""
    status, level, chance = fate(trial)
    reached = checkpoints if status == "done" else chance.randrange(checkpoints)
    points = []
    for number in range(1, reached + 1):
        now = level * (1 + 3.5 * math.exp(-20 * number / checkpoints / 3))
        measured: list[Measurement] = []
        for split in SPLITS:
            last_validation = split == "validation" and number == reached
            fd = now if last_validation else now * math.exp(chance.gauss(0, 0.04))
            values = [fd, *(chance.random() for _ in range(metrics - 1))]
            protocol = PROTOCOL.format(split)
            measured += [
                Measurement(metric, split, value, protocol, 0.02 * value)
                for metric, value in zip(METRICS, values, strict=False)
            ]
        points.append(Checkpoint(100 * number, _spent(trial.model, 100 * number), tuple(measured)))
    reason = None if status == "done" else f"{status} after {reached} checkpoints"
    environment = {"coequal": "0.1.0", "torch": "2.14.0", "processor": "made up", "device": "cpu"}
    spent = _spent(trial.model, 100 * reached + 37 * (status != "done"), chance)
    return Result(trial, status, spent, Checkpoints.of(points), reason, environment)


def _study(size: Size) -> dict[str, object]:
    """The study with every default filled in, as the folder of a run holds it."""
    return Study.model_validate(
        {
            "study": "synthetic",
            "question": "How long does a report of so many made-up results take?",
            "data": list(size.data),
            "models": list(size.models),
            "search": {"settings": size.settings - 1, "retrain": 0.0},
            "training": {
                "budget": {"discriminator_steps": 2000},
                "checkpoints": size.checkpoints,
            },
            "evaluation": {"encoder": "classifier", "metrics": list(METRICS[: size.metrics])},
            "select": {"metric": "fd", "checkpoint": "last"},
            "reruns": {"best": 1, "seeds": SEEDS},
        }
    ).as_dict()


def _infos(metrics: int) -> dict[str, MetricInfo]:
    distances = ("fd", "kid", "swd", "emd")
    return {
        name: MetricInfo("lower", "", best=0.0)
        if name in distances
        else MetricInfo("higher", "", best=None if name == "vendi" else 1.0)
        for name in METRICS[:metrics]
    }


def _write(path: Path, size: Size, trials: list[Trial]) -> None:
    folder = RunFolder(path)
    for one in trials:
        place = folder.trial_folder(one.id)
        place.mkdir(parents=True, exist_ok=True)
        found = result(one, size.checkpoints, size.metrics)
        # Not synced one by one, which a disk does some hundred times a second.
        (place / RESULT).write_bytes(result_text(found))
        if size.images and found.checkpoints:
            chance = Random(f"{one.model} {one.setting}")
            _save(samples_path(place, found.checkpoints[-1].step), blobs(chance, size.images))


def blobs(chance: Random, count: int) -> NDArray[np.uint8]:
    """Soft spots on black, (count, 1, 28, 28), with grain: images that a PNG file can't shrink to
    nothing."""
    rng = np.random.default_rng(chance.randrange(2**32))
    at, width = rng.uniform(8, 20, (2, count, 1, 1)), rng.uniform(3, 7, (count, 1, 1))
    rows, columns = np.mgrid[0:28, 0:28]
    spots = 255 * np.exp(-((rows - at[0]) ** 2 + (columns - at[1]) ** 2) / (2 * width**2))
    grain = rng.normal(0, 4, spots.shape)
    images: NDArray[np.uint8] = np.clip(spots + grain, 0, 255).astype(np.uint8)[:, None]
    return images


def _save(path: Path, images: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, images)


def _spent(model: str, steps: int, chance: Random | None = None) -> Spent:
    """Seconds vary from trial to trial, as on a machine that others use."""
    pace = 0.0038 * COST[model] * (1 if chance is None else math.exp(chance.gauss(0, 0.05)))
    return Spent(steps, steps, 64 * steps, int(1e9 * COST[model]) * steps, round(pace * steps, 6))
