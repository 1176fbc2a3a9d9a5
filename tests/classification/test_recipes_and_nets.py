"""The nets, the recipes, and training by them."""

from dataclasses import replace

import pytest
import torch

from coequal import pace
from coequal.classification import nets, recipes, subsets
from coequal.classification.training import _shown, fit, loaded, predict, scaled, train
from coequal.contract import ImageShape
from coequal.rng import Rng

CPU = torch.device("cpu")


def stripes(count: int, size: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Bright above or bright below, with noise: two classes that a small net tells apart."""
    labels = torch.arange(count) % 2
    images = Rng(3).integers(80, count * size * size).view(count, 1, size, size)
    half = size // 2
    images[labels == 0, :, :half] += 120
    images[labels == 1, :, half:] += 120
    return images.to(torch.uint8), labels


# --------------------------------------------------------------------------------------- the nets


def test_the_resnet_has_as_many_parameters_as_a_count_by_hand():
    first = 3 * 16 * 9
    # A block: two norms (2 numbers a channel) and two 3x3 convolutions.
    plain = {w: 2 * 2 * w + 2 * 9 * w * w for w in (16, 32, 64)}
    # The first of a group: norms of the old and the new width, both convolutions, the shortcut.
    leading = {
        (a, b): 2 * a + 2 * b + 9 * a * b + 9 * b * b + a * b
        for a, b in ((16, 16), (16, 32), (32, 64))
    }
    last = 2 * 64 + 64 * 10 + 10
    by_hand = first + 4 * sum(plain.values()) + sum(leading.values()) + last
    assert by_hand == 466_970
    net = nets.resnet32(ImageShape(3, 32, 32), 10)
    assert sum(weights.numel() for weights in net.parameters()) == by_hand
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    # 6 n + 2 layers for n = 5: the dense one and these, without the three shortcuts.
    assert len([m for m in convolutions if m.kernel_size == (3, 3)]) + 1 == 32


@pytest.mark.parametrize("build", [nets.small, nets.resnet32])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (2, 64, 64), (1, 5, 7)])
def test_the_nets_take_any_size_and_number_of_channels(build, shape):
    found = build(ImageShape(*shape), 7).eval()(torch.zeros(2, *shape))
    assert found.shape == (2, 7)


def test_the_resnets_convolutions_start_with_a_variance_of_one_by_inputs():
    weights = nets.resnet32(ImageShape(3, 32, 32), 10)[-6].second.weight
    assert weights.shape == (64, 64, 3, 3)
    assert float(weights.detach().var()) == pytest.approx(1 / (64 * 9), rel=0.03)


# ------------------------------------------------------------------------------------ the recipes


@pytest.mark.parametrize(
    ("length", "steps"), [(1.0, [64_000, 32_031, 48_047]), (0.1, [6400, 3203, 4805])]
)
def test_the_resnets_rate_falls_at_the_published_steps_or_their_shares(length, steps):
    recipe = recipes.resnet32(length)
    falls = [round(share * recipe.steps_for(10)) for share in recipe.decays]
    assert [recipe.steps_for(10), *falls] == steps


def test_the_small_recipe_takes_epochs_or_its_least_number_of_steps():
    assert recipes.small().steps_for(12_800) == 500
    assert recipes.small().steps_for(100) == 300
    assert recipes.small(0.5).steps_for(100) == 30
    assert recipes.small().of_steps(7).steps_for(12_800) == 7


@pytest.mark.parametrize(("length", "share"), [(1.0, 0.003), (0.1, 0.03), (0.001, 0.1), (2, 0.003)])
def test_the_resnets_averages_are_the_published_ones_and_short_in_a_short_training(length, share):
    recipe = recipes.resnet32(length)
    assert recipe.averaging == pytest.approx(share)
    images, labels = stripes(4)
    made = train(images, labels, 2, replace(recipe, steps=1, pad=0, noise=0.0, flip=False), 0).net
    norms = [module for module in made.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(norms) == 31
    assert {norm.momentum for norm in norms} == {recipe.averaging}
    assert {norm.eps for norm in norms} == {1e-5}


@pytest.mark.parametrize(("make", "value"), [(recipes.small, 0.0), (recipes.resnet32, -1.0)])
def test_no_training_at_all_is_refused(make, value):
    with pytest.raises(ValueError, match="above 0"):
        make(value)


# ------------------------------------------------------------------------------ what the net sees


def test_noise_is_added_in_training_and_not_in_answers():
    recipe = recipes.resnet32()
    images = torch.full((4, 1, 8, 8), 255, dtype=torch.uint8)
    assert torch.equal(scaled(images, recipe), torch.full((4, 1, 8, 8), 255 / 128 - 1))
    assert torch.equal(scaled(images / 255, recipe), scaled(images, recipe))
    seen = _shown(images, recipe, Rng(0), CPU)
    inside = seen > 0  # the rest is padding
    noise = seen[inside] - (255 / 128 - 1)
    assert 0 <= float(noise.min()) < 0.001
    assert 0.0065 < float(noise.max()) <= 1 / 128
    assert torch.equal(_shown(images, recipes.small(), Rng(0), CPU), torch.ones(4, 1, 8, 8))


def test_images_are_mirrored_and_moved_by_up_to_four_pixels():
    image = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    image[..., 8, 5] = 128  # mirrored it is in column 10
    seen = _shown(image.expand(3000, -1, -1, -1), recipes.resnet32(), Rng(0), CPU)
    places = [divmod(place, 16) for place in seen.flatten(1).argmax(1).tolist()]
    assert {row for row, _ in places} == set(range(4, 13))
    assert {column for _, column in places} == set(range(1, 10)) | set(range(6, 15))
    left = [column for _, column in places if column < 6]
    assert len(left) / 3000 == pytest.approx(0.5 * 5 / 9, abs=0.03)
    plain = _shown(image.expand(300, -1, -1, -1), recipes.resnet32(flips=False), Rng(0), CPU)
    assert int(plain.flatten(1).argmax(1).remainder(16).max()) == 9


# ------------------------------------------------------------------------------- training, asking


def test_a_classifier_of_separable_images_is_always_right():
    images, labels = stripes(200)
    found = train(images, labels, 2, recipes.small(), 0)
    fresh, right = stripes(331)
    assert torch.equal(predict(found, fresh)[:, 0], right)


@pytest.mark.parametrize("recipe", [recipes.small(0.2), recipes.resnet32(3 / 64_000)])
def test_the_bits_depend_on_the_seed_and_not_on_threads_or_the_global_generator(recipe):
    images, labels = stripes(40)
    before, state = torch.get_num_threads(), torch.get_rng_state()
    one, same, other = {}, {}, {}
    for threads, seed, made in ((1, 0, one), (2, 0, same), (1, 1, other)):
        torch.set_num_threads(threads)
        with torch.inference_mode(threads == 2):
            seen = images / 255 if recipe.scale == "unit" else images
            made |= train(seen, labels, 2, recipe, seed).weights()
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_weights_can_be_loaded_and_no_answer_hangs_on_the_others():
    images, labels = stripes(60)
    recipe = recipes.resnet32(4 / 64_000)
    made = train(images, labels, 2, recipe, 0)
    again = loaded(made.weights(), ImageShape(1, 8, 8), 2, recipe)
    many = stripes(511)[0]
    answers = predict(made, many, top=2)
    assert answers.shape == (511, 2)
    assert torch.equal(answers.sort(1).values, torch.tensor([[0, 1]]).expand(511, 2))
    assert torch.equal(answers, predict(again, many, top=2))
    for row in (0, 249, 250, 510):
        assert torch.equal(predict(made, many[row : row + 1])[0], answers[row, :1])


def test_fitting_tells_how_far_it_is(monkeypatch):
    images, labels = stripes(20)
    said: list[str] = []
    net = nets.small(ImageShape(1, 8, 8), 2)
    fit(net, images, labels, recipes.small(1 / 6), Rng(0), said.append, "x")
    assert said[0] == "training x: 10 steps"
    monkeypatch.setattr(pace, "EVERY_SECONDS", 0.0)
    fit(net, images, labels, recipes.small(1 / 6), Rng(0), said.append, "x")
    assert any(line.startswith("training x: 5 of 10, ") for line in said)


def test_too_small_images_are_refused():
    with pytest.raises(ValueError, match="4x4 at least"):
        train(torch.zeros(5, 2, 1, 1), torch.zeros(5, dtype=torch.int64), 2, recipes.small(), 0)


# ---------------------------------------------------------------------------------------- subsets


def test_subsets_hold_every_class_in_proportion_and_lie_in_one_another():
    labels = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)[Rng(0).permutation(100)]
    small, large = (subsets.some_of_each(labels, count, 0) for count in (20, 50))
    assert labels[small].bincount().tolist() == [12, 6, 2]
    assert labels[large].bincount().tolist() == [30, 15, 5]
    assert set(small.tolist()) < set(large.tolist())
    assert labels[subsets.some_of_each(labels, 3, 0)].sort().values.tolist() == [0, 1, 2]
    assert subsets.some_of_each(labels, 20, 1).tolist() != small.tolist()


def test_the_fixed_order_hangs_on_nothing_but_the_images():
    images, labels = stripes(30)
    turned = Rng(1).permutation(30)
    one = subsets.in_fixed_order(images, labels)
    other = subsets.in_fixed_order(images[turned], labels[turned])
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])
    assert subsets.digest(*one) == subsets.digest(*other) != subsets.digest(images, labels)
