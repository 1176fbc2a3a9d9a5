"""Made-up runs: plain numbers that a test works out by hand, and a realistic one to look at."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.files import write_json
from coequal.records import MetricInfo, Result, Trial, TrialHealth
from coequal.results.folder import RunFolder, samples_path
from coequal.results.result_file import write_result

METRICS = {
    "fd": MetricInfo("lower", "", best=0.0, label="FD"),
    "fid": MetricInfo("lower", "", best=0.0, label="FID"),
    "kid": MetricInfo("lower", "", label="KID"),
    "f1": MetricInfo("higher", "", best=1.0, label="F1"),
    "precision": MetricInfo("higher", "", best=1.0),
    "recall": MetricInfo("higher", "", best=1.0),
    "coverage": MetricInfo("higher", ""),
    "is": MetricInfo("higher", "", label="IS"),
    "manifold_precision": MetricInfo("higher", "", best=1.0),
    "manifold_recall": MetricInfo("higher", "", best=1.0),
    "manifold_f1": MetricInfo("higher", "", best=1.0, label="manifold F1"),
}
"""What the metrics of made-up runs say of themselves."""

STEP = 100
TITLES = {
    "mm_gan": "MM GAN",
    "ns_gan": "NS GAN",
    "lsgan": "LSGAN",
    "wgan": "WGAN",
    "wgan_gp": "WGAN-GP",
    "dragan": "DRAGAN",
    "began": "BEGAN",
    "vae": "VAE",
}
AUTHORS = {
    "learning_rate": 1e-4,
    "beta1": 0.5,
    "batch_norm": True,
    "discriminator_per_generator": 1,
}
RANGES = {
    "learning_rate": {"log_uniform": [1e-5, 1e-2]},
    "beta1": {"uniform": [0.0, 1.0]},
    "batch_norm": {"choice": [True, False]},
    "discriminator_per_generator": {"choice": [1, 5]},
}


@dataclass(frozen=True)
class Run:
    """What became of one trial: (validation, test) at each checkpoint, or a failure."""

    values: Sequence[tuple[float, float]] = ()
    status: str = "done"
    reason: str | None = None
    settings: Mapping[str, Any] | None = None
    flops: int = 2_000_000_000
    seconds: float = 4.0
    generator_steps: int = 300
    error: float | None = None  # standard error of the test value
    f1: Sequence[float] = ()  # test F1 at each checkpoint; empty: not measured
    health: TrialHealth | None = None
    steps: int = 1500  # of the discriminator, that were trained


Again = Mapping[tuple[str, str, int], Sequence[Run | None]]
"""Fresh seeds: (model, dataset, setting) -> runs by `repeat`, from 1."""


def same(value: float, count: int) -> list[Run]:
    """That many runs with this value on both splits."""
    return [Run([(value, value)]) for _ in range(count)]


def study_dict(
    models: Sequence[str], settings: int, search: Mapping[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """A study of so many random settings and the authors'; `search` changes some of its search."""
    return {
        "study": "made_up",
        "question": "Which of these made-up models is best?",
        "data": ["fashion_mnist"],
        "models": [
            {
                "name": name,
                "title": TITLES.get(name, name),
                "objective": name,
                "source": f"The authors of {name}, once upon a time",
                "settings": AUTHORS,
                "wide": RANGES,
                "narrow": {},
            }
            for name in models
        ],
        "architecture": {"name": "infogan", "width": 0.125},
        "search": {
            "space": "wide",
            "settings": settings,
            "budget": 2,
            "retrain": 0.0,
            "looks": [settings] if settings else [],
            "spending": "obrien_fleming",
            "ranges": {},
            "reason": None,
        }
        | (dict(search) if search else {}),
        "equivalence": {"ratio": 1.1},
        "training": {
            "budget": {"discriminator_steps": 1500},
            "batch_size": 64,
            "checkpoints": 5,
            "precision": "float32",
            "ema": None,
        },
        "evaluation": {"encoder": "classifier", "metrics": ["fd"], "samples": 5000},
        "select": {"metric": "fd", "split": "validation", "checkpoint": "last"},
        "reruns": {"best": 1, "seeds": 0},
        "transfer": {"seeds": 0},
        "seed": 0,
    } | changes


def references(cap: float = 800.0, floor: float = 0.4) -> dict[str, Any]:
    return {
        "encoder": "classifier:ab12cd34",
        "encoder_note": "classifier, 91.2 % test accuracy",
        "cap": {"fd": cap},
        "floor": {"fd": floor},
        "counts": {"train": 50000, "validation": 10000, "test": 10000},
        "shape": [1, 28, 28],
        "notes": ["Encoder trained on the train split."],
        "fingerprint": "0123abcd",
    }


@dataclass(frozen=True)
class Made:
    """A run as plain values."""

    study: dict[str, Any]
    plan: list[Trial]
    results: dict[str, Result]
    references: dict[str, Any]


