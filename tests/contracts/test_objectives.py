"""What every objective must keep, over everything that `lookup` finds, and over objectives of
others."""

import pickle
from dataclasses import FrozenInstanceError, fields, replace

import pytest
import torch

from coequal.contract import Adversarial, Batch, Likelihood, Objective, RealBatch, Samples
from coequal.rng import Rng
from coequal.training import checkpoint
from coequal.training.flops import CountFlops
from coequal.training.loop import DiscriminatorView, Trainer

from toys import ALL, AcGan, ConditionalNets, LazyR1, trainer

SYSTEMS = [*ALL, "lazy_r1", "ac_gan"]


def system(name: str, **options) -> Trainer:  # type: ignore[no-untyped-def]
    if name == "lazy_r1":
        return trainer(LazyR1(), **options)
    if name == "ac_gan":
        return trainer(AcGan(), architecture=ConditionalNets(willing=True), **options)
    return trainer(ALL[name](), **options)


def everything(one: Trainer) -> dict[str, torch.Tensor]:
    return checkpoint._tensors(one)


def assert_same(one: Trainer, two: Trainer) -> None:
    left, right = everything(one), everything(two)
    assert left.keys() == right.keys()
    for key in left:
        assert torch.equal(left[key], right[key]), key
    assert replace(one.spent, seconds=0) == replace(two.spent, seconds=0)


@pytest.mark.parametrize("ratio", [1, 3])
@pytest.mark.parametrize("name", SYSTEMS)
def test_resumed_equals_uninterrupted_bit_for_bit(name, ratio, tmp_path):
    whole = system(name, ratio=ratio)
    whole.train_until(20)
    first = system(name, ratio=ratio)
    first.train_until(7)
    checkpoint.save(first, tmp_path / "checkpoint")
    second = system(name, ratio=ratio)
    checkpoint.restore(second, tmp_path / "checkpoint")
    second.train_until(20)
    assert_same(whole, second)


@pytest.mark.parametrize("name", SYSTEMS)
def test_seed_decides_everything(name):
    one, same, other = system(name), system(name), system(name, seed=8)
    for each in (one, same, other):
        each.train_until(3)
    assert_same(one, same)
    weights = [next(iter(each.generator.parameters())) for each in (one, other)]
    assert not torch.equal(*weights)


@pytest.mark.parametrize("name", SYSTEMS)
def test_nothing_draws_from_the_global_generator(name):
    before = torch.get_rng_state()
    system(name).train_until(4)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_move_touches_one_player_only(name):
    one = system(name)
    one.train_until(2)
    if one.discriminator is None:
        return
    for player, other in (("discriminator", one.generator), ("generator", one.discriminator)):
        one.discriminator.requires_grad_(player == "discriminator")
        before = {key: value.clone() for key, value in other.named_parameters()}
        gradients = [parameter.grad for parameter in other.parameters()]
        own = [value.clone() for value in one.nets()[player].parameters()]
        one._move(player)
        assert all(torch.equal(before[key], value) for key, value in other.named_parameters())
        assert all(
            a is b for a, b in zip(gradients, (p.grad for p in other.parameters()), strict=True)
        )
        assert any(
            not torch.equal(a, b) for a, b in zip(own, one.nets()[player].parameters(), strict=True)
        )


def losses(one: Trainer, real: Samples, fake: Samples):  # type: ignore[no-untyped-def]
    """(loss of D, loss of G) of the trainer's nets, with a stream of its own."""
    objective, rng = one.objective, Rng(3)
    if isinstance(objective, Likelihood):
        batch = RealBatch(real=real, state=one.state, rng=rng)
        return None, objective.generator_loss(one.generator, batch)
    assert isinstance(objective, Adversarial)
    view = DiscriminatorView(one.discriminator)
    batch = Batch(real=real, fake=fake, state=one.state, rng=rng)
    of_d = objective.discriminator_loss(view, batch)
    view = DiscriminatorView(one.discriminator)
    return of_d, objective.generator_loss(one.generator, view, batch)


