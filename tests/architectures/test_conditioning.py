"""Labels, spectral norm and priors, over every architecture that has them; sizes by hand."""

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from coequal import lookup
from coequal.architectures._conditioning import Conditioning
from coequal.architectures._labels import ConditionalNorm, Labelled, LabelPlane
from coequal.architectures._players import LogitDiscriminator
from coequal.architectures._remedies import (
    BatchDeviation,
    BatchDiscrimination,
    MaskedDropout,
    VirtualNorm,
)
from coequal.contract import (
    ClassLogits,
    Conditions,
    GeneratorInput,
    ImageShape,
    Logits,
    Reconstruction,
    Requirements,
    Samples,
    StochasticLayer,
)
from coequal.rng import Rng
from coequal.training import checkpoint
from coequal.training.loop import build_players

from toys import ALL, trainer

SMALL = ImageShape(1, 28, 28)
KINDS = {
    name: kind
    for name in lookup.names("architectures")
    if issubclass(kind := lookup.load("architectures", name), Conditioning)
}
WAYS = [
    (name, way)
    for name in KINDS
    for way in ("one_hot", "embedding", "product", "conditional_norm")
    if (name, way) != ("mlp", "conditional_norm")
]


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def players(name, requirements=None, classes=10, shape=SMALL, **settings):  # type: ignore[no-untyped-def]
    nets = KINDS[name](width=1 / 16, **settings)
    return build_players(nets, shape, classes, requirements or Requirements(output=Logits), 1)


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_a_conditional_generator_heeds_its_label_and_no_other_images(name, way):
    generator = players(name, generator_labels=way).generator
    assert generator.conditional
    rng = Rng(2)
    for value in generator.parameters():  # conditional norms begin alike for all classes
        nn.init.zeros_(value).data.add_(rng.normal(*value.shape), alpha=0.3)
    generator.eval()
    latents = generator.latents(6, Rng(0))
    first, second = torch.arange(6), torch.tensor([0, 1, 2, 3, 4, 9])
    one, other = (
        generator(GeneratorInput(latents, Conditions(labels))).images for labels in (first, second)
    )
    assert torch.equal(one[:5], other[:5])
    assert not torch.equal(one[5], other[5])
    with pytest.raises(ValueError, match="needs labels"):
        generator(GeneratorInput(latents))


@pytest.mark.parametrize("name", KINDS)
def test_an_unconditional_generator_heeds_no_label(name):
    generator = players(name).generator.eval()
    assert not generator.conditional
    latents = generator.latents(4, Rng(0))
    images = [
        generator(GeneratorInput(latents, Conditions(labels))).images
        for labels in (None, torch.arange(4))
    ]
    assert torch.equal(*images)


@pytest.mark.parametrize("way", ["concatenated", "projection"])
@pytest.mark.parametrize("name", KINDS)
def test_a_conditional_discriminator_heeds_its_label(name, way):
    net = players(name, discriminator_labels=way).discriminator.eval()
    images = Rng(2).uniform(4, *SMALL)
    with torch.no_grad():
        outputs = [
            net(Samples(images, torch.tensor(labels))).logits
            for labels in ([0, 1, 2, 3], [0, 1, 2, 7])
        ]
    torch.testing.assert_close(outputs[0][:3], outputs[1][:3], atol=0, rtol=0)
    assert outputs[0][3] != outputs[1][3]
    with pytest.raises(ValueError, match="needs labels"):
        net(Samples(images))


@pytest.mark.parametrize("name", KINDS)
def test_a_class_head_is_built_for_whoever_needs_one(name):
    net = players(name, Requirements(output=ClassLogits), classes=7).discriminator
    found = net(Samples(Rng(2).uniform(4, *SMALL)))
    assert found.classes.shape == (4, 7)
    assert found.logits.shape == (4,)


