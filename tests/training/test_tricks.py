"""Every trick does what it says, by hand, and nothing when it is off."""

from dataclasses import fields, replace

import pytest
import torch
from torch.nn.functional import softplus

from coequal.contract import Batch, Samples
from coequal.rng import Rng
from coequal.study.check import problems
from coequal.study.plan import plan
from coequal.study.spec import Study
from coequal.training import checkpoint
from coequal.training.active_tricks import ActiveTricks, DiscriminatorView
from coequal.training.augment import augmented
from coequal.training.optimisers import decayed, optimiser_for
from coequal.training.settings import Optimisation
from coequal.training.tricks import Tricks

from toys import ALL, Linear, trainer
from toys import TRICKS as ON

CPU = torch.device("cpu")


def everything(one) -> dict[str, torch.Tensor]:  # type: ignore[no-untyped-def]
    return checkpoint.tensors(one)


def trained(steps=6, name="non_saturating", **tricks):  # type: ignore[no-untyped-def]
    one = trainer(ALL[name](), tricks=Tricks(**tricks))
    if tricks.get("augment") == "ada":
        one.active_tricks.ada_probability.fill_(0.5)  # it takes 60,000 steps to grow so far
    one.train_until(steps)
    return one


@pytest.mark.parametrize("name", ["non_saturating", "wgan_gp"])
@pytest.mark.parametrize("trick", ON)
def test_a_trick_changes_the_nets_and_no_draw_of_others(trick, name):
    plain, one = everything(trained(name=name)), everything(trained(name=name, **ON[trick]))
    nets = [key for key in plain if key.startswith("nets/")]
    assert any(not torch.equal(plain[key], one[key]) for key in nets)
    for key in ("streams/latents", "streams/objective"):
        assert torch.equal(plain[key], one[key]), key


def test_details_of_what_is_off_change_no_bit():
    plain = everything(trained())
    same = everything(trained(gradient_penalty_weight=3.0, gradient_penalty_every=5))
    assert plain.keys() == same.keys()
    assert all(torch.equal(plain[key], same[key]) for key in plain)
    assert not any(key.startswith("tricks/") for key in plain)


@pytest.mark.parametrize("trick", ON)
def test_resumed_with_a_trick_equals_uninterrupted(trick, tmp_path):
    whole = trained(9, **ON[trick])
    first = trained(4, **ON[trick])
    checkpoint.save(first, tmp_path / "c")
    second = trainer(ALL["non_saturating"](), tricks=Tricks(**ON[trick]))
    checkpoint.restore(second, tmp_path / "c")
    second.train_until(9)
    left, right = everything(whole), everything(second)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[key], right[key]) for key in left)


def test_nothing_draws_from_the_global_generator():
    before = torch.get_rng_state()
    settings = {key: value for trick in ON.values() for key, value in trick.items()}
    trained(**{**settings, "augment": "diffaugment", "ada_target": 0.6})
    assert torch.equal(before, torch.get_rng_state())


def test_settings_that_change_something_have_a_test():
    assert {key for trick in ON.values() for key in trick} | {"gradient_penalty_weight"} == {
        field.name for field in fields(Tricks)
    }


# ------------------------------------------------------------------------------------ sides


def test_label_smoothing_is_smoothing_of_the_targets_in_expectation():
    """bce(l, 1 - s) = (1 - s) softplus(-l) + s softplus(l), and the same for fakes."""
    rng, s = Rng(1), 0.2
    real, fake = (Samples(rng.normal(20_000, 1, 1, 1) + shift) for shift in (1, -1))
    mixed = ActiveTricks(Tricks(label_smoothing=s), 3, CPU).sides(real, fake)
    noisy = softplus(-mixed[0].images).mean() + softplus(mixed[1].images).mean()
    x, g = real.images, fake.images
    smooth = ((1 - s) * softplus(-x) + s * softplus(x)).mean()
    smooth = smooth + ((1 - s) * softplus(g) + s * softplus(-g)).mean()
    plain = softplus(-x).mean() + softplus(g).mean()
    # The deviation of the mean is below 1 / sqrt(20,000) = 0.007; smoothing moves it by 0.4.
    assert noisy.item() == pytest.approx(smooth.item(), abs=0.03)
    assert abs(plain.item() - smooth.item()) > 0.3


