"""A run with every kind of result, which no trainer made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.files import atomic_write
from coequal.records import MetricInfo, Result, Trial
from coequal.results.folder import RunFolder
from coequal.results.result_file import RESULT, result_text

METRICS = {"fd": MetricInfo("lower", ""), "is": MetricInfo("higher", "")}

STUDY = {
    "study": "made_up",
    "data": ["digits"],
    "models": [{"name": "ns_gan"}, {"name": "vae"}],
    "select": {"metric": "fd", "split": "validation", "checkpoint": "last"},
    "reruns": {"best": 1, "seeds": 1},
}


def made_trial(model: str, setting: int, repeat: int = 0) -> Trial:
    settings: dict[str, Any] = {"learning_rate": 1e-4 * (1 + setting), "batch_norm": setting == 0}
    if model == "ns_gan":
        settings["beta1"] = 0.5  # a column that the other model does not have
    return Trial(
        model=model,
        objective=model,
        data="digits",
        setting=setting,
        repeat=repeat,
        settings=settings,
        architecture={"name": "infogan"},
        training={"budget": {"discriminator_steps": 20}},
        evaluation={"encoder": "pixels"},
    )


def made_result(trial: Trial, value: float, checkpoints: int = 2, **changes: Any) -> Result:
    """At step 10 c the Fréchet distance is value / c on validation, 1 more on test."""
    points = [
        Checkpoint(
            10 * c,
            Spent(10 * c, 10 * c, 640 * c, 10**19 * c, 0.5 * c),  # beyond 64 bits
            (
                Measurement("fd", "validation", value / c, "real=validation:355", 0.25),
                Measurement("is", "validation", 2.0, "real=validation:355"),
                Measurement("fd", "test", value / c + 1, "real=test:355", 0.1 + 0.2),
            ),
        )
        for c in range(1, checkpoints + 1)
    ]
    spent = points[-1].spent if points else Spent()
    about = {"status": "done", "spent": spent, **changes}
    return Result(trial, **about, checkpoints=Checkpoints.of(points))


def made_results() -> list[Result]:
    """Settings 0, 1, 2 of two models; the last of vae has none yet. Both re-run their best."""
    gan = [made_trial("ns_gan", setting) for setting in range(3)]
    vae = [made_trial("vae", setting) for setting in range(2)]
    return [
        made_result(gan[0], 8.0, notes=("the encoder was slow",)),
        made_result(vae[0], 6.0),
        made_result(gan[1], 4.0, environment={"torch": "2.14", "device": "cpu"}),
        made_result(vae[1], 9.0, checkpoints=0, status="failed", reason="ValueError: too, 'few'"),
        made_result(gan[2], 5.0, checkpoints=1, status="diverged", reason="at step 11: é"),
        made_result(made_trial("ns_gan", 1, repeat=1), 4.5),
    ]


def made_run(path: Path) -> RunFolder:
    results = made_results()
    trials = [result.trial for result in results]
    trials.insert(5, made_trial("vae", 2))
    folder = RunFolder(path)
    folder.begin("study: as written\n", STUDY, trials, METRICS)
    for result in results:
        store(folder, result)
    return folder


def store(folder: RunFolder, result: Result) -> Path:
    path = folder.trial_folder(result.trial.id) / RESULT
    atomic_write(path, result_text(result))
    return path


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Seven trials of two models, six of them with a result."""
    return made_run(tmp_path / "run")


@pytest.fixture
def result_of() -> Callable[..., Result]:
    return made_result


@pytest.fixture
def trial_of() -> Callable[..., Trial]:
    return made_trial


@pytest.fixture
def put() -> Callable[[RunFolder, Result], Path]:
    return store
