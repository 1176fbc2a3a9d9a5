"""Mixtures of discretised logistics: Salimans et al. 2017, arXiv:1701.05517, 2.1 and 2.2."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

LEVELS = 256
HALF = 1 / (LEVELS - 1)  # of a level's width, on the scale of [-1, 1]
LEAST_LOG_SCALE = -7.0


class Mixture(NamedTuple):
    """The distribution of a pixel, on [-1, 1]; any further axes (height, width) come last."""

    logits: Float[Tensor, "n mixtures ..."]
    means: Float[Tensor, "n channels mixtures ..."]
    log_scales: Float[Tensor, "n channels mixtures ..."]  # at least -7
    slopes: Float[Tensor, "n pairs mixtures ..."]  # of G by R, B by R, B by G, in (-1, 1)


def size(channels: int, mixtures: int) -> int:
    """How many numbers describe the distribution of a pixel."""
    return mixtures * (1 + 2 * channels + channels * (channels - 1) // 2)


def mixture(numbers: Float[Tensor, "n size ..."], channels: int, mixtures: int) -> Mixture:
    """What a net's output says, one row an image."""
    pairs = channels * (channels - 1) // 2
    parts = numbers.unflatten(1, (-1, mixtures)).split([1, channels, channels, pairs], 1)
    logits, means, log_scales, slopes = parts
    return Mixture(logits[:, 0], means, log_scales.clamp(min=LEAST_LOG_SCALE), slopes.tanh())


def on_line(levels: Tensor) -> Tensor:
    """Levels 0 .. 255 as numbers in [-1, 1], which the distributions are of."""
    return 2 * HALF * levels - 1


def log_probability(
    distribution: Mixture, levels: Float[Tensor, "n channels ..."]
) -> Float[Tensor, "n ..."]:
    """Natural logarithm of the probability of each pixel, all its channels together.

    Exact, with no approximation for narrow logistics: s(a) - s(b) = s(a) s(-b) (1 - e^(b - a)),
    s being the logistic function, and a - b is the same at every level.

    Args:
        distribution: of the pixels.
        levels: whole numbers 0 .. 255.
    """
    values = on_line(levels)[:, :, None]
    known = [_shifted(distribution, channel, values) for channel in range(levels.shape[1])]
    distance = values - torch.stack(known, 1)
    inverse = torch.exp(-distribution.log_scales)
    upper, lower = inverse * (distance + HALF), inverse * (distance - HALF)
    # 1 - e^-w is taken by expm1; w is positive, and the floor keeps its logarithm finite.
    inner = torch.log(-torch.expm1(-2 * HALF * inverse).clamp(max=-1e-38))
    below, above = logsigmoid(upper), logsigmoid(-lower)
    first, last = (levels == 0)[:, :, None], (levels == LEVELS - 1)[:, :, None]
    found = torch.where(first, below, torch.where(last, above, below + above + inner))
    return torch.logsumexp(found.sum(1) + distribution.logits.log_softmax(1), 1)


def draw(
    distribution: Mixture, uniforms: Float[Tensor, "n 1+channels ..."]
) -> Float[Tensor, "n channels ..."]:
    """Levels 0 .. 255 of a pixel, as floats: the quantiles of uniform numbers in [0, 1).

    The first number chooses the logistic, by the inverse of the distribution function; the others
    are one a channel. Rounding to the nearest level gives it the probability above.
    """
    cumulative = distribution.logits.softmax(1).cumsum(1)
    last = distribution.logits.shape[1] - 1
    chosen = (cumulative <= uniforms[:, :1]).sum(1, keepdim=True).clamp(max=last)
    one = Mixture(distribution.logits, *(_taken(part, chosen) for part in distribution[1:]))
    quantiles = torch.logit(uniforms[:, 1:])  # at 0 minus infinity, which is level 0
    noise = (one.log_scales[:, :, 0].exp() * quantiles).unbind(1)
    levels: list[Tensor] = []
    values: list[Tensor] = []
    for channel, deviation in enumerate(noise):
        earlier = torch.stack(values, 1)[:, :, None] if values else deviation[:, None, None]
        value = _shifted(one, channel, earlier)[:, 0] + deviation
        levels.append(((value + 1) / (2 * HALF)).round().clamp(0, LEVELS - 1))
        values.append(on_line(levels[-1]))
    return torch.stack(levels, 1)


def _shifted(distribution: Mixture, channel: int, values: Tensor) -> Tensor:
    """Means of a channel given the values of those before it: (n, mixtures, ...)."""
    mean = distribution.means[:, channel]
    before = channel * (channel - 1) // 2
    for other in range(channel):
        mean = mean + distribution.slopes[:, before + other] * values[:, other]
    return mean


def _taken(part: Tensor, chosen: Tensor) -> Tensor:
    """Of every channel the numbers of one logistic: (n, channels, 1, ...)."""
    wanted = chosen[:, None].expand(-1, part.shape[1], *chosen.shape[1:])
    return part.gather(2, wanted)
