"""The original minimax game: Goodfellow et al. 2014, arXiv:1406.2661, eq. 1."""

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

PART = "Minimax"


@dataclass(frozen=True)
class Minimax(Adversarial[Generator, Logits]):
    """D classifies real against fake; G maximises exactly the loss that D minimises.

    With l the logit and D = sigmoid(l): L_D = -E log D(x) - E log(1 - D(g)), L_G = E log(1 - D(g)).
    L_G has no gradient where D is sure (it saturates); `non_saturating` is the usual cure. Written
    by softplus,
    which keeps its gradient at any logit: -log D = softplus(-l), -log(1 - D) = softplus(l).

    Attributes:
        one_sided_smoothing: s, by which the target of real images in L_D is below 1 (Salimans et
            al. 2016, arXiv:1606.03498, section 3.4).
    """

    one_sided_smoothing: Smoothing = 0.0

    def requirements(self) -> Requirements:
        """A discriminator with one logit per image."""
        return Requirements(output=Logits, real_targets=True, saturates=True)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        """Binary cross-entropy, summed over the two halves; log 4 where D is undecided."""
        on_real = loss_on_real(discriminate(batch.real).logits, self.one_sided_smoothing)
        on_fake: Tensor = softplus(discriminate(batch.fake).logits).mean()
        return Loss(on_real + on_fake, {"real": on_real, "fake": on_fake}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        """E log(1 - D(g)), at most 0; -log 2 where D is undecided."""
        return Loss(-softplus(discriminate(batch.fake).logits).mean(), {}, batch.state)
