"""What a probe needs of the nets: to run them as in training without a trace, and to read their
outputs."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from coequal.contract import DiscriminatorOutput, Logits, Reconstruction, StochasticLayer


@contextmanager
def as_in_training(net: nn.Module) -> Iterator[None]:
    """Run a net as in training, without random draws and without a trace.

    Stochastic layers are off inside. Every buffer (BatchNorm's averages, the vectors of spectral
    norm) and every module's mode is put back afterwards.
    """
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
    """Whether a net keeps moving averages of the statistics of its batches."""
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in net.modules())


def effective_classes(counts: Float[Tensor, " classes"]) -> Tensor:
    """The effective number of classes: exp of the entropy of their fractions.

    Args:
        counts: images of each class; at least one image in all.
    """
    fractions = counts / counts.sum()
    entropy: Tensor = torch.special.entr(fractions).sum()
    return entropy.exp()


def auc(higher: Float[Tensor, " n"], lower: Float[Tensor, " m"]) -> Tensor:
    """The fraction of pairs in which the first is above the second; a tie counts as a half.

    Args:
        higher: scores of the side that is expected to be higher.
        lower: scores of the other side.

    Returns:
        The fraction, in [0, 1]; 0.5 means that the two sides are not told apart.
    """
    differences = higher[:, None] - lower[None]
    return (differences.sign() + 1).mean() / 2


def realness(output: DiscriminatorOutput) -> Float[Tensor, " n"] | None:
    """One number per image, higher for what the discriminator holds for real.

    Returns:
        The logit, or minus the mean absolute error of an autoencoder; None of any other output.
    """
    if isinstance(output, Logits):
        return output.logits.float()
    if not isinstance(output, Reconstruction):
        return None
    return -(output.shown - output.images).float().flatten(1).abs().mean(1)
