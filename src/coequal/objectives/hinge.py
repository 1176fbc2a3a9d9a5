"""The hinge game: Lim and Ye 2017, arXiv:1705.02894, eq. 9 and 10; as in Miyato et al. 2018,
arXiv:1802.05957, eq. 16 and 17."""

from dataclasses import dataclass

from pydantic import PositiveFloat
from torch import Tensor
from torch.nn.functional import relu

from coequal.contract import (
    Adversarial,
    Batch,
    Discriminate,
    Generator,
    Logits,
    Loss,
    Requirements,
)

PART = "Hinge"


@dataclass(frozen=True)
class Hinge(Adversarial[Generator, Logits]):
    """L_D = E max(0, m - l(x)) + E max(0, m + l(g)), L_G = -E l(g).

    Attributes:
        margin: m, beyond which an image counts no more; 1 in the papers.
    """

    margin: PositiveFloat = 1.0

    def requirements(self) -> Requirements:
        """A discriminator with one logit per image."""
        return Requirements(output=Logits)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        """Zero once every image lies beyond the margin on its side; 2 m where D is undecided."""
        on_real: Tensor = relu(self.margin - discriminate(batch.real).logits).mean()
        on_fake: Tensor = relu(self.margin + discriminate(batch.fake).logits).mean()
        return Loss(on_real + on_fake, {"real": on_real, "fake": on_fake}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        """Minus the mean logit of the fakes."""
        return Loss(-discriminate(batch.fake).logits.mean(), {}, batch.state)
