"""The multilayer perceptrons: their sizes by hand, and every objective on points."""

import pytest
import torch
from torch import nn

from coequal.architectures.mlp import Mlp
from coequal.contract import GeneratorInput, ImageShape, Split
from coequal.rng import Rng
from coequal.training.batches import Batches
from coequal.training.loop import Trainer, build_players
from coequal.training.settings import Optimisation, Training

from toys import ALL

POINTS = ImageShape(2, 1, 1)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def players(objective: str, shape: ImageShape = POINTS, **settings):  # type: ignore[no-untyped-def]
    return build_players(Mlp(**settings), shape, 2, ALL[objective]().requirements(), 0)


def test_parameters_of_the_generator_by_hand():
    # 64 x 128 + 128; 128 x 128 + 128; 128 x 2 + 2: 8,320 + 16,512 + 258.
    assert count(players("non_saturating").generator) == 25_090


def test_parameters_of_the_discriminator_by_hand():
    # 2 x 128, 128 x 128, head 128 + 1: 16,769; and twice a BatchNorm (256) or biases (128).
    with_norm = players("non_saturating", batch_norm=True).discriminator
    without = players("non_saturating", batch_norm=False).discriminator
    assert (count(with_norm), count(without)) == (16_769 + 512, 16_769 + 256)


def test_parameters_of_the_autoencoder_and_the_vae_by_hand():
    # Width 1/8: 16 units, one hidden layer, no BatchNorm, 5 latents. To a code of 1 and back: 2 x
    # 16 + 16, 16 x 1 + 1; 1 x 16 + 16, 16 x 2 + 2: 48 + 17 + 32 + 34.
    small = {"width": 1 / 8, "depth": 1, "latents": 5, "batch_norm": False}
    assert count(players("began", **small).discriminator) == 131
    # 48; posterior 16 x 10 + 10; decoder 5 x 16 + 16, 34: 48 + 170 + 96 + 34.
    assert count(players("vae", **small).generator) == 348


@pytest.mark.parametrize(
    ("shape", "numbers"), [(POINTS, 1), (ImageShape(1, 8, 8), 32), (ImageShape(3, 28, 28), 64)]
)
def test_the_code_is_half_of_the_image_and_64_at_most(shape, numbers):
    pair = players("began", shape, width=1 / 16)
    fakes = pair.generator(GeneratorInput(pair.generator.latents(4, Rng(1))))
    assert pair.discriminator(fakes).code.shape == (4, numbers)


def test_signals_keep_their_size_through_the_layers():
    """He's rule: a deep generator's output still depends on its latents."""
    pair = players("non_saturating", depth=6)
    hidden = pair.generator.decoder[:-2](pair.generator.latents(2000, Rng(2))[0])
    # Uniform latents have the mean square 1/3; each layer keeps it.
    assert hidden.square().mean().item() == pytest.approx(1 / 3, rel=0.5)


def test_latents_are_uniform_for_a_gan_and_normal_for_a_vae():
    (uniform,) = players("non_saturating").generator.latents(2000, Rng(1))
    (normal,) = players("vae").generator.latents(2000, Rng(1))
    assert uniform.shape == normal.shape == (2000, 64)
    assert uniform.abs().max() <= 1
    assert normal.var().item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    ("setting", "value"), [("width", 1 / 16), ("depth", 1), ("latents", 8), ("batch_norm", False)]
)
def test_every_setting_changes_something(setting, value):
    base = {"width": 1 / 32, "latents": 4}
    outputs = []
    for settings in (base, {**base, setting: value}):
        pair = players("non_saturating", **settings)
        fakes = pair.generator(GeneratorInput(pair.generator.latents(8, Rng(2))))
        logits = pair.discriminator(fakes).logits
        parameters = [*pair.generator.parameters(), *pair.discriminator.parameters(), logits]
        outputs.append(torch.cat([value.flatten() for value in parameters]))
    assert outputs[0].shape != outputs[1].shape or not torch.equal(*outputs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"width": 0}, "width"), ({"latents": 0}, "latents"), ({"depth": 0}, "depth")],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Mlp(**settings)


@pytest.mark.parametrize(
    "objective", [name for name in ALL if not Mlp().unmet(ALL[name]().requirements())]
)
def test_every_objective_trains_on_points(objective):
    split = Split(Rng(3).uniform(64, 2, 1, 1), torch.arange(64) % 2)
    one = Trainer(
        ALL[objective](),
        players(objective, width=1 / 8),
        Batches(split, 16, 1, torch.device("cpu")),
        Optimisation(1e-3, 0.5, 1),
        Training(10, 16),
        5,
    )
    before = [p.clone() for p in one.generator.parameters()]
    one.train_until(10)
    after = list(one.generator.parameters())
    assert all(torch.isfinite(p).all() for p in after)
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
