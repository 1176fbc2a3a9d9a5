"""What architectures make of their layers: the generators and discriminators that losses see."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from coequal.architectures._labels import Labelled, TakesLabels
from coequal.architectures._remedies import MINIBATCH, MaskedDropout, VirtualNorm
from coequal.contract import (
    ClassLogits,
    Generator,
    GeneratorInput,
    LatentVariableGenerator,
    Logits,
    Reconstruction,
    Samples,
)
from coequal.rng import Rng


class DecoderGenerator(Generator):
    """Latents of one of three distributions, through a decoder and a sigmoid."""

    def __init__(
        self,
        decoder: Labelled,
        latents: int,
        prior: Literal["uniform", "normal", "spherical"] = "uniform",
        classes: int | None = None,
    ) -> None:
        """
        Args:
            decoder: latents, and labels if it takes them, to what a sigmoid makes images of.
            latents: how many numbers.
            prior: their distribution.
            classes: how many there are, for the labels of a reference batch.
        """
        super().__init__()
        self.decoder = decoder
        self.size = latents
        self.prior = prior
        self.support = (-1.0, 1.0) if prior == "uniform" else None
        self.conditional = takes_labels(decoder)
        self.masked = [layer for layer in decoder if isinstance(layer, MaskedDropout)]
        self.classes = classes
        self.reference: Tensor | None
        virtual = any(isinstance(layer, VirtualNorm) for layer in decoder.modules())
        # Drawn as parameters are, from torch's generator in the fork of whoever builds.
        drawn = torch.rand(VirtualNorm.rows, latents) * 2 - 1 if virtual else None
        if drawn is not None and prior != "uniform":
            drawn = torch.special.ndtri((drawn + 1) / 2)
        if drawn is not None and prior == "spherical":
            drawn = functional.normalize(drawn, dim=1) * latents**0.5
        self.register_buffer("reference", drawn)

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """(count, latents) numbers; with dropout, as many again as its masks have, of the same
        distribution (normal where the first ones lie on a sphere)."""
        first = self._drawn(count, self.size, rng)
        if self.prior == "spherical":
            first = functional.normalize(first, dim=1) * self.size**0.5
        masks = sum(layer.channels for layer in self.masked)
        return (first, self._drawn(count, masks, rng)) if masks else (first,)

    def _drawn(self, count: int, size: int, rng: Rng) -> Tensor:
        if self.prior == "uniform":
            return rng.uniform(count, size, low=-1.0, high=1.0)
        return rng.normal(count, size)

    def forward(self, request: GeneratorInput) -> Samples:
        """Images in [0, 1]."""
        asked = request.conditions
        latents, labels, before = request.latents[0], asked.labels, 0
        if self.reference is not None:
            before = len(self.reference)
            latents = torch.cat([self.reference, latents])
            if labels is not None and self.classes:
                known = torch.arange(before, device=labels.device) % self.classes
                labels = torch.cat([known, labels])
        if self.masked:
            self._mask(request.latents[1], before)
        images = torch.sigmoid(self.decoder(latents, labels).float())[before:]
        for layer in self.masked:
            layer.drawn = None
        return Samples(images, asked.labels, asked.sources)

    def _mask(self, drawn: Tensor, before: int) -> None:
        """Give every mask its numbers, uniform on (0, 1); nothing of a reference batch is
        dropped."""
        even = (drawn + 1) / 2 if self.prior == "uniform" else torch.special.ndtr(drawn)
        even = torch.cat([even.new_ones(before, even.shape[1]), even])
        sizes = [layer.channels for layer in self.masked]
        for layer, part in zip(self.masked, even.split(sizes, dim=1), strict=True):
            layer.drawn = part


class Vae(LatentVariableGenerator):
    """Standard normal latents, a decoder with a sigmoid, and a normal posterior."""

    def __init__(self, trunk: Labelled, features: int, decoder: Labelled, latents: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.posterior = nn.Linear(features, 2 * latents)
        self.decoder = decoder
        self.size = latents
        self.conditional = takes_labels(decoder)

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """(count, latents) numbers."""
        return (rng.normal(count, self.size),)

    def encode(self, real: Samples) -> tuple[Tensor, Tensor]:
        """Mean, and standard deviation of at least 1e-6."""
        hidden = self.trunk(real.images, real.labels)
        mean, raw = self.posterior(hidden).float().chunk(2, dim=1)
        return mean, 1e-6 + functional.softplus(raw)

    def decode(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images in [0, 1]."""
        return torch.sigmoid(self.decoder(latents, labels).float())

    def forward(self, request: GeneratorInput) -> Samples:
        """The decoded latents."""
        asked = request.conditions
        return Samples(self.decode(request.latents[0], asked.labels), asked.labels, asked.sources)


class LogitDiscriminator(nn.Module):
    """A trunk, whose output are the features, and a linear layer for the logit.

    With `classes` another layer gives a number a class: an auxiliary classifier. With `projected`
    classes the logit is w.phi(x) + b + <v_y, phi(x)>: Miyato and Koyama 2018, arXiv:1802.05637,
    eq. 3.
    """

    def __init__(
        self,
        trunk: Labelled,
        features: int,
        projected: int | None = None,
        *,
        classes: int | None = None,
        bias: bool = True,
        minibatch: str = "none",
    ) -> None:
        """
        Args:
            trunk: images to features.
            features: how many.
            projected: classes that are projected on, or None.
            classes: classes that an auxiliary classifier tells apart, or None for no classifier.
            bias: of the logit's layer.
            minibatch: what the logit's layer sees of the whole batch, a key of `MINIBATCH`.
        """
        super().__init__()
        self.trunk = trunk
        self.batch = MINIBATCH[minibatch](features) if minibatch != "none" else None
        more = 0 if self.batch is None else self.batch.extra
        self.head = nn.Linear(features + more, 1, bias=bias)
        self.projection = None if projected is None else nn.Embedding(projected, features)
        if self.projection is not None:
            nn.init.xavier_uniform_(self.projection.weight)  # as in the authors' code
        self.classes = None if classes is None else nn.Linear(features, classes)

    def forward(self, samples: Samples) -> Logits:
        """Logits, features and, with a classifier, `ClassLogits`.

        Raises:
            ValueError: there are no labels to project on.
        """
        features = self.trunk(samples.images, samples.labels)
        seen = features if self.batch is None else self.batch(features)
        logits: Tensor = self.head(seen)[:, 0]
        if self.projection is not None:
            if samples.labels is None:
                raise ValueError("a discriminator with projection needs labels")
            logits = logits + (self.projection(samples.labels) * features).sum(1)
        if self.classes is None:
            return Logits(logits.float(), features)
        return ClassLogits(logits.float(), features, self.classes(features).float())


class Autoencoder(nn.Module):
    """An encoder to a code, and a decoder with a sigmoid."""

    def __init__(self, encoder: Labelled, decoder: Labelled) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, samples: Samples) -> Reconstruction:
        """Images in [0, 1]."""
        code = self.encoder(samples.images, samples.labels)
        images = torch.sigmoid(self.decoder(code).float())
        return Reconstruction(samples.images, images, code)


def takes_labels(net: nn.Module) -> bool:
    """Whether a layer of the net is given labels."""
    takers = (layer for layer in net.modules() if isinstance(layer, TakesLabels))
    return any(not layer.only_passes for layer in takers)
