"""Maximum likelihood, in bits per dimension: Salimans et al. 2017, arXiv:1701.05517, section 3."""

import math
from dataclasses import dataclass

from coequal.contract import DensityGenerator, Likelihood, Loss, RealBatch, Requirements

PART = "MaximumLikelihood"


@dataclass(frozen=True)
class MaximumLikelihood(Likelihood[DensityGenerator]):
    """-log2 p(x) / (pixels x channels), mean over images; given the label, if the net knows it.

    A uniform distribution over 256 levels has 8 bits per dimension.
    """

    def requirements(self) -> Requirements:
        """A generator that gives the probability of an image, and no discriminator."""
        return Requirements(generator=DensityGenerator)

    def generator_loss(self, generator: DensityGenerator, batch: RealBatch) -> Loss:
        """Its mean over the batch."""
        nats = -generator.log_likelihood(batch.real).mean()
        bits = nats / (math.log(2) * batch.real.images[0].numel())
        return Loss(bits, {"bits_per_dimension": bits}, batch.state)
