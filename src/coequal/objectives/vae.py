"""Variational autoencoder: Kingma and Welling 2014, arXiv:1312.6114, eq. 10 and appendix C.1."""

from dataclasses import dataclass

from torch import Tensor

from coequal.contract import LatentVariableGenerator, Likelihood, Loss, RealBatch, Requirements

PART = "Vae"

EPSILON = 1e-7  # the study has 1e-8, which float32 cannot hold at the upper end: 1 - 1e-8 is 1


@dataclass(frozen=True)
class Vae(Likelihood[LatentVariableGenerator]):
    """Bernoulli negative log-likelihood plus KL(q(z|x) || N(0, I)), both summed over an image, mean
    over images.

    -sum_i [x_i log y_i + (1 - x_i) log(1 - y_i)] + 1/2 sum_j [m_j^2 + s_j^2 - log s_j^2 - 1]. The
    code of Lucic et al. 2018 averages the first sum over colour channels, so that the KL weighs
    three times too much on colour images; the sum here is over all pixels and channels, as in the
    paper. In nats per image.
    """

    def requirements(self) -> Requirements:
        """A decoder with its encoder, and no discriminator."""
        return Requirements(generator=LatentVariableGenerator)

    def generator_loss(self, generator: LatentVariableGenerator, batch: RealBatch) -> Loss:
        """Minus the evidence lower bound, with one sample of the posterior per image."""
        mean, deviation = generator.encode(batch.real)
        latents = mean + deviation * batch.rng.normal(*mean.shape)
        decoded = generator.decode(latents, batch.real.labels).float()
        missing = _bernoulli(batch.real.images, decoded).mean()
        kl = 0.5 * (mean.square() + deviation.square() - 2 * deviation.log() - 1).sum(1).mean()
        return Loss(missing + kl, {"reconstruction": missing, "kl": kl}, batch.state)


def _bernoulli(images: Tensor, probabilities: Tensor) -> Tensor:
    """Minus the log-likelihood of each image, values in [0, 1] as probabilities: (n,)."""
    p = probabilities.clamp(EPSILON, 1 - EPSILON)
    return -(images * p.log() + (1 - images) * (1 - p).log()).flatten(1).sum(1)
