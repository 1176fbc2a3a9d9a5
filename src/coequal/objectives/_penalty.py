"""The gradient penalty that several objectives share."""

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.contract import Batch, Discriminate, Logits, discriminate_with_gradient


def gradient_penalty(discriminate: Discriminate[Logits], batch: Batch) -> Float[Tensor, ""]:
    """E (|grad l(v)| - 1)^2 at v = x + a (g - x), a ~ U(0, 1) per image, with the labels of x:
    Gulrajani et al. 2017, arXiv:1704.00028, eq. 3."""
    real, fake = batch.real, batch.fake
    mix = batch.rng.uniform(len(real.images), 1, 1, 1)
    between = real.at(torch.lerp(real.images, fake.images, mix))
    _, gradient = discriminate_with_gradient(discriminate, between, of=lambda output: output.logits)
    penalty: Tensor = (gradient.norm(dim=1) - 1).square().mean()
    return penalty
