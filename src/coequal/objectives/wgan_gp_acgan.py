"""WGAN-GP with an auxiliary classifier: Gulrajani et al. 2017, arXiv:1704.00028, section 5.4 and
appendix F; one of the contenders of Shmelkov et al. 2018, arXiv:1807.09499."""

from dataclasses import dataclass

from pydantic import NonNegativeFloat
from torch import Tensor

from coequal.contract import (
    Adversarial,
    Batch,
    ClassLogits,
    Discriminate,
    Generator,
    Loss,
    Requirements,
)
from coequal.objectives._classes import class_loss
from coequal.objectives._penalty import gradient_penalty

PART = "WassersteinGradientPenaltyClasses"


@dataclass(frozen=True)
class WassersteinGradientPenaltyClasses(Adversarial[Generator, ClassLogits]):
    """WGAN-GP, and a cross-entropy of the classes: of real images for D, of generated ones for G.

    L_D = E l(g) - E l(x) + w P + w_D CE(x), L_G = -E l(g) + w_G CE(g), with the penalty P of
    `wgan_gp` and CE(v) = -E log P(class of v | v). As in the authors' code D's classifier learns
    from real images only.

    Attributes:
        penalty_weight: w, the weight of P; 10 in the paper.
        class_weight: w_D, the weight of the cross-entropy in L_D; 1 in the authors' code.
        generator_class_weight: w_G, its weight in L_G; 0.1 there.
    """

    penalty_weight: NonNegativeFloat = 10.0
    class_weight: NonNegativeFloat = 1.0
    generator_class_weight: NonNegativeFloat = 0.1

    def requirements(self) -> Requirements:
        """A critic with a class head, and labels."""
        return Requirements(output=ClassLogits, gradient_penalty=True, critic=True)

    def discriminator_loss(self, discriminate: Discriminate[ClassLogits], batch: Batch) -> Loss:
        """Minus the critic's estimate of the distance, the penalty, and the classes."""
        of_real = discriminate(batch.real)
        on_real: Tensor = of_real.logits.mean()
        on_fake: Tensor = discriminate(batch.fake).logits.mean()
        penalty = gradient_penalty(discriminate, batch)
        classes = class_loss(of_real, batch.real)
        value = on_fake - on_real + self.penalty_weight * penalty + self.class_weight * classes
        parts = {"real": on_real, "fake": on_fake, "penalty": penalty, "classes": classes}
        return Loss(value, parts, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[ClassLogits], batch: Batch
    ) -> Loss:
        """Minus the critic's mean on the fakes, and their classes."""
        of_fake = discriminate(batch.fake)
        game: Tensor = -of_fake.logits.mean()
        classes = class_loss(of_fake, batch.fake)
        parts = {"game": game, "classes": classes}
        return Loss(game + self.generator_class_weight * classes, parts, batch.state)