def batch(one: Trainer, seed: int) -> Samples:
    rng = Rng(seed)
    return Samples(rng.uniform(8, 1, 8, 8), torch.arange(8) % 2)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_loss_is_a_finite_scalar_and_writes_nothing(name):
    one = system(name, batch_norm=False)
    versions = [p._version for net in one.nets().values() for p in net.parameters()]
    modes = [module.training for net in one.nets().values() for module in net.modules()]
    found = losses(one, batch(one, 1), batch(one, 2))
    for loss in filter(None, found):
        assert loss.value.ndim == 0
        assert torch.isfinite(loss.value)
        assert loss.value.requires_grad
        assert loss.state.keys() == one.state.keys()
        assert all(part.ndim == 0 for part in loss.parts.values())
    assert versions == [p._version for net in one.nets().values() for p in net.parameters()]
    assert modes == [m.training for net in one.nets().values() for m in net.modules()]
    assert all(p.grad is None for net in one.nets().values() for p in net.parameters())


@pytest.mark.parametrize("name", SYSTEMS)
def test_real_and_fake_are_not_interchangeable(name):
    one = system(name, batch_norm=False)
    one.train_until(3)  # after it, outputs are no longer all equal, and BEGAN's k has left 0
    real, fake = batch(one, 1), batch(one, 2)
    of_d, _ = losses(one, real, fake)
    if of_d is None:
        return
    swapped, _ = losses(one, fake, real)
    assert of_d.value.item() != swapped.value.item()


@pytest.mark.parametrize("name", sorted(set(SYSTEMS) - {"vae", "wgan_gp", "dragan"}))
def test_order_within_a_batch_does_not_matter(name):
    # vae, wgan_gp and dragan draw per image, so that another order meets other draws.
    one = system(name, batch_norm=False)
    real, fake = batch(one, 1), batch(one, 2)
    turned = [Samples(s.images.flip(0), s.labels.flip(0)) for s in (real, fake)]
    for loss, other in zip(losses(one, real, fake), losses(one, *turned), strict=True):
        if loss is None or other is None:  # of a discriminator that there is not
            continue
        assert loss.value.item() == pytest.approx(other.value.item(), rel=1e-5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_flops_by_kind_of_move_add_up_to_a_full_count(name):
    one = system(name, ratio=2)
    with CountFlops() as counter:
        one.train_until(12)
    assert one.spent.flops == counter.total > 0


@pytest.mark.parametrize("name", ALL)
def test_settings_are_frozen_plain_and_picklable(name):
    objective = ALL[name]()
    assert pickle.loads(pickle.dumps(objective)) == objective
    for field in fields(objective):
        with pytest.raises(FrozenInstanceError):
            setattr(objective, field.name, 0)


@pytest.mark.parametrize("name", ALL)
def test_every_setting_changes_something(name):
    for field in fields(ALL[name]):
        value = getattr(ALL[name](), field.name)
        # A margin counts only for images beyond it, which six steps don't bring beyond a half.
        special = {"penalised": "probability", "noise": "normal", "margin": 1e-4}
        special |= {"one_sided_smoothing": 0.1}  # 0 is off
        changed = special.get(field.name) or value / 2
        one, other = trainer(ALL[name]()), trainer(ALL[name](**{field.name: changed}))
        for each in (one, other):
            each.train_until(6)
        same = [
            torch.equal(a, b)
            for net, twin in zip(one.nets().values(), other.nets().values(), strict=True)
            for a, b in zip(net.parameters(), twin.parameters(), strict=True)
        ]
        assert not all(same), field.name


def test_every_two_objectives_differ():
    seen = {}
    for name in ALL:
        one = trainer(ALL[name]())
        one.train_until(3)
        seen[name] = torch.cat([p.flatten() for p in one.generator.parameters()])
    for a in seen:
        for b in seen:
            if a < b and seen[a].shape == seen[b].shape:
                assert not torch.equal(seen[a], seen[b]), (a, b)


@pytest.mark.parametrize("name", ALL)
def test_is_documented(name):
    kind: type[Objective] = ALL[name]
    assert "arXiv" in __import__(kind.__module__, fromlist=["x"]).__doc__
    assert kind.__doc__