@pytest.mark.parametrize("name", ["infogan", "mlp"])
@pytest.mark.parametrize("objective", ["began", "vae"])
def test_autoencoders_and_vaes_take_labels_too(name, objective):
    requirements = ALL[objective]().requirements()
    pair = players(
        name, requirements, generator_labels="one_hot", discriminator_labels="concatenated"
    )
    assert pair.generator.conditional
    real = Samples(Rng(1).uniform(4, *SMALL), torch.arange(4))
    other = Samples(real.images, torch.arange(4) + 1)
    if objective == "vae":
        assert not torch.equal(pair.generator.encode(real)[0], pair.generator.encode(other)[0])
        z = pair.generator.latents(4, Rng(0))[0]
        pair.generator.eval()
        decoded = [pair.generator.decode(z, s.labels) for s in (real, other)]
        assert not torch.equal(*decoded)
    else:
        assert not torch.equal(pair.discriminator(real).code, pair.discriminator(other).code)


def test_projection_by_hand():
    # phi = (1, 2); w.phi + b = 0.5 + 1; v_1.phi = -3 + 4.
    net = LogitDiscriminator(Labelled(nn.Flatten()), 2, 3)
    with torch.no_grad():
        net.head.weight.copy_(torch.tensor([[0.5, 0.25]]))
        net.head.bias.fill_(0.5)
        net.projection.weight.copy_(torch.tensor([[9.0, 9.0], [-3.0, 2.0], [9.0, 9.0]]))
    samples = Samples(torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([1]))
    assert net(samples).logits.item() == 1.5 + 1


def test_conditional_norm_by_hand():
    # Of 0 and 2 the mean is 1 and the deviation 1: -1 and 1; times 3 plus 10, times 1 plus 0.
    layer = ConditionalNorm(nn.BatchNorm1d(1, eps=1e-12, affine=False), 1, 2)
    values, labels = torch.tensor([[0.0], [2.0]]), torch.tensor([0, 1])
    assert layer(values, labels).flatten().tolist() == [-1, 1]  # it begins as a plain one
    with torch.no_grad():
        layer.scale[0], layer.shift[0] = 3.0, 10.0
    assert layer(values, labels).flatten().tolist() == [7, 1]


def test_a_label_plane_is_one_more_channel():
    layer = LabelPlane(3, 2, 2)
    found = layer(torch.zeros(1, 3, 2, 2), torch.tensor([2]))
    assert found.shape == (1, 4, 2, 2)
    assert torch.equal(found[0, 3].flatten(), layer.embedding.weight[2])


@pytest.mark.parametrize("name", KINDS)
def test_parameters_of_the_labels_by_hand(name):
    nets = KINDS[name](width=1 / 16)
    plain = players(name)
    ten = 10
    first = next(layer for layer in plain.generator.modules() if isinstance(layer, nn.Linear))
    into, out = nets.latents, first.out_features
    expected = {
        "one_hot": ten * out,
        "embedding": ten * into + into * out,
        "product": ten * into,
    }
    for way, more in expected.items():
        assert count(players(name, generator_labels=way).generator) - count(plain.generator) == more
    features = plain.discriminator.head.in_features
    projected = players(name, discriminator_labels="projection").discriminator
    assert count(projected) - count(plain.discriminator) == ten * features


@pytest.mark.parametrize(
    ("name", "shape", "generator", "discriminator"),
    [
        # The numbers of the authors' Torch code for 64 pixels: 100 x 512 x 16 + 2 (512 + 256 + 128
        # + 64) + 16 (512 x 256 + 256 x 128 + 128 x 64 + 64 x 3), and 16 (3 x 64 + 64 x 128 + 128 x
        # 256 + 256 x 512) + 2 (128 + 256 + 512) + 8,192; the bias of our head is one more.
        ("dcgan", ImageShape(3, 64, 64), 3_576_704, 2_765_568 + 1),
        # 128 x 4,096 + 4,096; three blocks of 2 (9 x 256^2 + 256) + 1,024 + 256^2 + 256; 512; 9 x
        # 256 x 3 + 3. D: 27 x 128 + 128 + 9 x 128^2 + 128 + 3 x 128 + 128; 2 (9 x 128^2 + 128) +
        # 128^2 + 128; twice 2 (9 x 128^2 + 128); 128.
        ("resnet", ImageShape(3, 32, 32), 4_276_739, 1_053_824),
        # 128 x 512 x 16; 16 (512 x 256 + 256 x 128 + 128 x 64); 2 (512 + 256 + 128 + 64); 9 x 64 x
        # 3 + 3. D: 9 (3 x 64 + 64 x 128 + 128 x 256 + 256 x 512) + 16 (64^2 + 128^2 + 256^2) +
        # 2 (64 + 128 + 256) + 512; head 512 x 16 + 1.
        ("sndcgan", ImageShape(3, 32, 32), 3_804_739, 2_935_873),
    ],
)
def test_published_nets_have_their_size(name, shape, generator, discriminator):
    pair = build_players(KINDS[name](), shape, None, Requirements(output=Logits), 0)
    assert (count(pair.generator), count(pair.discriminator)) == (generator, discriminator)


