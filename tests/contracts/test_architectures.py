"""What every architecture must keep."""

import pytest
import torch

from coequal import lookup
from coequal.contract import (
    Conditions,
    DensityGenerator,
    GeneratorInput,
    ImageShape,
    Requirements,
    Samples,
)
from coequal.rng import Rng
from coequal.testing import check_architecture
from coequal.training.loop import build_players

from toys import ALL, narrow

NAMES = lookup.names("architectures")
SHAPES = [ImageShape(c, s, s) for c in (1, 3) for s in (28, 32, 64)]
MADE_SLOWLY = (ImageShape(3, 28, 28), ImageShape(1, 32, 32), ImageShape(1, 64, 64))
"""Sizes of which images are made where that takes a pass of the net for every pixel."""

PAIRS = [
    (name, objective)
    for name in NAMES
    for objective in ALL
    if not lookup.load("architectures", name)().unmet(ALL[objective]().requirements())
]


def test_every_architecture_and_every_objective_has_a_partner():
    assert {name for name, _ in PAIRS} == set(NAMES)
    assert {objective for _, objective in PAIRS} == set(ALL)


def served(name: str) -> list[Requirements]:
    """What the objectives ask for that an architecture can serve, each kind once."""
    asked = [ALL[objective]().requirements() for other, objective in PAIRS if other == name]
    return list({(each.generator, each.output): each for each in asked}.values())


@pytest.mark.parametrize("name", NAMES)
def test_an_architecture_keeps_the_contract(name):
    check_architecture(narrow(lookup.load("architectures", name)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_the_usual_sizes_can_be_had_with_every_objective(name, shape):
    nets = narrow(lookup.load("architectures", name))
    assert nets.unsupported_reason(shape) is None
    for requirements in served(name):
        players = build_players(nets, shape, 10, requirements, 3)
        latents = players.generator.latents(4, Rng(0))
        if isinstance(players.generator, DensityGenerator) and shape not in MADE_SLOWLY:
            real = Samples(torch.rand(4, *shape), torch.arange(4))
            assert players.generator.log_likelihood(real).shape == (4,)
            continue
        samples = players.generator(GeneratorInput(latents, Conditions(torch.arange(4))))
        assert samples.images.shape == (4, *shape)
        if players.discriminator is not None:
            assert isinstance(players.discriminator(samples), requirements.output)


@pytest.mark.parametrize(
    ("shape", "message"), [(ImageShape(1, 27, 27), "27x27"), (ImageShape(2, 28, 28), "2 channels")]
)
@pytest.mark.parametrize("name", NAMES)
def test_a_shape_is_built_or_refused_in_words(name, shape, message):
    nets = narrow(lookup.load("architectures", name))
    if (refusal := nets.unsupported_reason(shape)) is not None:
        assert message in refusal
    else:
        check_architecture(nets, shape=shape)


def test_samples_carry_labels_to_other_images():
    samples = Samples(torch.zeros(2, 1, 4, 4), torch.tensor([0, 1]))
    assert samples.at(torch.ones(2, 1, 4, 4)).labels is samples.labels
