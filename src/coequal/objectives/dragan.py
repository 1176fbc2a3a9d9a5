"""DRAGAN: Kodali et al. 2017, arXiv:1705.07215, eq. 1: a gradient penalty around the real
images."""

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import NonNegativeFloat
from torch import Tensor
from torch.nn.functional import softplus

from coequal.contract import (
    Adversarial,
    Batch,
    Discriminate,
    Generator,
    Logits,
    Loss,
    Requirements,
    discriminate_with_gradient,
)
from coequal.objectives._targets import Smoothing, loss_on_real
from coequal.rng import Rng

PART = "Dragan"


@dataclass(frozen=True)
class Dragan(Adversarial[Generator, Logits]):
    """The non-saturating game plus w E (|grad D(v)| - 1)^2 at points v near real images x.

    With `noise="uniform"`, as in the authors' code: v = x + a d, a ~ U(0, 1) per image,
    d = 0.5 sd U(0, 1) per value, sd the standard deviation of the whole batch. With
    `noise="normal"`, nearer to the paper's table: v = x + 0.5 sd N(0, 1). Points may leave [0, 1] a
    little, in both.

    Attributes:
        penalty_weight: w, the weight of the penalty (lambda in the paper).
        penalised: whose gradient: the "logit" (default), or the "probability" as in the code of
            Lucic et al. 2018, where the sigmoid flattens it.
        noise: how points near a real image are drawn.
        one_sided_smoothing: s, by which the target of real images in L_D is below 1 (Salimans et
            al. 2016, arXiv:1606.03498, section 3.4).
    """

    penalty_weight: NonNegativeFloat = 10.0
    penalised: Literal["logit", "probability"] = "logit"
    noise: Literal["uniform", "normal"] = "uniform"
    one_sided_smoothing: Smoothing = 0.0

    def requirements(self) -> Requirements:
        """A discriminator with one logit per image."""
        return Requirements(output=Logits, real_targets=True, gradient_penalty=True)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        """Binary cross-entropy, summed over the two halves, plus the penalty."""
        on_real = loss_on_real(discriminate(batch.real).logits, self.one_sided_smoothing)
        on_fake: Tensor = softplus(discriminate(batch.fake).logits).mean()
        near = batch.real.at(self._near(batch.real.images, batch.rng))
        _, gradient = discriminate_with_gradient(discriminate, near, of=self._penalised)
        penalty = (gradient.norm(dim=1) - 1).square().mean()
        value = on_real + on_fake + self.penalty_weight * penalty
        return Loss(value, {"real": on_real, "fake": on_fake, "penalty": penalty}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        """-E log D(g), as in `non_saturating`."""
        return Loss(softplus(-discriminate(batch.fake).logits).mean(), {}, batch.state)

    def _near(self, images: Tensor, rng: Rng) -> Tensor:
        scale = 0.5 * images.std()
        if self.noise == "normal":
            return images + scale * rng.normal(*images.shape)
        step = rng.uniform(len(images), 1, 1, 1)
        return images + step * scale * rng.uniform(*images.shape)

    def _penalised(self, output: Logits) -> Tensor:
        return output.logits if self.penalised == "logit" else torch.sigmoid(output.logits)