@pytest.mark.parametrize("name", KINDS)
def test_spectral_norm_holds_every_layer_at_one(name):
    net = players(
        name,
        Requirements(output=ClassLogits),
        spectral_norm=True,
        discriminator_labels="projection",
    ).discriminator
    samples = Samples(Rng(2).uniform(4, *SMALL), torch.arange(4))
    for _ in range(60):  # one power iteration each
        net(samples)
    weights = [
        layer.weight.flatten(1)
        for layer in net.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding)
    ]
    norms = [torch.linalg.matrix_norm(weight, 2).item() for weight in weights]
    assert norms == pytest.approx([1] * len(norms), abs=0.02)
    bare = players(name, Requirements(output=ClassLogits), discriminator_labels="projection")
    assert count(bare.discriminator) == count(net)  # nothing more is learnt


def test_spectral_norm_leaves_the_plane_of_labels():
    net = players("dcgan", spectral_norm=True, discriminator_labels="concatenated").discriminator
    plane = next(layer for layer in net.modules() if isinstance(layer, LabelPlane))
    assert not nn.utils.parametrize.is_parametrized(plane.embedding)


def test_power_iterations_are_in_the_checkpoint(tmp_path):
    def start():  # type: ignore[no-untyped-def]
        nets = KINDS["infogan"](width=1 / 32, spectral_norm=True, batch_norm=False)
        return trainer(ALL["hinge"](), architecture=nets)

    whole, first, second = start(), start(), start()
    whole.train_until(9)
    first.train_until(4)
    checkpoint.save(first, tmp_path / "c")
    checkpoint.restore(second, tmp_path / "c")
    second.train_until(9)
    saved = checkpoint.tensors(whole)
    assert any(key.endswith("_u") for key in saved)
    for key, value in checkpoint.tensors(second).items():
        assert torch.equal(value, saved[key]), key


@pytest.mark.parametrize("name", KINDS)
def test_priors(name):
    distributions = ("uniform", "normal", "spherical")
    nets = {prior: players(name, prior=prior).generator for prior in distributions}
    drawn = {prior: net.latents(3000, Rng(1))[0] for prior, net in nets.items()}
    size = drawn["normal"].shape[1]
    assert drawn["uniform"].abs().max() <= 1
    assert drawn["normal"].var().item() == pytest.approx(1, rel=0.03)
    lengths = drawn["spherical"].norm(dim=1)
    torch.testing.assert_close(lengths, torch.full_like(lengths, size**0.5))
    assert (nets["uniform"].support, nets["normal"].support) == ((-1, 1), None)


def test_what_has_no_place_is_said_before_anything_starts():
    projection = KINDS["infogan"](discriminator_labels="projection")
    assert "no logit" in projection.unmet(Requirements(output=Reconstruction))[0]
    assert projection.unmet(Requirements(output=ClassLogits)) == []
    normed = KINDS["infogan"](spectral_norm=True)
    assert "no discriminator" in normed.unmet(ALL["vae"]().requirements())[0]
    with pytest.raises(ValueError, match="conditional_norm needs BatchNorm"):
        KINDS["mlp"](generator_labels="conditional_norm")


@pytest.mark.parametrize("name", KINDS)
def test_uses_labels(name):
    nets = KINDS[name](generator_labels="one_hot", discriminator_labels="projection")
    assert nets.uses_labels == {"generator", "discriminator"}
    assert KINDS[name]().uses_labels == frozenset()


