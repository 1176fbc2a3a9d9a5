"""Wasserstein GAN with gradient penalty: Gulrajani et al. 2017, arXiv:1704.00028, eq. 3 and
algorithm 1."""

from dataclasses import dataclass

from pydantic import NonNegativeFloat
from torch import Tensor

from coequal.contract import (
    Adversarial,
    Batch,
    Discriminate,
    Generator,
    Logits,
    Loss,
    Requirements,
)
from coequal.objectives._penalty import gradient_penalty

PART = "WassersteinGradientPenalty"


@dataclass(frozen=True)
class WassersteinGradientPenalty(Adversarial[Generator, Logits]):
    """L_D = E l(g) - E l(x) + w E (|grad l(v)| - 1)^2 at v = x + a (g - x), a ~ U(0, 1) per image.

    L_G = -E l(g). The norm is the plain Euclidean one: Lucic et al. 2018 add 1e-4 under the root,
    which biases small norms.

    Attributes:
        penalty_weight: w, the weight of the penalty (lambda in the paper).
    """

    penalty_weight: NonNegativeFloat = 10.0

    def requirements(self) -> Requirements:
        """A critic with one unbounded number per image."""
        return Requirements(output=Logits, gradient_penalty=True, critic=True)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        """Minus the critic's estimate of the distance, plus the penalty."""
        on_real: Tensor = discriminate(batch.real).logits.mean()
        on_fake: Tensor = discriminate(batch.fake).logits.mean()
        penalty = gradient_penalty(discriminate, batch)
        value = on_fake - on_real + self.penalty_weight * penalty
        return Loss(value, {"real": on_real, "fake": on_fake, "penalty": penalty}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        """Minus the critic's mean on the fakes."""
        return Loss(-discriminate(batch.fake).logits.mean(), {}, batch.state)
