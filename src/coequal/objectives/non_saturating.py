"""The non-saturating game: Goodfellow et al. 2014, arXiv:1406.2661, section 3."""

from dataclasses import dataclass

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
)
from coequal.objectives._targets import Smoothing, loss_on_real

PART = "NonSaturating"


@dataclass(frozen=True)
class NonSaturating(Adversarial[Generator, Logits]):
    """D as in `minimax`; G maximises E log D(g), whose gradient is largest where D is surest.

    L_D = -E log D(x) - E log(1 - D(g)), L_G = -E log D(g), by softplus of the logits.

    Attributes:
        one_sided_smoothing: s, by which the target of real images in L_D is below 1 (Salimans et
            al. 2016, arXiv:1606.03498, section 3.4).
    """

    one_sided_smoothing: Smoothing = 0.0

    def requirements(self) -> Requirements:
        """A discriminator with one logit per image."""
        return Requirements(output=Logits, real_targets=True)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        """Binary cross-entropy, summed over the two halves; log 4 where D is undecided."""
        on_real = loss_on_real(discriminate(batch.real).logits, self.one_sided_smoothing)
        on_fake: Tensor = softplus(discriminate(batch.fake).logits).mean()
        return Loss(on_real + on_fake, {"real": on_real, "fake": on_fake}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        """-E log D(g), at least 0; log 2 where D is undecided."""
        return Loss(softplus(-discriminate(batch.fake).logits).mean(), {}, batch.state)