def test_one_hot_is_beside_the_latents():
    layer = players("dcgan", generator_labels="one_hot").generator.decoder[0]
    labels = torch.tensor([3, 0])
    joined = layer(torch.zeros(2, 5), labels)
    assert torch.equal(joined[:, 5:], one_hot(labels, 10).float())


# ------------------------------------------------------------------------------------- remedies


@pytest.mark.parametrize("name", KINDS)
def test_a_generators_masks_are_latents(name):
    generator = players(name, generator_dropout=0.5).generator
    first, masks = generator.latents(6, Rng(0))
    assert masks.shape == (6, sum(layer.channels for layer in generator.masked))
    for mode in (True, False):
        generator.train(mode)
        one = generator(GeneratorInput((first, masks))).images
        assert torch.equal(one, generator(GeneratorInput((first, masks))).images)
    other = generator(GeneratorInput((first, generator.latents(6, Rng(1))[1]))).images
    assert not torch.equal(one, other)
    assert len(players(name).generator.latents(6, Rng(0))) == 1


@pytest.mark.parametrize("prior", ["uniform", "normal", "spherical"])
def test_masks_drop_the_share_that_they_say(prior):
    layer = MaskedDropout(0.25, 3)
    generator = players("infogan", prior=prior, generator_dropout=0.25).generator
    generator.masked[0].register_forward_hook(lambda m, _, out: seen.append(m.drawn))
    seen: list[torch.Tensor] = []
    generator(GeneratorInput(generator.latents(3000, Rng(0))))
    assert (seen[0] < 0.25).float().mean().item() == pytest.approx(0.25, abs=0.01)
    layer.drawn = torch.tensor([[0.1, 0.25, 0.9]])
    # 0.1 is below the share: gone; the rest is divided by 3/4.
    found = layer(torch.full((1, 3, 2, 2), 3.0))
    assert found[0, :, 0, 0].tolist() == [0, 4, 4]


@pytest.mark.parametrize("name", KINDS)
def test_a_discriminators_dropout_draws_from_the_loops_stream(name):
    net = players(name, discriminator_dropout=0.5).discriminator
    samples = Samples(Rng(2).uniform(8, *SMALL))
    with pytest.raises(RuntimeError, match="has no stream"):
        net(samples)
    layers = [layer for layer in net.modules() if isinstance(layer, StochasticLayer)]
    assert layers
    outputs = []
    for seed in (1, 1, 2):
        for layer in layers:
            layer.rng = Rng(seed)
        outputs.append(net(samples).logits)
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    net.eval()
    assert torch.equal(net(samples).logits, net(samples).logits)


def test_dropout_resumes(tmp_path):
    def start():  # type: ignore[no-untyped-def]
        nets = KINDS["infogan"](
            width=1 / 32, latents=4, discriminator_dropout=0.3, generator_dropout=0.3
        )
        return trainer(ALL["non_saturating"](), architecture=nets)

    whole, first, second = start(), start(), start()
    whole.train_until(9)
    first.train_until(4)
    checkpoint.save(first, tmp_path / "c")
    checkpoint.restore(second, tmp_path / "c")
    second.train_until(9)
    saved = checkpoint.tensors(whole)
    for key, value in checkpoint.tensors(second).items():
        assert torch.equal(value, saved[key]), key


def test_the_deviation_of_a_batch_by_hand():
    # Of 0 and 2 the deviation is 1, of 0 and 6 it is 3: their mean is 2.
    found = BatchDeviation(2)(torch.tensor([[0.0, 0.0], [2.0, 6.0]]))
    assert found[:, :2].tolist() == [[0, 0], [2, 6]]
    assert found[:, 2].tolist() == pytest.approx([2, 2], abs=1e-3)


def test_discrimination_sees_copies():
    layer = BatchDiscrimination(4)
    same, apart = torch.ones(5, 4), 100 * torch.eye(5)[:, :4]
    # Four copies beside each image, at distance 0: exp(0) four times; far ones count nothing.
    assert layer(same)[:, 4:].tolist() == [[4.0] * 16] * 5
    assert layer(apart)[:, 4:].max() < 1