def test_sides_are_changed_with_labels_and_in_pairs():
    real = Samples(torch.zeros(1000, 1, 1, 1), torch.zeros(1000, dtype=torch.long))
    fake = Samples(torch.ones(1000, 1, 1, 1), torch.ones(1000, dtype=torch.long))
    left, right = ActiveTricks(Tricks(label_smoothing=0.25), 3, CPU).sides(real, fake)
    moved = left.images.flatten()
    assert 0.2 < moved.mean() < 0.3
    assert torch.equal(moved, left.labels.float())
    assert torch.equal(right.images.flatten(), 1 - moved)


def test_flips_change_whole_batches():
    applied = ActiveTricks(Tricks(label_flips=0.25), 3, CPU)
    real, fake = Samples(torch.zeros(4, 1, 1, 1)), Samples(torch.ones(4, 1, 1, 1))
    flipped = [applied.sides(real, fake)[0] is fake for _ in range(400)]
    assert 60 < sum(flipped) < 140  # 100 and four deviations of 8.7


# ------------------------------------------------------------------------------------ what D sees


def test_instance_noise_is_on_all_that_the_discriminator_sees_and_falls():
    applied = ActiveTricks(Tricks(instance_noise=0.2, instance_noise_steps=10), 3, CPU)
    net = Linear(torch.zeros(4))
    seen: list[torch.Tensor] = []
    net.register_forward_pre_hook(lambda _, args: seen.append(args[0].images))
    samples = Samples(torch.full((4000, 1, 2, 2), 0.5))
    for step, deviation in ((0, 0.2), (5, 0.1), (10, 0.0)):
        applied.step = step
        view = DiscriminatorView(net, applied)
        view(samples)
        view(samples)  # the same batch is judged once
        assert seen[-1].sub(0.5).std().item() == pytest.approx(deviation, rel=0.05)
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("kind", "value"),
    # The gradient is w everywhere, of length 3: (3 - 1)^2, or 3^2 / 2, or 3^2.
    [("wgan_gp", 4), ("dragan", 4), ("r1", 4.5), ("r2", 4.5), ("zero_centred", 9)],
)
def test_penalties_of_a_linear_discriminator(kind, value):
    tricks = Tricks(gradient_penalty=kind, gradient_penalty_weight=2.0, gradient_penalty_every=4)
    (lazy,) = ActiveTricks(tricks, 3, CPU).lazy("discriminator")
    view = DiscriminatorView(Linear(torch.tensor([3.0, 0, 0, 0])))
    real, fake = Samples(torch.rand(5, 1, 2, 2)), Samples(torch.rand(5, 1, 2, 2))
    found = lazy.loss(view, Batch(real=real, fake=fake, state={}, rng=Rng(0)))
    assert lazy.every == 4
    assert found.value.item() == pytest.approx(2 * value)
    assert ActiveTricks(tricks, 3, CPU).lazy("generator") == ()


def test_penalties_look_where_they_say():
    seen = []

    def net(samples: Samples):  # type: ignore[no-untyped-def]
        seen.append(samples.images.detach())
        return Linear(torch.ones(1))(samples)

    real, fake = Samples(torch.zeros(50, 1, 1, 1)), Samples(torch.ones(50, 1, 1, 1))
    batch = Batch(real=real, fake=fake, state={}, rng=Rng(0))
    for kind in ("r1", "r2", "zero_centred"):
        (lazy,) = ActiveTricks(Tricks(gradient_penalty=kind), 3, CPU).lazy("discriminator")
        lazy.loss(net, batch)
    assert (seen[0].max(), seen[1].min()) == (0, 1)
    assert 0 < seen[2].min() < 0.2 < 0.8 < seen[2].max() < 1


def test_feature_matching_by_hand():
    # Means (1, 2) and (4, 6): 9 + 16; times 0.5.
    (lazy,) = ActiveTricks(Tricks(feature_matching=0.5), 3, CPU).lazy("generator")
    real = Samples(torch.tensor([[0.0, 4.0], [2.0, 0.0]]).view(2, 1, 1, 2))
    fake = Samples(torch.tensor([[4.0, 6.0]]).view(1, 1, 1, 2))
    view = DiscriminatorView(Linear(torch.zeros(2)))
    batch = Batch(real=real, fake=fake, state={}, rng=Rng(0))
    assert lazy.loss(None, view, batch).value.item() == 12.5


# ------------------------------------------------------------------------------------ gradients


def test_historical_averaging_by_hand():
    net = Linear(torch.tensor([1.0]))
    applied = ActiveTricks(Tricks(historical_averaging=0.5), 3, CPU)
    found = []
    for value in (1.0, 3.0, 8.0):
        with torch.no_grad():
            net.weights.fill_(value)
        net.weights.grad = torch.zeros(1)
        applied.gradients("generator", net)
        found.append(net.weights.grad.item())
    # 2 x 0.5 x (p - mean of those before): none; 3 - 1; 8 - (1 + 3) / 2.
    assert found == [0, 2, 6]


