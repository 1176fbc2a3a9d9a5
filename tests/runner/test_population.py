"""How many trials at a time train most on one device."""

from functools import partial
from pathlib import Path

import pytest

from coequal.cli.study import population_line
from coequal.runner import forecast
from coequal.runner.population import Population, measured_population
from coequal.study.spec import Study
from coequal.training.loop import Trainer

from toys import ALL, trainer

STUDY = Study.model_validate(
    {"study": "x", "data": "digits", "models": ["vae"], "search": {"settings": 0}}
)


def make(failing_file: Path | None = None) -> Trainer:
    """In a process of its own; of a population of more than one each fails but the first."""
    if failing_file is not None:
        failing_file.touch(exist_ok=False)
    return trainer(ALL["hinge"](), steps=10**9)


def test_trials_train_in_processes_together():
    found = measured_population(make, sizes=(1, 2), seconds=0.3)
    assert list(found.speeds) == [1, 2]
    assert min(found.speeds.values()) > 1
    assert found.failure == ""


def test_a_size_that_fails_ends_the_measurement(tmp_path):
    found = measured_population(partial(make, tmp_path / "one"), sizes=(1, 2), seconds=0.1)
    assert list(found.speeds) == [1]
    assert found.failure.startswith("2 at a time fail: ")
    with pytest.raises(RuntimeError, match="no trial trains here"):
        measured_population(partial(make, tmp_path / "one"), sizes=(1, 2), seconds=0.1)


@pytest.mark.parametrize(
    ("speeds", "best"),
    [
        ({1: 100.0, 2: 90.0}, 1),
        ({1: 100.0, 2: 190.0, 4: 350.0, 8: 360.0}, 4),  # 8 bring 3 % more
        ({1: 100.0, 2: 104.0, 4: 110.0}, 4),  # 10 % more than 1
    ],
)
def test_the_smallest_that_no_larger_one_beats(speeds, best):
    assert Population(speeds).best == best


def test_the_line_of_a_plan():
    line = population_line(
        Population({1: 310.0, 2: 560.0}, "4 at a time fail: OutOfMemoryError: x")
    )
    assert line == (
        "--per-gpu 2 trains fastest on this GPU: 310 steps/s by 1 trial at a time, 560 by 2 "
        "(4 at a time fail: OutOfMemoryError: x)"
    )


def test_it_is_measured_on_a_gpu_alone(tmp_path, monkeypatch):
    asked = []

    def measured(trial, context):  # type: ignore[no-untyped-def]
        asked.append((trial.model, context.device))
        return Population({1: 1.0})

    monkeypatch.setattr(forecast, "measured_per_gpu", measured)
    monkeypatch.setattr(forecast, "refuse_missing", lambda device: None)
    monkeypatch.setattr(forecast, "estimate", lambda *_: None)
    plan_of = partial(forecast.plan_of, STUDY, tmp_path, workers=1)
    assert plan_of().per_gpu is None
    assert plan_of(device="cuda", calibrate=False).per_gpu is None
    assert asked == []
    found = plan_of(device="cuda:0").per_gpu
    assert found is not None
    assert found.best == 1
    assert asked == [("vae", "cuda:0")]