@pytest.mark.parametrize("way", ["stddev", "discrimination"])
@pytest.mark.parametrize("name", KINDS)
def test_the_last_layer_sees_the_batch(name, way):
    net = players(name, minibatch=way, spectral_norm=True).discriminator.eval()
    images = Rng(2).uniform(4, *SMALL)
    alone = net(Samples(images)).logits[0]
    beside = net(Samples(torch.cat([images[:1], images[:1], images[:1], images[:1]]))).logits[0]
    assert alone != beside


@pytest.mark.parametrize("name", KINDS)
def test_the_input_range(name):
    outputs = []
    for way in ("unit", "symmetric"):
        net = players(name, input_range=way).discriminator
        first = next(m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d))
        first.register_forward_pre_hook(lambda _, args: outputs.append(args[0].min().item()))
        net(Samples(torch.zeros(4, *SMALL)))
    assert outputs == [0, -1]


@pytest.mark.parametrize(
    ("settings", "objective", "said"),
    [
        ({"minibatch": "stddev"}, "began", "an autoencoder has no logit"),
        ({"minibatch": "stddev"}, "vae", "no minibatch"),
        ({"discriminator_dropout": 0.5}, "vae", "no discriminator_dropout"),
        ({"generator_dropout": 0.5}, "vae", "a VAE decodes without masks"),
    ],
)
def test_remedies_without_a_place_are_said(settings, objective, said):
    (found,) = KINDS["infogan"](**settings).unmet(ALL[objective]().requirements())
    assert said in found


VIRTUAL = [name for name in KINDS if name != "mlp"]


@pytest.mark.parametrize("labels", ["none", "conditional_norm"])
@pytest.mark.parametrize("name", VIRTUAL)
def test_with_virtual_norm_images_of_a_batch_do_not_depend_on_each_other(name, labels):
    generator = players(name, generator_norm="virtual", generator_labels=labels).generator
    assert generator.training  # where BatchNorm would mix them
    latents = generator.latents(6, Rng(0))
    classes = torch.arange(6)
    whole = generator(GeneratorInput(latents, Conditions(classes))).images
    part = generator(GeneratorInput((latents[0][:2],), Conditions(classes[:2]))).images
    torch.testing.assert_close(whole[:2], part, atol=1e-5, rtol=0)
    assert not torch.equal(whole[0], whole[1])
    generator.eval()
    again = generator(GeneratorInput(latents, Conditions(classes))).images
    torch.testing.assert_close(whole, again, atol=1e-5, rtol=0)
    assert "reference" in generator.state_dict()
    assert "reference" not in players(name).generator.state_dict()


def test_virtual_norm_by_hand(monkeypatch):
    monkeypatch.setattr(VirtualNorm, "rows", 2)
    layer = VirtualNorm(1, 1e-12, affine=False)
    # References 0 and 2: mean 1, mean square 2, deviation 1. Of 5 with them: mean (0 + 2 + 5) / 3,
    # mean square (0 + 4 + 25) / 3.
    found = layer(torch.tensor([[0.0], [2.0], [5.0]])).flatten().tolist()
    deviation = (29 / 3 - (7 / 3) ** 2) ** 0.5
    assert found == pytest.approx([-1, 1, (5 - 7 / 3) / deviation], rel=1e-4)


def test_a_reference_batch_is_what_others_are_normalised_by():
    generator = players("infogan", generator_norm="virtual", prior="normal").generator
    assert generator.reference.shape == (64, generator.size)
    assert generator.reference.std().item() == pytest.approx(1, abs=0.1)
    latents = generator.latents(3, Rng(0))
    before = generator(GeneratorInput(latents)).images
    generator.reference.mul_(2)
    assert not torch.equal(before, generator(GeneratorInput(latents)).images)


def test_virtual_norm_has_no_place_in_a_vae_nor_in_mlp():
    (found,) = KINDS["infogan"](generator_norm="virtual").unmet(ALL["vae"]().requirements())
    assert "a VAE decodes without a reference batch" in found
    with pytest.raises(ValueError, match="needs a norm"):
        KINDS["mlp"](generator_norm="virtual")
