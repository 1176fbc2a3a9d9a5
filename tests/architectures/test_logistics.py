"""The distributions of PixelCNN++'s pixels: sums, values by hand, and draws that follow them."""

import math

import pytest
import torch
from torch import Tensor

from coequal.architectures._logistics import (
    Mixture,
    draw,
    log_probability,
    mixture,
    on_line,
    size,
)
from coequal.rng import Rng

ALL_LEVELS = torch.arange(256.0)


def random_mixture(channels: int, count: int, spread: float = 1.0) -> Mixture:
    numbers = Rng(1).normal(count, size(channels, 5)) * spread
    return mixture(numbers, channels, 5)


def single(log_scale: float, mean: float = 0.0) -> Mixture:
    """One logistic, one channel, for any number of pixels."""
    return Mixture(
        torch.zeros(1, 1), torch.full((1, 1, 1), mean), torch.full((1, 1, 1), log_scale),
        torch.zeros(1, 0, 1),
    )  # fmt: skip


def of_levels(distribution: Mixture, levels: Tensor) -> Tensor:
    """Probability of each level of a grey pixel."""
    many = Mixture(*(part.expand(len(levels), *part.shape[1:]) for part in distribution))
    return log_probability(many, levels[:, None]).exp()


@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
def test_probabilities_of_all_levels_sum_to_1(spread):
    distribution = random_mixture(1, 20, spread)
    for row in range(20):
        one = Mixture(*(part[row : row + 1] for part in distribution))
        assert of_levels(one, ALL_LEVELS).sum().item() == pytest.approx(1, abs=2e-5)


@pytest.mark.parametrize("channels", [2, 3])
def test_the_last_channel_sums_to_the_law_of_those_before_it(channels):
    # With it, and the sum of one channel above, all colours of a pixel sum to 1.
    whole = random_mixture(3, 1)
    pairs = {1: 0, 2: 1, 3: 3}

    def first(count: int) -> Mixture:
        logits, means, log_scales, slopes = whole
        return Mixture(logits, means[:, :count], log_scales[:, :count], slopes[:, : pairs[count]])

    for before in ([40.0, 200.0], [0.0, 255.0], [128.0, 10.0]):
        known = torch.tensor(before[: channels - 1]).expand(256, -1)
        levels = torch.cat([known, ALL_LEVELS[:, None]], 1)
        distribution = Mixture(*(part.expand(256, *part.shape[1:]) for part in first(channels)))
        total = log_probability(distribution, levels).exp().sum()
        expected = log_probability(first(channels - 1), known[:1]).exp()[0]
        torch.testing.assert_close(total, expected, rtol=1e-4, atol=0)


def test_probabilities_by_hand():
    # Scale 2 / 255 / log 3, mean 0: level 128 reaches from 0 to 2/255, so s(log 3) - s(0) = 1/4;
    # level 129 to twice that: 9/10 - 3/4; level 255 lies beyond 127 log 3: 3^-127 / (1 + 3^-127).
    distribution = single(math.log(2 / 255 / math.log(3)))
    found = of_levels(distribution, torch.tensor([127.0, 128.0, 129.0]))
    torch.testing.assert_close(found, torch.tensor([0.25, 0.25, 0.15]), rtol=1e-4, atol=0)
    edge = log_probability(distribution, torch.tensor([[255.0]]))
    assert edge.item() == pytest.approx(-127 * math.log(3), rel=1e-5)


@pytest.mark.parametrize("log_scale", [-300.0, -7.0, 0.0, 30.0, 120.0])
def test_the_surest_and_the_flattest_law_have_finite_gradients(log_scale):
    numbers = torch.tensor([[0.0, 0.3, log_scale]]).repeat(256, 1).requires_grad_()
    found = log_probability(mixture(numbers, 1, 1), ALL_LEVELS[:, None])
    assert torch.isfinite(found).all()
    found.sum().backward()
    assert torch.isfinite(numbers.grad).all()


def test_draws_follow_the_law():
    distribution = random_mixture(1, 1)
    choices, heights = torch.meshgrid(
        (torch.arange(200) + 0.5) / 200, (torch.arange(2000) + 0.5) / 2000, indexing="ij"
    )
    uniforms = torch.stack([choices.flatten(), heights.flatten()], 1)
    many = Mixture(*(part.expand(len(uniforms), *part.shape[1:]) for part in distribution))
    levels = draw(many, uniforms)[:, 0].long()
    shares = torch.bincount(levels, minlength=256) / len(levels)
    torch.testing.assert_close(shares, of_levels(distribution, ALL_LEVELS), atol=2e-3, rtol=0)


def test_a_colour_is_drawn_given_those_before_it():
    # Sure logistics at the medians: each mean is the level. R = .5; G = .1 + tanh(1) R; B = -.2 +
    # tanh(-2) R + tanh(.5) G, with the rounded R and G.
    means, slopes = [0.5, 0.1, -0.2], [1.0, -2.0, 0.5]
    distribution = mixture(torch.tensor([[0.0, *means, -9.0, -9.0, -9.0, *slopes]]), 3, 1)
    levels = draw(distribution, torch.full((1, 4), 0.5))[0]
    red = on_line(torch.tensor(round((0.5 + 1) * 127.5))).item()
    green = on_line(torch.tensor(round((0.1 + math.tanh(1) * red + 1) * 127.5))).item()
    blue = -0.2 + math.tanh(-2) * red + math.tanh(0.5) * green
    expected = [round((value + 1) * 127.5) for value in (red, green, blue)]
    assert levels.tolist() == expected
    assert (
        log_probability(distribution, levels[None]).item()
        > log_probability(distribution, levels[None] + 1).item()
    )


def test_the_first_uniform_chooses_the_logistic():
    # Shares 1/4 and 3/4, at -1 and 1.
    numbers = torch.tensor([[0.0, math.log(3), -1.0, 1.0, -9.0, -9.0]]).repeat(4, 1)
    uniforms = torch.tensor([[0.0, 0.5], [0.24, 0.5], [0.26, 0.5], [0.999, 0.5]])
    assert draw(mixture(numbers, 1, 2), uniforms)[:, 0].tolist() == [0, 0, 255, 255]


def test_the_ends_of_the_uniforms_are_levels():
    uniforms = torch.tensor([[0.5, 0.0], [0.5, 1 - 2**-24]])
    distribution = Mixture(*(part.expand(2, *part.shape[1:]) for part in single(-1.0)))
    assert draw(distribution, uniforms)[:, 0].tolist() == [0, 255]