def test_gradients_are_clipped_to_a_length():
    net = Linear(torch.zeros(2))
    applied = ActiveTricks(Tricks(gradient_clip=1.0), 3, CPU)
    for gradient, after in (([3.0, 4.0], [0.6, 0.8]), ([0.3, 0.4], [0.3, 0.4])):
        net.weights.grad = torch.tensor(gradient)
        applied.gradients("generator", net)
        torch.testing.assert_close(net.weights.grad, torch.tensor(after), atol=1e-5, rtol=0)


# ------------------------------------------------------------------------------------ augmentation


def test_augmentation_keeps_gradients_and_leaves_what_is_not_chosen():
    images = Rng(1).uniform(40, 3, 16, 16).requires_grad_()
    assert torch.equal(augmented(images, Rng(2), 0.0), images)
    found = augmented(images, Rng(2))
    (gradient,) = torch.autograd.grad(found.sum(), images)
    assert gradient.abs().flatten(1).sum(1).min() > 0
    changed = (found != images).flatten(1).any(1)
    assert changed.all()
    some = (augmented(images, Rng(2), 0.2) != images).flatten(1).any(1).float().mean()
    assert 0.1 < some < 0.8  # 1 - 0.8^3 = 0.49


def test_each_change_of_an_image_is_what_it_says():
    from coequal.training import augment

    every = torch.ones(200, dtype=torch.bool)
    images = Rng(1).uniform(200, 3, 16, 16)
    means = (augment._coloured(images, every, Rng(2)) - images).mean((1, 2, 3))
    assert means.abs().max() <= 0.5 + 1e-5  # brightness alone moves the mean
    assert means.std().item() == pytest.approx(1 / 12**0.5, rel=0.2)
    one = torch.zeros(200, 1, 16, 16)
    one[:, :, 8, 8] = 1
    moved = augment._shifted(one, every, Rng(2))
    assert (moved.sum((1, 2, 3)) == 1).all()
    places = moved.flatten(1).argmax(1)
    down, right = places // 16 - 8, places % 16 - 8
    assert (down.abs().max(), right.abs().max()) == (2, 2)  # an eighth of 16
    assert len(torch.unique(down * 100 + right)) == 25
    holes = augment._holed(torch.ones(200, 1, 16, 16), every, Rng(2))
    gone = 256 - holes.sum((1, 2, 3))
    assert gone.max() == 64  # 8 x 8
    assert gone.min() >= 16  # at a corner a quarter of it is inside


def test_ada_follows_the_certainty_of_the_discriminator():
    applied = ActiveTricks(Tricks(augment="ada", ada_target=0.6), 3, CPU)
    sure = DiscriminatorView(Linear(torch.ones(1)))
    real = Samples(torch.ones(10, 1, 1, 1))
    for _ in range(8):
        applied.after_discriminator(sure(real))
    # All signs are 1: twice 4 steps x 10 images / 500,000.
    assert applied.ada_probability == pytest.approx(2 * 4 * 10 / 500_000)
    half = Samples(torch.tensor([1.0, 1, 1, 1, 1, 1, 1, -1, -1, -1]).view(10, 1, 1, 1))
    for _ in range(4):  # r = 0.4
        applied.after_discriminator(sure(half))
    assert applied.ada_probability == pytest.approx(4 * 10 / 500_000)
    for _ in range(80):
        applied.after_discriminator(sure(half))
    assert applied.ada_probability == 0


# ------------------------------------------------------------------------------------ optimisers


@pytest.mark.parametrize(
    "settings",
    [
        {"generator_learning_rate": 1e-2},
        {"discriminator_learning_rate": 1e-2},
        {"learning_rate_decay": "linear"},
        {"learning_rate_decay": "cosine"},
        {"optimiser": "adamw", "weight_decay": 0.1},
        {"optimiser": "rmsprop"},
        {"optimiser": "sgd"},
        {"optimiser": "sgd", "weight_decay": 0.1},
    ],
    ids=str,
)
def test_optimisers_differ_and_resume(settings, tmp_path):
    def start():  # type: ignore[no-untyped-def]
        return trainer(ALL["non_saturating"](), optimisation=replace(Optimisation(), **settings))

    plain, whole, first, second = trainer(ALL["non_saturating"]()), start(), start(), start()
    for one, steps in ((plain, 9), (whole, 9), (first, 4)):
        one.train_until(steps)
    checkpoint.save(first, tmp_path / "c")
    checkpoint.restore(second, tmp_path / "c")
    second.train_until(9)
    left, right, other = everything(whole), everything(second), everything(plain)
    assert all(torch.equal(left[key], right[key]) for key in left)
    nets = [key for key in left if key.startswith("nets/")]
    assert any(not torch.equal(left[key], other[key]) for key in nets)


