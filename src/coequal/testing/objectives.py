"""The contract of an objective."""

import pickle
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
from torch import Tensor

from coequal.contract import (
    Adversarial,
    Architecture,
    Batch,
    GeneratorInput,
    ImageShape,
    Likelihood,
    Loss,
    LossFunction,
    Objective,
    RealBatch,
    Samples,
)
from coequal.rng import Rng
from coequal.testing._requirements import (
    check_settings,
    contract_kept,
    name_of,
    no_global_draws,
    require,
)
from coequal.testing._small_parts import SmallNets, small_split
from coequal.training import checkpoint
from coequal.training.active_tricks import DiscriminatorView
from coequal.training.batches import Batches
from coequal.training.flops import CountFlops
from coequal.training.loop import Trainer, build_players
from coequal.training.move_loss import Player
from coequal.training.part_calls import checked_loss
from coequal.training.settings import Optimisation, Training

SHAPE = ImageShape(1, 8, 8)
CLASSES = 2
IMAGES = 8  # of a batch
STEPS_BEFORE, STEPS = 4, 9  # discriminator steps to the checkpoint, and in all
ORDER_TOLERANCE = 1e-4  # relative: sums in another order round differently


def check_objective(
    objective: Objective,
    *,
    architecture: Architecture | None = None,
    shape: tuple[int, int, int] = SHAPE,
) -> None:
    """Check that an objective keeps the contract.

    Its settings are those of a frozen dataclass that can be pickled. Each loss is a finite scalar
    with a gradient to its player; it returns the state that the objective began with; it writes to
    no net, no image and no state, calls no `backward`, draws from `batch.rng` alone and gives the
    same value again. It tells real from generated images, and does not depend on their order
    (unless it draws for each image). A training that is stopped, stored and resumed in a fresh copy
    of the objective is the same, bit for bit, and the FLOPs of its moves add up.

    Args:
        objective: with the settings that are to be checked.
        architecture: nets that give what the objective requires; by default small ones, of every
            kind of generator and of output that `coequal.contract` has.
        shape: channels, height and width of the images, of two classes.

    Raises:
        AssertionError: the contract is broken; the message says how.
        TypeError: this is no instance of a class that extends `Adversarial` or `Likelihood`.
        ValueError: the nets can't give what the objective requires.
    """
    if not isinstance(objective, Adversarial | Likelihood):
        raise TypeError(f"{name_of(objective)} is no instance of Adversarial or Likelihood")
    check_settings(objective)
    _check_declarations(objective)
    nets = architecture or SmallNets()
    if unmet := nets.unmet(objective.requirements()):
        raise ValueError(
            f"{name_of(objective)} requires {' and '.join(unmet)}, which {name_of(nets)} does not "
            "build; give nets that do with architecture="
        )
    system = _System(objective, nets, ImageShape(*shape))
    _check_losses(system)
    _check_repeatable(system)
    _check_order(system)
    _check_sides(system)
    _check_resumed(system)


class _System(NamedTuple):
    """An objective with the nets and the images that it is checked on."""

    objective: Objective
    architecture: Architecture
    shape: ImageShape

    def trainer(self) -> Trainer:
        """A fresh training run, always the same: two discriminator steps for one of the
        generator, and a moving average."""
        requirements = self.objective.requirements()
        players = build_players(self.architecture, self.shape, CLASSES, requirements, 7)
        batches = Batches(small_split(self.shape, CLASSES), IMAGES, 7, torch.device("cpu"))
        optimisation = Optimisation(1e-3, 0.5, 2)
        return Trainer(
            self.objective, players, batches, optimisation, Training(STEPS, IMAGES, ema=0.9), 7
        )

    def images(self, seed: int) -> Samples:
        """A batch of noise."""
        return Samples(Rng(seed).uniform(IMAGES, *self.shape), torch.arange(IMAGES) % CLASSES)


Losses = list[tuple[Player, Loss]]


def _losses(trainer: Trainer, real: Samples, fake: Samples, rng: Rng) -> Losses:
    """Every loss of an objective on these images, lazy regularisers among them."""
    objective, state = trainer.objective, trainer.state

    def loss(function: LossFunction, *arguments: Any) -> Loss:
        with contract_kept(objective):
            return checked_loss(function, function(*arguments), state)

    if isinstance(objective, Likelihood):
        batch = RealBatch(real=real, state=state, rng=rng)
        return [("generator", loss(objective.generator_loss, trainer.generator, batch))]
    assert isinstance(objective, Adversarial)
    assert trainer.discriminator is not None
    needs = trainer.requirements
    view = DiscriminatorView(trainer.discriminator)
    both = Batch(real=real, fake=fake.at(fake.images.detach()), state=state, rng=rng)
    functions: list[LossFunction] = [objective.discriminator_loss]
    functions += [lazy.loss for lazy in needs.discriminator_lazy]
    of_d = [loss(function, view, both) for function in functions]
    trainer.discriminator.requires_grad_(False)
    view = DiscriminatorView(trainer.discriminator)
    both = Batch(real=real, fake=fake, state=state, rng=rng)
    functions = [objective.generator_loss, *(lazy.loss for lazy in needs.generator_lazy)]
    of_g = [loss(function, trainer.generator, view, both) for function in functions]
    trainer.discriminator.requires_grad_(True)
    return [("discriminator", loss) for loss in of_d] + [("generator", loss) for loss in of_g]


def _generated(trainer: Trainer, real: Samples) -> Samples:
    """Counterparts of real images, with a gradient to the generator."""
    latents = trainer.generator.latents(len(real.images), Rng(5))
    samples: Samples = trainer.generator(GeneratorInput(latents, real.conditions))
    return samples


