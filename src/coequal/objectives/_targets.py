"""The target of real images, where a loss has one, and its one-sided smoothing: Salimans et al.
2016, arXiv:1606.03498, section 3.4."""

from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import softplus

Smoothing = Annotated[float, Field(ge=0, lt=0.5)]
"""s. From a half on, real images would count as generated ones."""


def loss_on_real(logits: Float[Tensor, " n"], smoothing: float) -> Float[Tensor, ""]:
    """Cross-entropy of real images with the target 1 - s, mean over images, in nats.

    -(1 - s) log D - s log(1 - D) = softplus(-l) + s l, for D = sigmoid(l). Least, and then the
    entropy of s, where D = 1 - s.
    """
    loss: Tensor = softplus(-logits)
    if smoothing:  # without it no bit is another
        loss = loss + smoothing * logits
    return loss.mean()
