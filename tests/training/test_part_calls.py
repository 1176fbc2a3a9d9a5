"""What the loop refuses of the parts that it calls, each in one sentence with file and line."""

import random
from dataclasses import dataclass
from inspect import currentframe

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from coequal.contract import (
    Adversarial,
    Batch,
    ContractError,
    GeneratorInput,
    Likelihood,
    Logits,
    Loss,
    Players,
    Requirements,
    Samples,
)
from coequal.rng import GlobalStates
from coequal.testing._small_parts import SmallGenerator, SmallNets
from coequal.training.loop import Trainer, build_players
from coequal.training.part_calls import refuse_malformed_objective

import toys


def loss_of(discriminate, batch: Batch) -> Loss:  # type: ignore[no-untyped-def]
    on_real = softplus(-discriminate(batch.real).logits).mean()
    return Loss(on_real + softplus(discriminate(batch.fake).logits).mean(), {}, batch.state)


@dataclass(frozen=True)
class Good(Adversarial):  # type: ignore[type-arg]
    def requirements(self) -> Requirements:
        return Requirements(output=Logits)

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        return loss_of(discriminate, batch)

    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(softplus(-discriminate(batch.fake).logits).mean(), {}, batch.state)


@dataclass(frozen=True)
class Bare(Good):
    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        return loss_of(discriminate, batch).value


@dataclass(frozen=True)
class Vector(Good):
    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(discriminate(batch.real).logits, {}, batch.state)


@dataclass(frozen=True)
class Number(Good):
    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(1.0, {}, batch.state)


@dataclass(frozen=True)
class PlainParts(Good):
    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        return loss_of(discriminate, batch)._replace(parts={"real": 1.0})


@dataclass(frozen=True)
class NoState(Good):
    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        loss = super().generator_loss(generator, discriminate, batch)
        return loss._replace(state=None)


@dataclass(frozen=True)
class OldArguments(Good):
    def discriminator_loss(self, real_logits, fake_logits, state):  # type: ignore[no-untyped-def]
        return Loss(real_logits.mean(), {}, state)


@dataclass(frozen=True)
class OldLikelihood(Likelihood):  # type: ignore[type-arg]
    def requirements(self) -> Requirements:
        return Requirements()

    def generator_loss(self, generator, real, state):  # type: ignore[no-untyped-def]
        raise NotImplementedError


@dataclass(frozen=True)
class NoRequirements(Good):
    def requirements(self):  # type: ignore[no-untyped-def]
        return None


@dataclass(frozen=True)
class Draws(Good):
    """Draws from one of the global generators."""

    source: str = "torch"

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        loss = loss_of(discriminate, batch)
        drawn = {
            "torch": lambda: torch.rand(()),
            "NumPy": lambda: np.random.rand(),  # noqa: NPY002
            "Python": lambda: random.random(),
        }[self.source]()
        return loss._replace(value=loss.value * drawn)


@dataclass(frozen=True)
class OnlyReads(Good):
    """Reads the states of all global generators, and a generator of its own."""

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
        torch.rand((), generator=torch.Generator().manual_seed(1))
        np.random.default_rng(0).random()
        return loss_of(discriminate, batch)


REFUSED = {
    Bare(): r"Bare.discriminator_loss must return Loss\(value, parts, state\), got a scalar tensor",
    Vector(): r"must return a scalar as value, the mean over the batch, got a tensor of shape "
    r"\(8,\)",
    Number(): "must return a scalar as value, the mean over the batch, got a float",
    PlainParts(): "must return scalar tensors as parts, got a float for 'real'",
    NoState(): r"NoState.generator_loss must return the next state, .* got None",
    OldArguments(): r"must take \(discriminate, batch\), and takes \(real_logits, fake_logits, "
    r"state\)",
    OldLikelihood(): r"must take \(generator, batch\), and takes \(generator, real, state\)",
    Draws("torch"): "Draws.discriminator_loss drew from the global random generator of torch, so a "
    "trial could not be repeated; draw from batch.rng",
    Draws("NumPy"): "of NumPy",
    Draws("Python"): "of Python",
}


@pytest.mark.parametrize(
    ("objective", "message"), REFUSED.items(), ids=[repr(part) for part in REFUSED]
)
def test_a_wrong_loss_is_refused_with_its_line(objective, message):
    with pytest.raises(ContractError, match=rf"{message}.* \(test_part_calls\.py:\d+\)"):
        trained(objective)


