"""Layers that halve and double are the same maps as torch's own, to gradients of second order."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from coequal.architectures import _strided
from coequal.architectures._layers import Downsample, Upsample
from coequal.training.flops import CountFlops

# (k, c): maps of k channels, images of c. One channel: a matrix product and `fold`; up to 4, or
# up to 16 to whatever: blocks of pixels; else torch's kernel.
CHANNELS = [(6, 1), (20, 1), (20, 3), (16, 7), (17, 5)]


def gradients(forward: Callable[[Tensor], Tensor], layer: nn.Module, given: Tensor) -> list[Tensor]:
    """Output, gradients of a function of it by input and parameters, and gradients of those."""
    leaf = given.clone().requires_grad_()
    out = forward(leaf)
    inputs: list[Any] = [leaf, *layer.parameters()]
    first = torch.autograd.grad(out.tanh().square().sum(), inputs, create_graph=True)
    second = torch.autograd.grad(sum(part.square().sum() for part in first), inputs)
    return [out, *first, *second]


@pytest.mark.parametrize("capability", ["AVX2", "AVX512"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("wide", "channels"), CHANNELS)
@pytest.mark.parametrize("kind", [Upsample, Downsample])
def test_the_maps_are_those_of_torch(kind, wide, channels, bias, capability, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    torch.manual_seed(0)
    up = kind is Upsample
    layer = kind(*((wide, channels) if up else (channels, wide)), bias=bias).double()
    shape = (3, wide, 3, 2) if up else (3, channels, 6, 4)
    given = torch.randn(*shape, dtype=torch.float64)
    torchs = (nn.ConvTranspose2d if up else nn.Conv2d).forward
    ours = gradients(layer, layer, given)
    theirs = gradients(lambda leaf: torchs(layer, leaf), layer, given)
    assert len(ours) == 1 + 2 * (3 if bias else 2)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def kernels_of(action: Callable[[], Any]) -> set[str]:
    with torch.profiler.profile() as found:
        action()
    return {event.key for event in found.key_averages()}


def test_which_kernel_is_chosen_by_channels_and_instructions(monkeypatch):
    def doubling(wide: int, channels: int) -> set[str]:
        return kernels_of(lambda: Upsample(wide, channels)(torch.zeros(2, wide, 3, 3)))

    assert "aten::col2im" in doubling(20, 1)
    assert "aten::conv_transpose2d" not in doubling(20, 1) | doubling(20, 4) | doubling(16, 5)
    assert "aten::conv_transpose2d" in doubling(17, 5)

    def learning(capability: str, channels: int) -> set[str]:
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
        layer = Downsample(channels, 8)
        return kernels_of(lambda: layer(torch.zeros(2, channels, 6, 6)).sum().backward())

    assert "aten::convolution_backward" not in learning("AVX2", 1)
    assert "aten::convolution_backward" in learning("AVX2", 2)
    assert "aten::convolution_backward" in learning("AVX512", 1)


def test_torchs_own_layers_are_used_elsewhere():
    values = torch.zeros(1)
    assert _strided.applies_to(values)
    assert not _strided.applies_to(values.to("meta"))
    with torch.autocast("cpu", torch.bfloat16):
        assert not _strided.applies_to(values)


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_a_trace_of_a_net_can_be_saved(tmp_path):
    net, images = Downsample(3, 5).eval(), torch.rand(2, 3, 4, 4)
    torch.jit.trace(net, images).save(tmp_path / "net.pt")  # type: ignore[no-untyped-call]
    loaded = torch.jit.load(tmp_path / "net.pt")  # type: ignore[no-untyped-call]
    torch.testing.assert_close(loaded(images), net(images))


def test_a_shell_can_ask_for_torchs_own_layers(monkeypatch):
    values = torch.zeros(1)
    monkeypatch.setenv("COEQUAL_KERNELS", "torch")
    assert not _strided.applies_to(values)
    layer = Upsample(20, 3)
    assert "aten::conv_transpose2d" in kernels_of(lambda: layer(torch.zeros(2, 20, 3, 3)))


@pytest.mark.parametrize("kind", [Upsample, Downsample])
def test_flops_are_those_of_the_convolution(kind):
    # 2 x 5 x 3 numbers of the map, each with 2 x 16 x 3 operations per image; the backward pass has
    # two products of that size.
    layer = kind(*((5, 3) if kind is Upsample else (3, 5)))
    small, large = torch.zeros(2, 5, 1, 3), torch.zeros(2, 3, 2, 6)
    given = (small if kind is Upsample else large).requires_grad_()
    with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
        layer(given).sum().backward()
    assert counter.get_total_flops() == 3 * 2 * (5 * 3) * (2 * 16 * 3)


def test_a_gradient_penalty_computes_no_gradient_of_weights_that_it_does_not_ask_for():
    # Forward, and the gradient by the images: one product each of 2 x (5 x 3) x (2 x 16 x 3) FLOPs.
    for kind, shape in ((Upsample, (2, 5, 1, 3)), (Downsample, (2, 3, 2, 6))):
        layer = kind(*((5, 3) if kind is Upsample else (3, 5)))
        given = torch.zeros(shape, requires_grad=True)
        with CountFlops() as counter:
            torch.autograd.grad(layer(given).sum(), given, create_graph=True)
        assert counter.total == 2 * 2 * (5 * 3) * (2 * 16 * 3)


def test_a_gradient_that_nobody_needs_is_not_computed():
    layer = Downsample(3, 8)
    layer.requires_grad_(False)
    images = torch.zeros(2, 3, 4, 4, requires_grad=True)
    names = kernels_of(lambda: layer(images).sum().backward())
    assert "aten::convolution_backward" not in names  # blocks of pixels give the images' gradient
    assert images.grad is not None
