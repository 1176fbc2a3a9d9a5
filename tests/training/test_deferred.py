"""Values of many steps are read together, and nothing that is recorded of a training shows it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from coequal.contract import Dataset, Logits, Loss, Requirements
from coequal.monitoring.monitor import Monitor
from coequal.monitoring.reference import RealReference
from coequal.training import checkpoint
from coequal.training.deferred import Deferred
from coequal.training.loop import READ_EVERY, Diverged, Trainer
from coequal.training.loss_curves import Curves
from coequal.training.tricks import Tricks
from foreign import ForeignDevice

from toys import ALL, TRICKS, AcGan, Exploding, LazyR1, split, trainer

DATA = Dataset("toy", *(split(count) for count in (96, 70, 70)), ("0", "1"))


def recorded(read_every: int, objective: Any, steps: int = 60, **settings: Any) -> dict[str, Any]:
    """Everything that is known of a training at its end, the reason for it included."""
    one = trainer(objective, steps=steps, **settings)
    one.monitor = Monitor(RealReference(DATA, None), 3, one.generator)
    one.read_every = read_every
    said = ""
    try:
        one.train_until(steps)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    tensors = {key: value.numpy().tobytes() for key, value in checkpoint.tensors(one).items()}
    position = (one.batches.epoch, one.batches.position)
    return {"said": said, "spent": replace(one.spent, seconds=0), "position": position} | tensors


@pytest.mark.parametrize("read_every", [7, 25, 1000])
@pytest.mark.parametrize("ratio", [1, 3])
@pytest.mark.parametrize("kind", ["non_saturating", "wgan_gp", "began", "vae"])
def test_many_steps_at_once_change_nothing(kind, ratio, read_every):
    objective = ALL[kind]()
    once = recorded(1, objective, ratio=ratio)
    assert once["said"] == ""
    assert once == recorded(read_every, objective, ratio=ratio)


@pytest.mark.parametrize("trick", TRICKS)
def test_with_tricks(trick):
    tricks = Tricks(**TRICKS[trick])
    one, many = (recorded(count, LazyR1(), tricks=tricks) for count in (1, 25))
    assert one == many


# Exploding is not finite at step 3; rates so high make NaN in the other player's loss.
DIVERGING: dict[str, tuple[Any, dict[str, Any]]] = {
    "discriminator": (Exploding(), {}),
    "generator": (ALL["wgan_gp"](), {"learning_rate": 1e8}),
    "discriminator after the generator": (
        ALL["non_saturating"](),
        {"learning_rate": 1e18, "ratio": 2},
    ),
}


@pytest.mark.parametrize("read_every", [2, 25])
@pytest.mark.parametrize("case", DIVERGING)
def test_what_came_after_a_bad_move_is_not_recorded(case, read_every):
    objective, settings = DIVERGING[case]
    once = recorded(1, objective, **settings)
    assert once["said"].startswith("Diverged: the ")
    assert once == recorded(read_every, objective, **settings)


def _with_images_of(value: float, from_step: int) -> Any:
    """Images that hold `value` from a step on."""

    def poisoned(one: Trainer) -> None:
        forward = one.generator.forward

        def given(request: Any) -> Any:
            made = forward(request)
            bad = one.steps_done + 1 >= from_step
            return made.at(made.images * value) if bad else made

        one.generator.forward = given  # type: ignore[method-assign]

    return poisoned


@pytest.mark.parametrize("read_every", [1, 25])
def test_images_are_checked(read_every):
    one = trainer(ALL["hinge"](), steps=60)
    one.read_every = read_every
    _with_images_of(float("nan"), 9)(one)
    with pytest.raises(Diverged, match="8 of 8 generated images held NaN or infinity at step 9"):
        one.train_until(60)
    assert one.steps_done == 8
    assert one.curves.used == 8


class Chokes(AcGan):
    """Its loss is NaN from step 6 on, and it raises at step 8."""

    def requirements(self) -> Requirements:
        return Requirements(output=Logits)

    def initial_state(self):  # type: ignore[no-untyped-def]
        return {"steps": torch.zeros(())}

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        steps = batch.state["steps"] + 1
        if steps >= 8:
            raise RuntimeError("no number can be made of this")
        bad = torch.where(steps >= 6, torch.nan, 1.0)
        return Loss(discriminate(batch.real).logits.mean() * bad, {}, {"steps": steps})

    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(discriminate(batch.fake).logits.mean(), {}, batch.state)


def test_an_error_that_a_nan_causes_later_does_not_hide_it():
    once = recorded(1, Chokes())
    assert once["said"] == "Diverged: the discriminator's loss was nan at step 6"
    assert once == recorded(25, Chokes())


def test_an_error_of_its_own_is_the_error_it_was():
    class Raises(Chokes):
        def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
            loss = super().discriminator_loss(discriminate, batch)
            return Loss(discriminate(batch.real).logits.mean(), {}, loss.state)

    once = recorded(1, Raises())
    assert once["said"] == "RuntimeError: no number can be made of this"
    assert once["spent"].discriminator_steps == 7
    assert once == recorded(25, Raises())


def test_a_false_alarm_changes_nothing(monkeypatch):
    """The sum of finite losses may be infinite; then every value is looked at."""
    monkeypatch.setattr(Deferred, "all_finite", lambda self: False)
    assert recorded(25, ALL["wgan_gp"]()) == recorded(1, ALL["wgan_gp"]())


def test_a_sum_is_finite_only_if_all_are():
    for value in (float("nan"), float("inf"), -float("inf")):
        deferred = Deferred()
        deferred.check(torch.ones(3))
        assert deferred.all_finite()
        deferred.check(torch.tensor([1.0, value, float("inf")]))
        assert not deferred.all_finite()


def test_curves_get_the_values_in_their_order():
    deferred, curves = Deferred(), Curves()
    for step in range(3):
        values = {"a": torch.tensor(0.5 * step), "b": torch.tensor(step, dtype=torch.float64)}
        deferred.note(step, values)
    deferred.move_into(curves)
    arrays = curves.arrays()
    assert np.array_equal(arrays["a"], [0, 0.5, 1])
    assert np.array_equal(arrays["b"], [0, 1, 2])
    deferred.move_into(curves)  # nothing is left
    assert curves.counts["a"][:4].tolist() == [1, 1, 1, 0]


def test_the_cpu_is_never_ahead_and_another_device_is():
    assert trainer(ALL["hinge"]()).read_every == 1
    with ForeignDevice() as foreign:
        assert trainer(ALL["hinge"](), device=foreign.device).read_every == READ_EVERY


def test_the_clock_runs_until_the_device_is_done(monkeypatch):
    """The time that a device takes is spent where it is waited for."""
    now = [0.0]
    monkeypatch.setattr("coequal.training.loop.time.perf_counter", lambda: now[0])

    def wait(device: torch.device) -> None:
        now[0] += 5.0  # what the device still had to do

    monkeypatch.setattr("coequal.training.loop.synchronise", wait)
    one = trainer(ALL["hinge"](), steps=40)
    one.read_every = 10
    one.train_until(40)
    assert one.spent.seconds == 20.0  # 40 steps are waited for 4 times
