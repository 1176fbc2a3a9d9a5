"""What every architecture must keep."""

import pickle

import pytest
import torch

from coequal import lookup
from coequal.contract import (
    Architecture,
    Conditions,
    GeneratorInput,
    ImageShape,
    LatentVariableGenerator,
    Requirements,
    Samples,
)
from coequal.rng import Rng
from coequal.training.loop import build_players

from toys import ALL

NAMES = lookup.names("architectures")
SHAPES = [ImageShape(c, s, s) for c in (1, 3) for s in (28, 32, 64)]


PAIRS = [
    (name, objective)
    for name in NAMES
    for objective in ALL
    if not lookup.load("architectures", name)().unmet(ALL[objective]().requirements())
]


def small(name: str) -> Architecture:
    """Narrow, and of few layers where that is a setting: some nets sample slowly."""
    kind = lookup.load("architectures", name)
    return kind(width=1 / 32, **({"blocks": 1} if "blocks" in kind.__match_args__ else {}))


def some_needs(name: str) -> Requirements:
    """Of an objective that an architecture can serve."""
    return next(ALL[objective]().requirements() for other, objective in PAIRS if other == name)


def test_every_architecture_and_every_objective_has_a_partner():
    assert {name for name, _ in PAIRS} == set(NAMES)
    assert {objective for _, objective in PAIRS} == set(ALL)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "objective"), PAIRS)
def test_builds_what_an_objective_needs(name, objective, shape):
    nets = small(name)
    requirements = ALL[objective]().requirements()
    assert nets.unsupported_reason(shape) is None
    players = build_players(nets, shape, 10, requirements, 3)
    assert isinstance(players.generator, requirements.generator)
    latents = players.generator.latents(4, Rng(0))
    samples = players.generator(GeneratorInput(latents, Conditions(torch.arange(4))))
    assert samples.images.shape == (4, *shape)
    assert samples.images.min() >= 0
    assert samples.images.max() <= 1
    assert samples.labels is not None
    assert (players.discriminator is None) == (requirements.output is None)
    if players.discriminator is not None and requirements.output is not None:
        assert isinstance(players.discriminator(samples), requirements.output)
    if isinstance(players.generator, LatentVariableGenerator):
        mean, deviation = players.generator.encode(samples)
        assert mean.shape == deviation.shape
        assert deviation.min() > 0
        assert players.generator.decode(mean).shape == (4, *shape)


@pytest.mark.parametrize("name", NAMES)
def test_seed_decides_the_parameters_and_the_global_generator_is_left(name):
    nets = small(name)
    requirements = some_needs(name)
    before = torch.get_rng_state()
    one, same, other = (build_players(nets, SHAPES[0], 10, requirements, s) for s in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    a, b, c = (next(iter(p.generator.state_dict().values())) for p in (one, same, other))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


@pytest.mark.parametrize("name", NAMES)
def test_a_generator_is_a_deterministic_map_of_its_request(name):
    nets = small(name)
    players = build_players(nets, SHAPES[0], 10, some_needs(name), 1)
    generator = players.generator.eval()
    latents = generator.latents(6, Rng(5))
    whole = generator(GeneratorInput(latents)).images
    parts = [generator(GeneratorInput(tuple(z[i : i + 3] for z in latents))).images for i in (0, 3)]
    torch.testing.assert_close(whole, torch.cat(parts), atol=1e-6, rtol=0)
    assert not torch.equal(whole[0], whole[1])


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_plain(name):
    nets = lookup.load("architectures", name)()
    assert pickle.loads(pickle.dumps(nets)) == nets


@pytest.mark.parametrize(
    ("shape", "said"), [(ImageShape(1, 27, 27), "27x27"), (ImageShape(2, 28, 28), "2 channels")]
)
@pytest.mark.parametrize("name", NAMES)
def test_a_shape_is_built_or_refused_in_words(name, shape, said):
    nets = small(name)
    if (refusal := nets.unsupported_reason(shape)) is not None:
        assert said in refusal
    else:
        generator = build_players(nets, shape, 10, some_needs(name), 1).generator
        images = generator(GeneratorInput(generator.latents(2, Rng(0)))).images
        assert images.shape == (2, *shape)


def test_samples_carry_labels_to_other_images():
    samples = Samples(torch.zeros(2, 1, 4, 4), torch.tensor([0, 1]))
    assert samples.at(torch.ones(2, 1, 4, 4)).labels is samples.labels
