"""AC-GAN, a GAN with an auxiliary classifier: Odena et al. 2017, arXiv:1610.09585, eq. 2 and 3."""

from dataclasses import dataclass

from pydantic import NonNegativeFloat
from torch import Tensor
from torch.nn.functional import softplus

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
from coequal.objectives._targets import Smoothing, loss_on_real

PART = "AcGan"


@dataclass(frozen=True)
class AcGan(Adversarial[Generator, ClassLogits]):
    """The non-saturating game, and a cross-entropy of the classes for both players.

    L_D = -E log D(x) - E log(1 - D(g)) + w_D [CE(x) + CE(g)], L_G = -E log D(g) + w_G CE(g), with
    CE(v) = -E log P(class of v | v). In the paper L_D's cross-entropy is over real and generated
    images, and both weights are 1; Shmelkov et al. 2018 (arXiv:1807.09499) take 1 and 0.1.

    Attributes:
        class_weight: w_D, the weight of the cross-entropy in L_D.
        generator_class_weight: w_G, its weight in L_G.
        one_sided_smoothing: s, by which the target of real images in L_D is below 1 (Salimans et
            al. 2016, arXiv:1606.03498, section 3.4).
    """

    class_weight: NonNegativeFloat = 1.0
    generator_class_weight: NonNegativeFloat = 1.0
    one_sided_smoothing: Smoothing = 0.0

    def requirements(self) -> Requirements:
        """A discriminator with a class head, and labels."""
        return Requirements(output=ClassLogits, real_targets=True)

    def discriminator_loss(self, discriminate: Discriminate[ClassLogits], batch: Batch) -> Loss:
        """log 4 + 2 w_D log(classes) where D knows nothing."""
        of_real, of_fake = discriminate(batch.real), discriminate(batch.fake)
        on_real = loss_on_real(of_real.logits, self.one_sided_smoothing)
        on_fake: Tensor = softplus(of_fake.logits).mean()
        classes = class_loss(of_real, batch.real) + class_loss(of_fake, batch.fake)
        value = on_real + on_fake + self.class_weight * classes
        return Loss(value, {"real": on_real, "fake": on_fake, "classes": classes}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[ClassLogits], batch: Batch
    ) -> Loss:
        """log 2 + w_G log(classes) where D knows nothing."""
        of_fake = discriminate(batch.fake)
        game: Tensor = softplus(-of_fake.logits).mean()
        classes = class_loss(of_fake, batch.fake)
        parts = {"game": game, "classes": classes}
        return Loss(game + self.generator_class_weight * classes, parts, batch.state)