def test_requirements_that_are_none_are_refused_before_nets_are_built():
    message = r"NoRequirements.requirements must return Requirements, got None \(test_part_calls"
    with pytest.raises(ContractError, match=message):
        refuse_malformed_objective(NoRequirements())


def trained(objective, nets: SmallNets | None = None) -> Trainer:  # type: ignore[no-untyped-def]
    one = toys.trainer(objective, architecture=nets or SmallNets())
    one.train_until(2)
    return one


def test_the_line_is_that_of_the_method():
    here = currentframe().f_lineno  # type: ignore[union-attr]

    class Here(Good):
        def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
            return None

    with pytest.raises(ContractError, match=rf"got None \(test_part_calls\.py:{here + 3}\)"):
        trained(Here())


def test_a_loss_that_only_reads_the_global_generators_trains():
    trained(OnlyReads())


# -------------------------------------------------------------------------------------------- nets


class Tuple(SmallGenerator):
    def forward(self, request: GeneratorInput):  # type: ignore[no-untyped-def]
        return super().forward(request).images


class Flat(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:
        samples = super().forward(request)
        return samples.at(samples.images.flatten(1))


class Bytes(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:
        samples = super().forward(request)
        return samples.at((samples.images * 255).to(torch.uint8))


class Bright(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:
        samples = super().forward(request)
        return samples.at(samples.images * 2 - 1)


class ListOfLatents(SmallGenerator):
    def latents(self, count, rng):  # type: ignore[no-untyped-def]
        return [rng.normal(count, 4)]


class FewLatents(SmallGenerator):
    def latents(self, count, rng):  # type: ignore[no-untyped-def]
        return (rng.normal(1, 4),)


class Dropout(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:
        samples = super().forward(request)
        return samples.at(nn.functional.dropout(samples.images, 0.5, self.training) / 2)


GENERATORS = {
    Tuple: r"Tuple.forward must return Samples, got a tensor of shape \(8, 1, 8, 8\)",
    Flat: r"must make images of shape \(8, 1, 8, 8\), got a tensor of shape \(8, 64\)",
    Bytes: r"must make float images, got torch\.uint8",
    Bright: r"must make images in \[0, 1\], got values from -",
    ListOfLatents: "ListOfLatents.latents must return a tuple of tensors, got a list",
    FewLatents: r"must return 8 rows in every tensor, got shape \(1, 4\)",
    Dropout: "Dropout.forward drew from the global random generator of torch, .*; take every "
    "random number of an image from the latents",
}


@pytest.mark.parametrize(("kind", "message"), GENERATORS.items())
def test_a_wrong_generator_is_refused_with_its_line(kind, message):
    class Nets(SmallNets):
        def build(self, shape, classes, requirements):  # type: ignore[no-untyped-def]
            players = super().build(shape, classes, requirements)
            return Players(kind(shape, classes), players.discriminator)

    with pytest.raises(ContractError, match=rf"{message}.* \(test_part_calls\.py:\d+\)"):
        trained(Good(), Nets())


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (None, r"Nets.build must return Players\(generator, discriminator\), got None"),
        (Players(nn.Linear(1, 1), nn.Linear(1, 1)), "must build a Generator, got a Linear"),  # type: ignore[arg-type]
        (Players(SmallGenerator(toys.SHAPE, None), None), "must build a discriminator if"),
    ],
)
def test_wrong_nets_are_refused(built, message):
    class Nets(SmallNets):
        def build(self, shape, classes, requirements):  # type: ignore[no-untyped-def]
            return built

    with pytest.raises(ContractError, match=message):
        build_players(Nets(), toys.SHAPE, 2, Good().requirements(), 0)


# ----------------------------------------------------------------------------- global generators


def test_a_seed_is_a_change_and_a_reading_is_none():
    before = GlobalStates()
    torch.get_rng_state()
    assert before.moved() == []
    state = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(12)  # noqa: NPY002
        assert before.moved() == ["NumPy"]
    finally:
        np.random.set_state(state)  # noqa: NPY002
    assert before.moved() == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_generator_of_a_gpu_is_watched():
    before = GlobalStates("cuda")
    torch.cuda.get_rng_state()
    assert before.moved() == []
    torch.rand(1, device="cuda")
    assert before.moved() == ["torch on cuda"]