def test_two_time_scales_move_one_player_each():
    plain = Optimisation(1e-3)
    assert (plain.rate("generator"), plain.rate("discriminator")) == (1e-3, 1e-3)
    two = Optimisation(1e-3, generator_learning_rate=1e-4, discriminator_learning_rate=4e-4)
    assert (two.rate("generator"), two.rate("discriminator")) == (1e-4, 4e-4)


@pytest.mark.parametrize(
    ("rule", "progress", "share"),
    # Cosine at a third: (1 + cos 60 degrees) / 2 = 3/4.
    [("linear", 0.25, 0.75), ("cosine", 1 / 3, 0.75), ("linear", 1.0, 0.0), ("none", 0.9, 1.0)],
)
def test_rates_fall_over_the_budget(rule, progress, share):
    settings = Optimisation(0.5, learning_rate_decay=rule)
    optimiser = optimiser_for(settings, "generator", Linear(torch.zeros(1)))
    decayed(optimiser, settings, "generator", progress)
    assert optimiser.param_groups[0]["lr"] == pytest.approx(0.5 * share)


# ------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("objective", "tricks", "said"),
    [
        ("vae", {"label_smoothing": 0.1}, "needs a discriminator, and this objective has none"),
        ("vae", {"augment": "diffaugment"}, "needs a discriminator"),
        ("began", {"gradient_penalty": "r1"}, "a discriminator with a logit"),
        ("began", {"feature_matching": 1.0}, "a discriminator with a logit"),
        ("began", {"augment": "ada"}, "a discriminator with a logit"),
        ("hinge", {"ada_target": 0.5}, "does nothing without augment: ada"),
        ("hinge", {"instance_noise_steps": 5}, "does nothing without instance_noise"),
    ],
)
def test_tricks_without_a_place_are_refused(objective, tricks, said):
    (found,) = Tricks(**tricks).unmet(ALL[objective]().requirements())
    assert said in found


def test_tricks_with_a_place_are_not():
    assert (
        Tricks(historical_averaging=1.0, gradient_clip=1.0).unmet(ALL["vae"]().requirements()) == []
    )
    noisy = Tricks(instance_noise=0.1, label_smoothing=0.1, augment="diffaugment")
    assert noisy.unmet(ALL["began"]().requirements()) == []


def test_weight_decay_that_does_nothing_is_refused():
    with pytest.raises(ValueError, match="does nothing with adam"):
        Optimisation(weight_decay=0.1)


TINY = {
    "study": "x",
    "data": ["digits"],
    "models": ["ns_gan", "wgan_gp"],
    "search": {"settings": 1},
}


def test_tricks_of_a_study_are_settings_of_all_its_models():
    tricks = {"label_smoothing": 0.1, "spectral_norm": True, "optimiser": "adamw"}
    study = Study.model_validate({**TINY, "tricks": tricks})
    assert problems(study) == []
    for trial in plan(study):
        assert tricks.items() <= trial.settings.items()
    assert "label_smoothing" not in plan(Study.model_validate(TINY))[0].settings


@pytest.mark.parametrize(
    ("tricks", "said"),
    [
        ({"label_smothing": 0.1}, "did you mean 'label_smoothing'"),
        (
            {"label_smoothing": 0.7},
            "of at least 0 and below 0.5, got 0.7",
        ),
        ({"penalty_weight": 3.0}, "wgan_gp has a penalty_weight of its own"),
        ({"gradient_penalty": "r3"}, "must be 'none' or 'wgan_gp'"),
    ],
)
def test_slips_in_tricks_are_said(tricks, said):
    found = problems(Study.model_validate({**TINY, "tricks": tricks}))
    assert any(said in slip.message for slip in found), found


def test_a_model_that_can_t_have_a_trick_is_named():
    study = Study.model_validate({**TINY, "models": ["vae"], "tricks": {"label_smoothing": 0.1}})
    (slip,) = problems(study)
    assert "vae: label_smoothing needs a discriminator" in slip.message
