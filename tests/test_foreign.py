"""The device that stands in for a GPU computes, and refuses what a GPU refuses."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from foreign import ForeignDevice, ForeignTensor, Waiting, values_of


@pytest.fixture
def foreign():
    with ForeignDevice() as device:
        yield device


def test_it_gives_the_values_of_the_cpu(foreign):
    def computed(device):
        stream = torch.Generator(device=device).manual_seed(3)
        rows = torch.randn(5, 4, generator=stream, device=device)
        first = rows[:, :2]
        first.mul_(2)  # a view: rows change too
        rows[torch.arange(2, device=device)] += 1
        return torch.cat([rows, rows.new_ones(1, 4), torch.zeros_like(rows)]).softmax(1)

    ours = computed(foreign.device)
    assert type(ours) is ForeignTensor
    assert ours.device == foreign.device
    assert torch.equal(values_of(ours), computed("cpu"))
    assert foreign.waits == 0


def test_views_can_be_made_in_inference_mode(foreign):
    rows = torch.arange(6.0, device=foreign.device)
    with torch.inference_mode():
        first, second = rows.view(2, 3)
    assert torch.equal(values_of(first - second), torch.full((3,), -3.0))


def test_tensors_of_given_numbers_have_values(foreign):
    one = torch.ones((), device=foreign.device)
    for made in (
        torch.tensor([2.0, 3.0], device=foreign.device),
        torch.as_tensor([2.0, 3.0], device=foreign.device),
        one.new_tensor([2.0, 3.0]),
        torch.from_numpy(np.array([2.0, 3.0], dtype=np.float32)).to(foreign.device),
    ):
        assert type(made) is ForeignTensor
        assert values_of(made).tolist() == [2.0, 3.0]
    assert one.new_tensor([2.0], device="cpu").device.type == "cpu"
    assert foreign.waits == 0


def test_a_tensor_of_the_cpu_does_not_mix(foreign):
    here, there = torch.ones(3), torch.ones(3, device=foreign.device)
    for mixed in (
        lambda: here + there,
        lambda: torch.cat([there, here]),
        lambda: there.add_(here),
        lambda: nn.Linear(3, 2)(there),
    ):
        with pytest.raises(RuntimeError, match="two devices"):
            mixed()
    assert torch.equal(values_of(there + torch.tensor(2.0)), torch.full((3,), 3.0))
    assert torch.equal(values_of(here.to(foreign.device) + there), torch.full((3,), 2.0))


READS = {
    "cpu": lambda tensor: tensor.cpu(),
    "to": lambda tensor: tensor.to("cpu"),
    "item": lambda tensor: tensor[0].item(),
    "float": lambda tensor: float(tensor[0]),
    "bool": lambda tensor: bool((tensor > 0).all()),
    "int": lambda tensor: int(tensor.argmax()),
    "tolist": lambda tensor: tensor.tolist(),
    "equal": lambda tensor: torch.equal(tensor, tensor),
    "mask": lambda tensor: tensor[tensor > 0],
    "nonzero": lambda tensor: tensor.nonzero(),
    "copy_": lambda tensor: torch.zeros(2).copy_(tensor),
    "unique": lambda tensor: tensor.unique(),
}


@pytest.mark.parametrize("read", READS)
def test_what_makes_the_cpu_wait_is_counted_and_can_be_forbidden(foreign, read):
    tensor = torch.tensor([2.0, 3.0]).to(foreign.device)
    assert foreign.waits == 0
    found = READS[read](tensor)
    assert foreign.waits == 1
    expected = READS[read](torch.tensor([2.0, 3.0]))
    if isinstance(found, torch.Tensor):
        assert torch.equal(values_of(found), expected)
    else:
        assert found == expected
    with pytest.raises(Waiting), foreign.no_waiting():
        READS[read](tensor)
    READS[read](tensor)


def test_a_net_trains_on_it_as_on_the_cpu(foreign):
    def trained(device):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            layers = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()
            net = nn.Sequential(*layers, nn.Linear(144, 1)).to(device)
        mean = deepcopy(net)
        optimiser = torch.optim.Adam(net.parameters(), lr=0.1)
        images = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(2)).to(device)
        images.requires_grad_()
        for _ in range(3):
            loss = net(images).square().mean()
            # A gradient's norm has a gradient: what WGAN-GP needs.
            (slope,) = torch.autograd.grad(loss, images, create_graph=True)
            optimiser.zero_grad()
            (loss + slope.flatten(1).norm(dim=1).mean()).backward()
            optimiser.step()
        mean.load_state_dict(net.state_dict())
        return mean

    with foreign.no_waiting():
        ours = trained(foreign.device).state_dict()
    theirs = trained("cpu").state_dict()
    assert all(torch.equal(values_of(ours[name]), theirs[name]) for name in theirs)
    assert all(type(value) is ForeignTensor for value in ours.values())
