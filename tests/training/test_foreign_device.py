"""Whole steps on a device that refuses to mix with the CPU: every objective, architecture, trick
and model, watched by the monitor. The values are the CPU's, and no step waits for the device."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose

from coequal import lookup
from coequal.contract import Architecture, Dataset, ImageShape
from coequal.monitoring.monitor import Monitor
from coequal.monitoring.reference import RealReference
from coequal.study.model import shipped_models
from coequal.study.parts import assemble
from coequal.study.plan import plan
from coequal.study.spec import Study
from coequal.training.loop import Trainer
from coequal.training.settings import Optimisation
from coequal.training.tricks import Tricks
from coequal.trial.build import make_trainer
from foreign import ForeignDevice, Waiting, values_of

from toys import ALL, SHAPE, TRICKS, AcGan, LazyR1, narrow, split, trainer

STEPS = 6  # every lazy loss of the toys is due at the first and the fifth
# Its update is the same operations on every device; Adam's is not, and Adam makes of a rounding
# error in a gradient of 0 a whole step.
SGD = Optimisation(1e-3, 0.5, optimiser="sgd")


@pytest.fixture
def foreign():
    with ForeignDevice() as device:
        yield device


@pytest.fixture(autouse=True)
def _one_kind_of_kernels(monkeypatch):
    """The CPU's own kernels of some layers are another device's no more than its bits are, and
    their FLOPs in gradients of gradients are counted otherwise."""
    monkeypatch.setenv("COEQUAL_KERNELS", "torch")


def data(shape: ImageShape = SHAPE) -> Dataset:
    return Dataset("toy", *(split(count, shape) for count in (96, 70, 70)), ("0", "1"))


def shape_for(nets: Architecture) -> ImageShape:
    """A shape of images that some nets can be built for."""
    shapes = SHAPE, ImageShape(1, 28, 28), ImageShape(3, 32, 32)
    return next(shape for shape in shapes if nets.unsupported_reason(shape) is None)


def watched(one: Trainer, shape: ImageShape = SHAPE) -> Trainer:
    """With a monitor that probes after every second step."""
    one.monitor = Monitor(RealReference(data(shape), None, one.device), 3, one.generator)
    one.monitor.every = 2
    return one


def trained_without_waiting(one: Trainer, foreign: ForeignDevice, steps: int = STEPS) -> None:
    """Train; the first two moves of each player are watched by the loop, and none waits later."""
    step = one._step

    def strict() -> None:
        if one.steps_done < 2 * one.optimisation.discriminator_per_generator:
            return step()
        with foreign.no_waiting():
            return step()

    one._step = strict  # type: ignore[method-assign]
    one.train_until(steps)


def same_on_both(foreign: ForeignDevice, make: Any, steps: int = STEPS) -> None:
    """Train on both devices, and compare every number."""
    here, there = make("cpu"), make(foreign.device)
    here.train_until(steps)
    trained_without_waiting(there, foreign, steps)
    for name, net in here.nets().items():
        other = there.nets()[name].state_dict()
        for key, value in net.state_dict().items():
            assert other[key].device == foreign.device
            # The CPU picks kernels by the kind of a tensor: sums are of another order.
            torch.testing.assert_close(values_of(other[key]), value, rtol=1e-4, atol=1e-6)
    assert replace(here.spent, seconds=0) == replace(there.spent, seconds=0)
    ours, theirs = here.curves.arrays(), there.curves.arrays()
    assert ours.keys() == theirs.keys()
    for key, curve in ours.items():
        assert_allclose(theirs[key], curve, rtol=1e-4, atol=1e-6)
    assert here.monitor is not None
    assert there.monitor is not None
    assert_allclose(there.monitor.rows, here.monitor.rows, rtol=1e-3, atol=1e-5)


OBJECTIVES = [*(kind() for kind in ALL.values()), LazyR1(), AcGan()]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
def test_an_objective(foreign, objective):
    same_on_both(foreign, lambda where: watched(trainer(objective, device=where, optimisation=SGD)))


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick(foreign, trick):
    def make(where: Any) -> Trainer:
        tricks = Tricks(**TRICKS[trick])
        one = trainer(ALL["non_saturating"](), device=where, tricks=tricks, optimisation=SGD)
        one.active_tricks.ada_probability.fill_(0.5)  # it takes 60,000 steps to grow so far
        return watched(one)

    same_on_both(foreign, make)


@pytest.mark.parametrize("name", lookup.names("architectures"))
def test_an_architecture(foreign, name):
    nets = narrow(lookup.load("architectures", name))
    shape = shape_for(nets)
    objective = next(one for one in OBJECTIVES if not nets.unmet(one.requirements()))

    def make(where: Any) -> Trainer:
        one = trainer(objective, architecture=nets, shape=shape, device=where, optimisation=SGD)
        return watched(one, shape)

    same_on_both(foreign, make, 3)


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "rmsprop"])
def test_an_optimiser(foreign, optimiser):
    settings = Optimisation(1e-3, 0.5, optimiser=optimiser)
    one = watched(trainer(ALL["non_saturating"](), device=foreign.device, optimisation=settings))
    before = [values_of(parameter) for parameter in one.generator.parameters()]
    trained_without_waiting(one, foreign)
    after = [values_of(parameter) for parameter in one.generator.parameters()]
    assert all(bool(value.isfinite().all()) for value in after)
    assert not any(torch.equal(*pair) for pair in zip(before, after, strict=True))


@pytest.mark.parametrize("name", [model.name for model in shipped_models()])
def test_a_model(foreign, name):
    study = {"study": "x", "data": "digits", "models": [name], "training": {"batch_size": 8}}
    (trial, *_) = plan(Study.model_validate(study))
    parts = assemble(trial)
    small = replace(parts, architecture=replace(parts.architecture, width=1 / 32))
    shape = shape_for(small.architecture)
    one = watched(make_trainer(trial, small, data(shape), str(foreign.device)), shape)
    steps = 2 * parts.optimisation.discriminator_per_generator + 1
    trained_without_waiting(one, foreign, steps)
    assert one.spent.generator_steps > 0
    assert one.steps_done == steps


def test_values_are_read_once_for_many_steps(foreign):
    one = trainer(ALL["non_saturating"](), steps=40, device=foreign.device)
    one.train_until(3)
    before = foreign.waits
    one.train_until(40)
    # 37 steps are read in two parts: whether all is finite, and the curves.
    assert foreign.waits - before == 4


def test_a_step_that_reads_a_value_is_found(foreign):
    one = trainer(ALL["non_saturating"](), device=foreign.device)
    one.read_every = 1  # as on the CPU
    with pytest.raises(Waiting):
        trained_without_waiting(one, foreign)