def _check_declarations(objective: Objective) -> None:
    """What the objective says of itself must follow from its settings alone."""
    one, other = objective.requirements(), objective.requirements()
    plain = replace(one, discriminator_lazy=(), generator_lazy=())
    same = plain == replace(other, discriminator_lazy=(), generator_lazy=())
    require(same, objective, "requirements() gave something else at a second call")
    adversarial = isinstance(objective, Adversarial)
    message = "an adversarial objective must require an output of a discriminator, others must not"
    require(adversarial == (one.output is not None), objective, message)
    for lazy in (*one.discriminator_lazy, *one.generator_lazy):
        require(lazy.every >= 1, objective, f"a lazy regulariser has every={lazy.every}")
    state = objective.initial_state()
    tensors = all(isinstance(value, Tensor) for value in state.values())
    require(tensors, objective, "initial_state() must be a mapping of tensors")


def _check_losses(system: "_System") -> None:
    """A loss is a finite scalar with a gradient to its player, and leaves no trace."""
    objective = system.objective
    with contract_kept(objective):
        trainer = system.trainer()
    nets = trainer.nets()
    real = system.images(1)
    fake = _generated(trainer, real)
    parameters = [p for net in nets.values() for p in net.parameters()]
    given = [real.images, fake.images, *trainer.state.values()]
    versions = [tensor._version for tensor in (*parameters, *given)]
    modes = [module.training for net in nets.values() for module in net.modules()]
    with no_global_draws(objective, "a loss"):
        losses = _losses(trainer, real, fake, Rng(3))
    for player, loss in losses:
        what = f"the {player}'s loss"
        require(bool(loss.value.isfinite()), objective, f"{what} is {loss.value.item()}")
    calm = all(parameter.grad is None for parameter in parameters)
    require(calm, objective, "a loss left gradients: it must not call backward")
    now = [tensor._version for tensor in (*parameters, *given)]
    message = "a loss wrote to a parameter, to an image or to the state"
    require(versions == now, objective, message)
    same = modes == [module.training for net in nets.values() for module in net.modules()]
    require(same, objective, "a loss switched a net between training and evaluation")
    for player, loss in (losses[0], losses[-1]):
        own = list(nets[player].parameters())
        message = f"the {player}'s loss has no gradient to the {player}"
        require(loss.value.requires_grad, objective, message)
        found = torch.autograd.grad(loss.value, own, allow_unused=True, retain_graph=True)
        require(any(gradient is not None for gradient in found), objective, message)


def _values(trainer: Trainer, real: Samples, fake: Samples, rng: Rng) -> list[float]:
    return [loss.value.item() for _, loss in _losses(trainer, real, fake, rng)]


def _check_repeatable(system: "_System") -> None:
    """The same images, state and stream give the same value."""
    trainer = system.trainer()
    one, again = (_values(trainer, system.images(1), system.images(2), Rng(3)) for _ in range(2))
    message = (
        "a loss gave another value at a second call: it draws from elsewhere than batch.rng, or "
        "remembers something outside the state"
    )
    require(one == again, system.objective, message)


def _check_order(system: "_System") -> None:
    """Batches are sets: no image stands for another because of its row."""
    trainer, rng, real, fake = system.trainer(), Rng(3), system.images(1), system.images(2)
    values = _values(trainer, real, fake, rng)
    if not torch.equal(rng.state(), Rng(3).state()):
        return  # it draws for each image, so that another order meets other draws
    reverse = torch.arange(IMAGES - 1, -1, -1)
    turned = [Samples(s.images[reverse], s.conditions[reverse].labels) for s in (real, fake)]
    for value, other in zip(values, _values(trainer, turned[0], turned[1], Rng(3)), strict=True):
        close = abs(value - other) <= ORDER_TOLERANCE * max(1.0, abs(value))
        message = f"a loss depends on the order of the batch: {value:g}, and {other:g} reversed"
        require(close, system.objective, message)


def _check_sides(system: "_System") -> None:
    """The discriminator's loss tells real from generated images."""
    if not isinstance(system.objective, Adversarial):
        return
    trainer = system.trainer()
    trainer.train_until(3)  # so that outputs are no longer all equal, and the state has moved
    one, other = system.images(1), system.images(2)
    as_is, swapped = (
        _values(trainer, real, fake, Rng(3))[0] for real, fake in ((one, other), (other, one))
    )
    message = "the discriminator's loss is the same with real and generated images exchanged"
    require(as_is != swapped, system.objective, message)


def _check_resumed(system: "_System") -> None:
    """A run that is stopped and resumed is the same, bit for bit, and its FLOPs add up."""
    objective = system.objective
    whole = system.trainer()
    with CountFlops() as counter:
        whole.train_until(STEPS)
    message = "moves of one kind must cost the same FLOPs, at every step"
    require(whole.spent.flops == counter.total, objective, message)
    first = system.trainer()
    first.train_until(STEPS_BEFORE)
    fresh = system._replace(objective=pickle.loads(pickle.dumps(objective)))
    second = fresh.trainer()
    with TemporaryDirectory() as folder:
        checkpoint.save(first, Path(folder) / "checkpoint")
        checkpoint.restore(second, Path(folder) / "checkpoint")
    second.train_until(STEPS)
    left, right = checkpoint.tensors(whole), checkpoint.tensors(second)
    differ = [key for key in left if key not in right or not torch.equal(left[key], right[key])]
    message = (
        f"a run that is resumed differs from one that is not, in {', '.join(differ[:3])}: the "
        "objective remembers something outside the state"
    )
    require(not differ, objective, message)
