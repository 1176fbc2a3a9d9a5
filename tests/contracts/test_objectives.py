"""What every objective must keep, over everything that `lookup` finds, and over objectives of
others."""

from dataclasses import replace

import pytest
import torch

from coequal.testing import check_objective
from coequal.training import checkpoint

from toys import ALL, AcGan, LazyR1, nets_for, trainer

OBJECTIVES = [*(kind() for kind in ALL.values()), LazyR1(), AcGan()]
over_all = pytest.mark.parametrize(
    "objective", OBJECTIVES, ids=lambda one: f"{type(one).__module__}.{type(one).__name__}"
)


@over_all
def test_an_objective_keeps_the_contract(objective):
    check_objective(objective, architecture=nets_for(objective))


@over_all
def test_seed_decides_everything(objective):
    one, same, other = trainer(objective), trainer(objective), trainer(objective, seed=8)
    for each in (one, same, other):
        each.train_until(3)
    left, right = checkpoint.tensors(one), checkpoint.tensors(same)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[key], right[key]) for key in left)
    assert replace(one.spent, seconds=0) == replace(same.spent, seconds=0)
    weights = [next(iter(each.generator.parameters())) for each in (one, other)]
    assert not torch.equal(*weights)


@over_all
def test_a_move_touches_one_player_only(objective):
    one = trainer(objective)
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