def made(
    runs: Mapping[str, Sequence[Run | None]],
    *,
    data: Sequence[str] = ("fashion_mnist",),
    protocol: str = "classifier:ab12cd34;n=5000;bn=running",
    again: Again | None = None,
    per_data: Mapping[str, Mapping[str, Sequence[Run | None]]] | None = None,
    **changes: Any,
) -> Made:
    """A run with these results; None for a trial that has none yet.

    `per_data` gives a dataset results of its own; `again` holds the fresh seeds.
    """
    settings = max(len(listed) for listed in runs.values()) - 1  # the first is the authors'
    cases = [
        (_trial(model, name, number, run), run)
        for name in data
        for model, listed in (per_data or {}).get(name, runs).items()
        for number, run in enumerate(listed)
    ]
    cases += [
        (_trial(model, name, number, run, repeat), run)
        for (model, name, number), listed in (again or {}).items()
        for repeat, run in enumerate(listed, 1)
    ]
    return Made(
        study_dict(list(runs), settings, data=list(data), **changes),
        [trial for trial, _ in cases],
        {t.id: _result(t, run, protocol) for t, run in cases if run is not None},
        {name: references() for name in data},
    )


def build(
    path: Path,
    runs: Mapping[str, Sequence[Run | None]],
    *,
    source: str = "study: made_up  # as written\n",
    channels: int = 1,
    **more: Any,
) -> RunFolder:
    """The same as a run's folder, with images."""
    return written(path, made(runs, **more), source, channels)


def written(
    path: Path, run: Made, source: str = "study: made_up\n", channels: int = 1
) -> RunFolder:
    """A made-up run as a folder."""
    folder = RunFolder(path)
    folder.begin(source, run.study, run.plan, METRICS)
    write_json(path / "references.json", run.references)
    shape = (32, 32) if channels == 3 else (28, 28)
    for name in run.study["data"]:
        _save(path / "references" / f"{name}.npy", _images(0, channels, shape))
    for trial_id, result in run.results.items():
        place = folder.trial_folder(trial_id)
        write_result(place, result)
        if result.checkpoints and result.trial.repeat == 0:
            seed = hash_of(result.trial.model) + result.trial.setting
            images = _images(seed, channels, shape)
            _save(samples_path(place, result.checkpoints[-1].step), images)
    return folder


def _trial(model: str, data: str, number: int, run: Run | None, repeat: int = 0) -> Trial:
    chance = random.Random(number)  # shared by all models, as a paired search is
    drawn = {"learning_rate": 10 ** (-5 + 3 * chance.random()), "beta1": chance.random()}
    drawn |= {"batch_norm": chance.random() < 0.5, "discriminator_per_generator": 1}
    settings = AUTHORS if number == 0 else drawn
    return Trial(
        model=model,
        objective=model,
        data=data,
        setting=number,
        settings=dict(run.settings) if run and run.settings else settings,
        architecture={"name": "infogan", "width": 0.125},
        training={"budget": {"discriminator_steps": 1500}, "batch_size": 64},
        evaluation={"encoder": "classifier"},
        repeat=repeat,
    )


def _result(trial: Trial, run: Run, protocol: str) -> Result:
    spent = Spent(run.steps, run.generator_steps, 96000, run.flops, run.seconds)
    checkpoints = Checkpoints.of(
        Checkpoint(
            step=STEP * (place + 1),
            spent=spent,
            measurements=(
                Measurement("fd", "validation", validation, f"{protocol};split=validation"),
                Measurement("fd", "test", test, f"{protocol};split=test", run.error),
                *_f1(run, place, protocol),
            ),
        )
        for place, (validation, test) in enumerate(run.values)
    )
    environment = {"python": "3.11.9", "torch": "2.14.1", "machine": "a machine", "cpu": "2 cores"}
    return Result(trial, run.status, spent, checkpoints, run.reason, environment, health=run.health)


def _f1(run: Run, place: int, protocol: str) -> tuple[Measurement, ...]:
    if not run.f1:
        return ()
    return tuple(
        Measurement(metric, "test", value, f"{protocol};k=3;split=test")
        for metric, value in (
            ("precision", min(1.0, 1.2 * run.f1[place])),
            ("recall", run.f1[place]),
            ("f1", run.f1[place]),
        )
    )


def hash_of(name: str) -> int:
    return sum(ord(letter) * (place + 1) for place, letter in enumerate(name))


def _images(seed: int, channels: int, shape: tuple[int, int]) -> np.ndarray:
    """Blobs, so that a row of them can be told from noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    images = np.zeros((24, channels, *shape))
    for image in images:
        for channel in image:
            y, x = rng.uniform(0.3, 0.7, 2) * shape
            width = rng.uniform(3, 7)
            channel += 255 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * width**2))
    return np.clip(images + rng.normal(0, 4, images.shape), 0, 255).astype(np.uint8)


def _save(path: Path, images: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, images)


NS_GAN = (
    Run([(50, 52), (45, 44), (40, 41)]),
    Run([(36, 32), (30, 33), (31, 35)]),
    Run([(60, 61)], "diverged", "step 120: the loss is not finite", flops=1_000_000_000, seconds=2),
    Run([(90, 95), (60, 50), (32, 30)]),
)
VAE = (Run(status="diverged", reason="step 1: nan"),) * 4
