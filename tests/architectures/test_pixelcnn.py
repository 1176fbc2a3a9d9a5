"""PixelCNN++: what a pixel sees, its sampling against the plain way, and its sizes by hand."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from coequal.architectures import _logistics
from coequal.architectures._pixel_layers import Conv, concat_elu
from coequal.architectures.pixelcnn import PixelCnn, PixelGenerator
from coequal.contract import (
    Conditions,
    DensityGenerator,
    GeneratorInput,
    ImageShape,
    Reconstruction,
    Requirements,
    Samples,
    Split,
)
from coequal.images import as_float, to_uint8
from coequal.rng import Rng
from coequal.training.batches import Batches
from coequal.training.loop import Trainer, build_players
from coequal.training.settings import Optimisation, Training

from toys import ALL

GREY, COLOUR = ImageShape(1, 8, 8), ImageShape(3, 8, 12)
TINY = {"width": 1 / 40, "blocks": 1, "mixtures": 2}
NEEDS = Requirements(generator=DensityGenerator)


def built(shape: ImageShape = GREY, **settings) -> PixelGenerator:  # type: ignore[no-untyped-def]
    """A generator in float64, whose layers all have a say and whose distributions are neither
    flat nor sure."""
    net = build_players(PixelCnn(**{**TINY, **settings}), shape, 3, NEEDS, 0).generator.double()
    rng = Rng(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * rng.normal(*parameter.shape)
    return net


def request(net: PixelGenerator, count: int, seed: int = 2) -> GeneratorInput:
    return GeneratorInput(net.latents(count, Rng(seed)), Conditions.in_turn(count, 3))


@torch.no_grad()
def plain(net: PixelGenerator, asked: GeneratorInput) -> Tensor:
    """Images by a whole pass of the net for every pixel."""
    (uniforms,) = asked.latents
    images = torch.zeros(len(uniforms), *net.shape, dtype=torch.float64)
    for i in range(net.shape.height):
        for j in range(net.shape.width):
            distributions = net.distributions(Samples(images, asked.conditions.labels))
            distribution = _logistics.Mixture(*(part[..., i, j] for part in distributions))
            images[..., i, j] = _logistics.draw(distribution, uniforms[..., i, j].double()) / 255
    return images


@pytest.mark.parametrize("settings", [{}, {"blocks": 2, "generator_labels": "embedding"}])
@pytest.mark.parametrize("shape", [GREY, COLOUR], ids=str)
def test_sampling_is_what_a_whole_pass_for_every_pixel_gives(shape, settings):
    net = built(shape, **settings)
    asked = request(net, 3)
    images = net(asked).images
    assert torch.equal(images, plain(net, asked))
    assert len(images.unique()) > 30


def test_images_are_levels_and_the_mode_does_not_matter():
    net = built().float()
    asked = request(net, 3)
    images = net.train()(asked).images
    assert images.dtype == torch.float32
    assert torch.equal(images, as_float(to_uint8(images)))
    assert torch.equal(images, net.eval()(asked).images)
    assert not images.requires_grad


@pytest.mark.parametrize("shape", [GREY, COLOUR], ids=str)
def test_a_pixels_law_depends_on_earlier_pixels_alone(shape):
    net = built(shape)
    numbers = shape.height * shape.width
    images = Rng(3).uniform(1, *shape).double()

    def distributions(images: Tensor) -> Tensor:
        return net.net(2 * images - 1, None).square().sum(1).flatten()

    slopes = torch.autograd.functional.jacobian(distributions, images)  # (pixels, 1, c, h, w)
    seen = slopes.abs().amax((1, 2)).view(numbers, numbers) > 0
    assert not seen.triu().any()  # nor on the pixel itself
    width = shape.width
    for row in range(2, 6):
        for column in range(1, width - 1):
            own = row * width + column
            above = [own - width + step for step in (-1, 0, 1)]
            assert seen[own, [own - 1, *above, own - 2 * width]].all(), (row, column)


def test_labels_change_likelihoods_and_images_of_a_net_that_knows_them():
    for kind, matter in (("none", False), ("embedding", True)):
        net = built(generator_labels=kind)
        assert net.conditional is matter
        (uniforms,) = net.latents(2, Rng(4))
        one, other = (torch.full((2,), label) for label in (0, 2))
        a, b = (
            net(GeneratorInput((uniforms,), Conditions(labels))).images for labels in (one, other)
        )
        assert torch.equal(a, b) is not matter
        p, q = (net.log_likelihood(Samples(a, labels)) for labels in (one, other))
        assert torch.equal(p, q) is not matter
    with pytest.raises(ValueError, match="given no labels"):
        net(GeneratorInput((uniforms,)))
    with pytest.raises(ValueError, match="the images have none"):
        build_players(PixelCnn(generator_labels="embedding"), GREY, None, NEEDS, 0)
    assert PixelCnn(generator_labels="embedding").uses_labels == {"generator"}
    assert PixelCnn().uses_labels == set()


def test_likelihood_is_the_sum_over_pixels_and_rounds_to_levels():
    net = built(COLOUR)
    levels = Rng(5).integers(256, 2 * 3 * 96).view(2, *COLOUR).double()
    real = Samples(levels / 255)
    by_pixel = _logistics.log_probability(net.distributions(real), levels)
    assert by_pixel.shape == (2, 8, 12)
    torch.testing.assert_close(net.log_likelihood(real), by_pixel.sum((1, 2)))
    near = Samples((levels + 0.4) / 255)
    assert torch.equal(net.log_likelihood(real), net.log_likelihood(near))


def test_training_finds_images_that_are_certain():
    levels = (torch.arange(64).view(1, 1, 8, 8) // 12 % 2 * 255).repeat(32, 1, 1, 1)
    objective = ALL["maximum_likelihood"]()
    one = Trainer(
        objective,
        build_players(
            PixelCnn(**{**TINY, "width": 1 / 20}), GREY, None, objective.requirements(), 0
        ),
        Batches(Split(levels.to(torch.uint8)), 8, 0, torch.device("cpu")),
        Optimisation(0.002, 0.9),
        Training(100, 8),
        0,
    )
    one.train_until(100)
    bits = one.curves.arrays()["generator.bits_per_dimension"]
    assert bits[:3].mean() > 1
    assert bits[-5:].mean() < 0.1


def test_parameters_by_hand():
    # 4 filters; a layer has out x in x kernel directions, and a length and a bias for each output.
    # First: 4 x 2 x (6 + 3 + 2) + 3 x 8 = 112. A block: 4 x 8 x 6 + 8, 8 x 8 x 6 + 16; 4 x 8 x 4 +
    # 8, 8 x 8 x 4 + 16; 1x1 4 x 8 + 8: 1,048; with a short cut 1x1 of 8 and of 16 inputs: + 40 +
    # 32. Down or up: 4 x 4 x (6 + 4) + 16 = 176. Last: 3 x 8 + 6 = 30.
    def count(**settings) -> int:  # type: ignore[no-untyped-def]
        net = built(**{**TINY, "mixtures": 1, **settings})
        return sum(parameter.numel() for parameter in net.parameters())

    whole = 112 + 3 * 1048 + 5 * 1120 + 4 * 176 + 30
    assert count() == whole
    assert count(generator_labels="embedding") == whole + 8 * 2 * 3 * 8
    assert count(blocks=2) == whole + 3 * 1048 + 3 * 1120
    assert count(mixtures=3) == whole + 2 * 30


def test_lengths_begin_so_that_signals_keep_their_size():
    for gain in (1.0, 0.1):
        torch.manual_seed(0)
        layer = Conv(40, 200, (2, 3), gain=gain)
        found = layer(torch.randn(4, 40, 20, 20))[:, :, 2:, 2:-2]
        assert found.std().item() == pytest.approx(gain, rel=0.05)


def test_the_activation_and_its_gradient_are_torchs():
    values = Rng(6).normal(3000, 4) * 3
    values[0, 0] = 0
    found = []
    for kind in (concat_elu, lambda x: functional.elu(torch.cat([x, -x], 1))):
        leaf = values.clone().requires_grad_()
        out = kind(leaf)
        found.append((out, *torch.autograd.grad(out, leaf, Rng(7).normal(3000, 8))))
    torch.testing.assert_close(*found, atol=2e-7, rtol=1e-6)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("width", 1 / 20), ("blocks", 2), ("mixtures", 3), ("generator_labels", "embedding")],
)
def test_every_setting_changes_something(setting, value):
    base, other = built(), built(**{setting: value})
    images = Samples(
        as_float(torch.full((2, 1, 8, 8), 100, dtype=torch.uint8)).double(), torch.arange(2)
    )
    assert not torch.equal(base.log_likelihood(images), other.log_likelihood(images))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"width": 0}, "width"), ({"blocks": 0}, "blocks"), ({"mixtures": 0}, "mixtures")],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PixelCnn(**settings)


def test_what_it_does_not_build():
    assert "divisible by 4" in PixelCnn().unsupported_reason(ImageShape(1, 30, 28))
    assert "2 channels" in PixelCnn().unsupported_reason(ImageShape(2, 28, 28))
    assert PixelCnn().unmet(Requirements(output=Reconstruction))
    assert not PixelCnn().unmet(NEEDS)
