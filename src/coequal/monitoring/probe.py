"""How the monitor looks: at nets as in training, left as they were, and at what they say."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from coequal.contract import DiscriminatorOutput, Logits, Reconstruction, StochasticLayer


@contextmanager
def as_in_training(net: nn.Module) -> Iterator[None]:
    """Inside, a net works as in training but draws nothing, and every buffer (BatchNorm's averages,
    the vectors of spectral norm) is put back after it."""
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    modes = {name: module.training for name, module in net.named_modules()}
    net.train()
    for module in net.modules():
        if isinstance(module, StochasticLayer):
            module.training = False
    try:
        yield
    finally:
        for name, buffer in net.named_buffers():
            buffer.copy_(before[name])
        for name, module in net.named_modules():
            module.training = modes[name]


def has_averages(net: nn.Module) -> bool:
    """Whether a net keeps moving averages of its batches."""
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in net.modules())


def effective(counts: Float[Tensor, " classes"]) -> Tensor:
    """The effective number of classes: exp of the entropy of their shares."""
    shares = counts / counts.sum()
    entropy: Tensor = torch.special.entr(shares).sum()
    return entropy.exp()


def auc(higher: Float[Tensor, " n"], lower: Float[Tensor, " m"]) -> Tensor:
    """The share of pairs in which the first is above the second, ties as a half."""
    apart = higher[:, None] - lower[None]
    return (apart.sign() + 1).mean() / 2


def scores(output: DiscriminatorOutput) -> Float[Tensor, " n"] | None:
    """One number an image, higher for what it knows: the logit, or minus the error of an
    autoencoder; None of any other kind."""
    if isinstance(output, Logits):
        return output.logits.float()
    if not isinstance(output, Reconstruction):
        return None
    return -(output.shown - output.images).float().flatten(1).abs().mean(1)
