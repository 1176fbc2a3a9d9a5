"""AC-GAN, a GAN with an auxiliary classifier: Odena et al. 2017, arXiv:1610.09585, eq. 2 and 3."""

from dataclasses import dataclass

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
from coequal.objectives._classes import class_loss, refuse_negative
from coequal.objectives._targets import loss_on_real, refuse_smoothing

PART = "AcGan"


@dataclass(frozen=True)
class AcGan(Adversarial[Generator, ClassLogits]):
    """The non-saturating game, and a cross-entropy of the classes for both players.

    L_D = -E log D(x) - E log(1 - D(g)) + w_D [CE(x) + CE(g)], L_G = -E log D(g) + w_G CE(g), with
    CE(v) = -E log P(class of v | v). In the paper L_D's cross-entropy is over real and generated
    images, and both weights are 1; Shmelkov et al. 2018 (arXiv:1807.09499) take 1 and 0.1.

    Attributes:
        class_weight: w_D, at least zero.
        generator_class_weight: w_G, at least zero.
        one_sided_smoothing: s in [0, 0.5): in L_D the target of real images is 1 - s (Salimans et
            al. 2016, arXiv:1606.03498, section 3.4).
    """

    class_weight: float = 1.0
    generator_class_weight: float = 1.0
    one_sided_smoothing: float = 0.0

    def __post_init__(self) -> None:
        refuse_negative(
            class_weight=self.class_weight, generator_class_weight=self.generator_class_weight
        )
        refuse_smoothing(self.one_sided_smoothing)

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
