"""What architectures make of their layers: the generators and discriminators that losses see."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from coequal.contract import (
    Generator,
    LatentVariableGenerator,
    Logits,
    Reconstruction,
    Request,
    Samples,
)
from coequal.rng import Rng


class UniformGenerator(Generator):
    """Latents uniform on (-1, 1), through a decoder and a sigmoid."""

    support = (-1.0, 1.0)

    def __init__(self, decoder: nn.Sequential, latents: int) -> None:
        super().__init__()
        self.decoder = decoder
        self.size = latents

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """(count, latents) numbers."""
        low, high = self.support
        return (rng.uniform(count, self.size, low=low, high=high),)

    def forward(self, request: Request) -> Samples:
        """Images in [0, 1]."""
        images = torch.sigmoid(self.decoder(request.latents[0]).float())
        return Samples(images, request.labels, request.source)


class Vae(LatentVariableGenerator):
    """Standard normal latents, a decoder with a sigmoid, and a normal posterior."""

    def __init__(
        self, trunk: nn.Sequential, features: int, decoder: nn.Sequential, latents: int
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.posterior = nn.Linear(features, 2 * latents)
        self.decoder = decoder
        self.size = latents

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """(count, latents) numbers."""
        return (rng.normal(count, self.size),)

    def encode(self, real: Samples) -> tuple[Tensor, Tensor]:
        """Mean, and standard deviation of at least 1e-6."""
        mean, raw = self.posterior(self.trunk(real.images)).float().chunk(2, dim=1)
        return mean, 1e-6 + functional.softplus(raw)

    def decode(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images in [0, 1]."""
        return torch.sigmoid(self.decoder(latents).float())

    def forward(self, request: Request) -> Samples:
        """The decoded latents."""
        return Samples(self.decode(request.latents[0]), request.labels, request.source)


class LogitDiscriminator(nn.Module):
    """A trunk, whose output are the features, and one linear layer."""

    def __init__(self, trunk: nn.Sequential, features: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(features, 1)

    def forward(self, samples: Samples) -> Logits:
        """One number an image."""
        features = self.trunk(samples.images)
        return Logits(self.head(features)[:, 0].float(), features)


class Autoencoder(nn.Module):
    """An encoder to a code, and a decoder with a sigmoid."""

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, samples: Samples) -> Reconstruction:
        """Images in [0, 1]."""
        code = self.encoder(samples.images)
        images = torch.sigmoid(self.decoder(code).float())
        return Reconstruction(samples.images, images, code)
