"""Least squares GAN: Mao et al. 2017, arXiv:1611.04076, eq. 2 with a = 0, b = c = 1."""

from dataclasses import dataclass

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
from coequal.objectives._targets import Smoothing

PART = "LeastSquares"


@dataclass(frozen=True)
class LeastSquares(Adversarial[Generator, Logits]):
    """L_D = 1/2 E (l(x) - 1)^2 + 1/2 E l(g)^2, L_G = 1/2 E (l(g) - 1)^2, on the unbounded output l.

    The code of Lucic et al. 2018 puts a sigmoid on l, which can saturate; the paper has none, nor
    have we.

    Attributes:
        one_sided_smoothing: s, by which the target of real images in L_D is below 1 (Salimans et
            al. 2016, arXiv:1606.03498, section 3.4).
    """

    one_sided_smoothing: Smoothing = 0.0

    def requirements(self) -> Requirements:
        """A discriminator with one unbounded number per image."""
        return Requirements(output=Logits, real_targets=True)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        """Half the mean squared distance to 1 on real and to 0 on fake."""
        target = 1 - self.one_sided_smoothing
        on_real: Tensor = 0.5 * (discriminate(batch.real).logits - target).square().mean()
        on_fake: Tensor = 0.5 * discriminate(batch.fake).logits.square().mean()
        return Loss(on_real + on_fake, {"real": on_real, "fake": on_fake}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        """Half the mean squared distance of the fakes' outputs to 1."""
        return Loss(0.5 * (discriminate(batch.fake).logits - 1).square().mean(), {}, batch.state)
