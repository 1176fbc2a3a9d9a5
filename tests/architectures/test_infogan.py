"""The nets of the study: their sizes by hand."""

import pytest
import torch
from torch import nn

from coequal.architectures.infogan import InfoGan
from coequal.contract import GeneratorInput, ImageShape
from coequal.rng import Rng
from coequal.training.loop import build_players

from toys import ALL


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def players(objective: str, **settings):  # type: ignore[no-untyped-def]
    return build_players(
        InfoGan(**settings), ImageShape(1, 28, 28), None, ALL[objective]().requirements(), 0
    )


def test_parameters_of_the_generator_by_hand():
    # 64 x 1024 + BN 2 x 1024; 1024 x 6272 + BN 2 x 6272 (128 x 7 x 7); deconv 128 x 64 x 16 + BN 2
    # x 64; deconv 64 x 1 x 16 + 1. No biases before a BatchNorm.
    dense = 64 * 1024 + 2048 + 1024 * 6272 + 12544
    assert count(players("non_saturating").generator) == dense + 131072 + 128 + 1024 + 1


def test_parameters_of_the_discriminator_by_hand():
    # conv 1 x 64 x 16 + 64; conv 64 x 128 x 16; dense 6272 x 1024; dense 1024 + 1; and either
    # BatchNorm (2 x 128, 2 x 1024) or biases (128, 1024).
    plain = 1024 + 64 + 131072 + 6272 * 1024 + 1025
    with_norm = players("non_saturating", batch_norm=True).discriminator
    without = players("non_saturating", batch_norm=False).discriminator
    assert count(with_norm) == plain + 256 + 2048
    assert count(without) == plain + 128 + 1024


def test_parameters_of_began_by_hand():
    # conv 1088; conv 131072 + 128; dense 6272 x 64 + 64; dense 64 x 6272 + 6272; deconv 131072 +
    # 64; deconv 1024 + 1, without BatchNorm.
    net = players("began", batch_norm=False).discriminator
    dense = 6272 * 64 + 64 + 64 * 6272 + 6272
    assert count(net) == 1088 + 131200 + dense + 131136 + 1025


def test_latents_are_uniform_for_a_gan_and_normal_for_a_vae():
    (uniform,) = players("non_saturating", width=1 / 32).generator.latents(2000, Rng(1))
    (normal,) = players("vae", width=1 / 32).generator.latents(2000, Rng(1))
    assert uniform.shape == normal.shape == (2000, 64)
    assert uniform.min() >= -1
    assert uniform.max() < 1
    assert uniform.var().item() == pytest.approx(1 / 3, rel=0.02)
    assert normal.var().item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("width", 1 / 16), ("latents", 8), ("batch_norm", False), ("norm_momentum", 0.5)],
)
def test_every_setting_changes_something(setting, value):
    base = {"width": 1 / 32, "latents": 4}
    outputs = []
    for settings in (base, {**base, setting: value}):
        pair = players("non_saturating", **settings)
        fakes = pair.generator(GeneratorInput(pair.generator.latents(8, Rng(2))))
        pair.discriminator(fakes)
        pair.discriminator(fakes)
        states = {**pair.generator.state_dict(), **pair.discriminator.state_dict()}
        outputs.append(torch.cat([value.flatten().float() for value in states.values()]))
    assert outputs[0].shape != outputs[1].shape or not torch.equal(*outputs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"width": 0}, "width"), ({"latents": 0}, "latents"), ({"norm_momentum": 0}, "norm_momentum")],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        InfoGan(**settings)


@pytest.mark.parametrize("shape", [ImageShape(1, 27, 27), ImageShape(2, 28, 28)])
def test_odd_shapes_are_refused(shape):
    assert "divisible by 4" in InfoGan().unsupported_reason(shape)
