"""A longer budget goes on from the end of a shorter one, bit by bit as if it had never stopped."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from coequal import api
from coequal.records import Result
from coequal.results.clean import clean
from coequal.results.folder import RunFolder
from coequal.study.spec import Study

SHORT, LONG = 8, 20


def study(steps: int, **training) -> Study:  # type: ignore[no-untyped-def]
    return Study.model_validate(
        {
            "study": "tiny",
            "data": ["digits"],
            "models": ["ns_gan", "began", "vae"],
            "architecture": {"name": "infogan", "width": 1 / 32},
            "search": {"settings": 0},
            "training": {
                "budget": {"discriminator_steps": steps},
                "batch_size": 16,
                "checkpoints": 2,
                "extendable": True,
                "ema": 0.9,
                **training,
            },
            "evaluation": {"encoder": "pixels", "samples": 20},
        }
    )


def run(out: Path, steps: int, **training) -> dict[str, Result]:  # type: ignore[no-untyped-def]
    results = api.run(study(steps, **training), out, workers=0, frames=4).trials
    return {result.trial.model: result for result in results.values()}


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("extend") / "short"
    run(out, SHORT)
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, dict[str, Result]]:
    out = tmp_path_factory.mktemp("extend") / "whole"
    return out, run(out, LONG)


@pytest.fixture
def copy(short, tmp_path) -> Path:
    return Path(shutil.copytree(short, tmp_path / "run"))


def _same_arrays(one: Path, other: Path) -> None:
    with np.load(one) as first, np.load(other) as second:
        assert set(first) == set(second)
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def _same_end(folder: RunFolder, results: dict[str, Result], whole) -> None:
    for name, result in results.items():
        out, uninterrupted = whole
        there = RunFolder(out).trial_folder(uninterrupted[name].trial.id)
        here = folder.trial_folder(result.trial.id)
        weights = "generator.safetensors"
        assert (here / weights).read_bytes() == (there / weights).read_bytes()
        _same_arrays(here / "curves.npz", there / "curves.npz")
        _same_arrays(here / "signals.npz", there / "signals.npz")
        last, expected = result.checkpoints[-1], uninterrupted[name].checkpoints[-1]
        assert last.measurements == expected.measurements
        assert last.spent.flops == expected.spent.flops
        assert result.trial == uninterrupted[name].trial


def test_a_longer_budget_goes_on_to_the_bits_of_an_uninterrupted_run(copy, short, whole):
    before = {r.trial.id: r for r in RunFolder(short).results().values()}
    results = run(copy, LONG)
    _same_end(RunFolder(copy), results, whole)
    for result in results.values():
        # Those of the shorter one at 4 and 8 steps, and its own at 20 (of 10 and 20).
        assert list(result.checkpoints.steps) == [4, 8, 10, 20]
        log = (RunFolder(copy).trial_folder(result.trial.id) / "log.txt").read_text()
        assert f"goes on from the checkpoint of step {SHORT} in " in log
        steps, _ = RunFolder(copy).frames(result.trial.id) or ([], None)
        assert steps[0] == 0 or result.trial.model == "vae"
        assert steps[-1] == LONG or result.trial.model == "vae"
    kept = {key: RunFolder(copy).result(key) for key in before}
    assert kept == before  # results of the shorter one stay
    _, version = RunFolder(copy).versions()
    assert version.changes == ("training.budget.discriminator_steps: 20 (before: 8)",)


def test_a_continuation_that_was_stopped_goes_on(copy, whole, monkeypatch):
    from coequal.training.loop import Trainer

    step = Trainer._step

    def stopped(self: Trainer) -> None:
        if self.steps_done == 13:
            raise KeyboardInterrupt
        step(self)

    monkeypatch.setattr(Trainer, "_step", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(copy, LONG)
    monkeypatch.undo()
    _same_end(RunFolder(copy), run(copy, LONG), whole)


def test_three_budgets_in_turn_keep_one_state(copy, whole):
    run(copy, 12)
    _same_end(RunFolder(copy), run(copy, LONG), whole)
    states = sorted(path.name for path in (copy / "states").glob("*/*/*"))
    assert states == [f"discriminator_steps-{LONG}"] * 3


def test_a_result_that_was_deleted_is_made_again_from_the_state(copy):
    folder = RunFolder(copy)
    (trial, *_) = folder.plan()
    before = folder.result(trial.id)
    (folder.trial_folder(trial.id) / "result.json").unlink()
    run(copy, SHORT)
    again = folder.result(trial.id)
    assert before is not None
    assert again is not None
    assert again.checkpoints == before.checkpoints


def test_without_a_state_another_budget_is_another_study(copy, tmp_path):
    removable = clean(RunFolder(copy), really=True)
    assert any("needed only to train longer" in each.why for each in removable)
    with pytest.raises(FileExistsError, match="none of its 3 results would be part of this one"):
        run(copy, LONG)
    ordinary = tmp_path / "ordinary"
    run(ordinary, SHORT, extendable=None)
    assert not (ordinary / "states").exists()
    with pytest.raises(FileExistsError, match="none of its 3 results would be part of this one"):
        run(ordinary, LONG, extendable=None)


def test_a_rate_that_falls_over_the_budget_keeps_no_state(tmp_path):
    settings = {"learning_rate_decay": "linear"}
    falling = Study.model_validate(
        {**study(SHORT).as_dict(), "models": [{"base": "ns_gan", "settings": settings}]}
    )
    api.run(falling, tmp_path / "run", workers=0)
    assert not (tmp_path / "run" / "states").exists()


def test_seeds_depend_on_everything_but_the_budget():
    from coequal.study.plan import search_of

    def trial(steps: int, **training):  # type: ignore[no-untyped-def]
        return search_of(study(steps, **training))[0]

    assert trial(8).seed_id == trial(20).seed_id
    assert trial(8).id != trial(20).id
    assert trial(8).seed_id != trial(8, batch_size=32).seed_id
    assert trial(8, extendable=None).seed_id == trial(8, extendable=None).id
