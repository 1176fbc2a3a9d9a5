"""Remedies that are layers: dropout, and what a discriminator may see of a whole batch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from coequal.architectures._labels import Labelled
from coequal.architectures._layers import Reshape
from coequal.contract import StochasticLayer

ACTIVATIONS = (nn.ReLU, nn.LeakyReLU)


class StreamDropout(StochasticLayer):
    """Dropout (Srivastava et al. 2014) of a discriminator, whose draws are the loop's.

    Of maps whole channels are dropped, of vectors single numbers.
    """

    def __init__(self, fraction: float) -> None:
        super().__init__()
        self.fraction = fraction

    def forward(self, values: Tensor) -> Tensor:
        """In training a fraction of the channels is 0 and the rest is larger by as much."""
        if not self.training:
            return values
        drawn = self.stream.uniform(*values.shape[:2])
        return _masked(values, drawn, self.fraction)


class MaskedDropout(nn.Module):
    """Dropout of a generator, in training and after it: its mask comes from the latents.

    All randomness of an image is in its latents, so that the same latents give the same image.
    """

    def __init__(self, fraction: float, channels: int) -> None:
        super().__init__()
        self.fraction, self.channels = fraction, channels
        self.drawn: Float[Tensor, "n channels"] | None = None  # uniform on (0, 1)

    def forward(self, values: Tensor) -> Tensor:
        """A fraction of the channels is 0 and the rest is larger by as much."""
        return values if self.drawn is None else _masked(values, self.drawn, self.fraction)


def _masked(values: Tensor, drawn: Tensor, fraction: float) -> Tensor:
    kept = (drawn >= fraction).to(values.dtype) / (1 - fraction)
    return values * kept.view(*kept.shape, *(1,) * (values.dim() - 2))


def with_dropout(net: Labelled, fraction: float) -> Labelled:
    """A discriminator's layers with dropout after every activation that stands among them."""
    if not fraction:
        return net
    layers: list[nn.Module] = []
    for layer in net:
        layers += [layer, StreamDropout(fraction)] if isinstance(layer, ACTIVATIONS) else [layer]
    return Labelled(*layers)


def with_masks(net: Labelled, fraction: float) -> Labelled:
    """A generator's layers with masks after every activation that stands among them."""
    if not fraction:
        return net
    layers: list[nn.Module] = []
    channels = 0
    for layer in net:
        channels = _channels_after(layer, channels)
        layers.append(layer)
        if isinstance(layer, ACTIVATIONS):
            layers.append(MaskedDropout(fraction, channels))
    return Labelled(*layers)


def _channels_after(layer: nn.Module, before: int) -> int:
    """How many channels a layer gives; those that it is given, unless it says otherwise."""
    if isinstance(layer, Reshape):
        return layer.shape[0]
    for name in ("out_channels", "out_features", "channels_out"):
        if isinstance(found := getattr(layer, name, None), int):
            return found
    return before


class VirtualNorm(nn.Module):
    """Virtual BatchNorm: Salimans et al. 2016, arXiv:1606.03498, section 3.5.

    The first `rows` of a batch are the reference batch, normalised by its own statistics; every
    other row by those of the reference batch and of itself, so that images of a batch don't depend
    on each other. The same in training and after it.
    """

    rows = 64

    def __init__(self, features: int, eps: float, *, affine: bool = True) -> None:
        super().__init__()
        self.num_features, self.eps = features, eps
        self.weight = nn.Parameter(torch.ones(features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(features)) if affine else None

    def forward(self, values: Tensor) -> Tensor:
        """(n, c, ...) to the same shape."""
        places = tuple(range(2, values.dim()))
        means, squares = values, values.square()
        if places:
            means, squares = means.mean(places), squares.mean(places)
        mean, square = means[: self.rows].mean(0), squares[: self.rows].mean(0)
        weight = 1 / (self.rows + 1)  # of a row in its own statistics
        own_mean = torch.lerp(mean.expand_as(means), means, weight)
        own_square = torch.lerp(square.expand_as(squares), squares, weight)
        is_reference = torch.arange(len(values), device=values.device)[:, None] < self.rows
        centre = torch.where(is_reference, mean, own_mean)
        variance = torch.where(is_reference, square, own_square) - centre.square()
        scale = (variance.clamp(min=0) + self.eps).rsqrt()
        form = (len(values), -1) + (1,) * len(places)
        found = (values - centre.view(form)) * scale.view(form)
        if self.weight is None or self.bias is None:
            return found
        form = (1, -1) + (1,) * len(places)
        return found * self.weight.view(form) + self.bias.view(form)


class BatchDeviation(nn.Module):
    """Minibatch standard deviation: Karras et al. 2018, arXiv:1710.10196, section 3, at the
    features: the mean over features of their deviation over the batch, the same for all images."""

    extra = 1

    def __init__(self, features: int) -> None:
        super().__init__()

    def forward(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        """(n, d + 1)."""
        deviation = (features.var(0, correction=0) + 1e-8).sqrt().mean()
        return torch.cat([features, deviation.expand(len(features), 1)], 1)


class BatchDiscrimination(nn.Module):
    """Minibatch discrimination: Salimans et al. 2016, arXiv:1606.03498, section 3.2.

    M = f T with 16 rows of 8 numbers an image; o_b of an image is the sum over the other images of
    exp(-|M_b - M'_b|_1). (The paper has 100 rows of 50, for more features.)
    """

    extra = 16
    numbers = 8

    def __init__(self, features: int) -> None:
        super().__init__()
        self.project = nn.Linear(features, self.extra * self.numbers, bias=False)

    def forward(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        """(n, d + 16)."""
        rows = self.project(features).view(-1, self.extra, self.numbers)
        apart = (rows[:, None] - rows[None]).abs().sum(3)
        near = (-apart).exp().sum(1) - 1  # of which one is the image itself
        return torch.cat([features, near], 1)


MINIBATCH: dict[str, type[BatchDeviation] | type[BatchDiscrimination]] = {
    "stddev": BatchDeviation,
    "discrimination": BatchDiscrimination,
}
