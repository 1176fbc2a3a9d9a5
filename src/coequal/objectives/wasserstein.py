"""Wasserstein GAN with a bound on the weights: Arjovsky et al. 2017, arXiv:1701.07875, algorithm
1."""

from dataclasses import dataclass

from pydantic import PositiveFloat
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

PART = "Wasserstein"


@dataclass(frozen=True)
class Wasserstein(Adversarial[Generator, Logits]):
    """L_D = E l(g) - E l(x), L_G = -E l(g); D's weights are kept within [-weight_bound,
    weight_bound].

    The loop clamps after each step of D, and only parameters of two or more axes: the code of Lucic
    et al. 2018 also clips biases and BatchNorm's scales, in no defined order with the update.

    Attributes:
        weight_bound: c, the largest absolute value of a weight of D.
    """

    weight_bound: PositiveFloat = 0.01

    def requirements(self) -> Requirements:
        """A critic with one unbounded number per image, and the bound on its weights."""
        return Requirements(output=Logits, weight_bound=self.weight_bound, critic=True)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        """Minus the critic's estimate of the distance (up to its Lipschitz constant)."""
        on_real: Tensor = discriminate(batch.real).logits.mean()
        on_fake: Tensor = discriminate(batch.fake).logits.mean()
        return Loss(on_fake - on_real, {"real": on_real, "fake": on_fake}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        """Minus the critic's mean on the fakes."""
        return Loss(-discriminate(batch.fake).logits.mean(), {}, batch.state)
