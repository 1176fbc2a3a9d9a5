"""Losses that the loop may add to any objective; see `tricks` for their sources."""

from dataclasses import dataclass

import torch
from torch import Tensor

from coequal.contract import (
    Batch,
    Discriminate,
    Generator,
    Logits,
    Loss,
    Samples,
    discriminate_with_gradient,
)
from coequal.rng import Rng
from coequal.training.tricks import Penalty

JITTER = 0.5  # of DRAGAN's points: this fraction of the batch's deviation, times U(0, 1)


@dataclass(frozen=True, eq=False)
class GradientPenalty:
    """A loss of the discriminator, with a stream of its own, whatever the objective draws."""

    kind: Penalty
    weight: float
    own: Rng

    def __call__(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        """The penalty, and as a part without its weight."""
        points = self._points(batch.real, batch.fake)
        _, gradient = discriminate_with_gradient(discriminate, points, of=_logits)
        if self.kind in ("wgan_gp", "dragan"):
            penalty: Tensor = (gradient.norm(dim=1) - 1).square().mean()
        else:
            weight = 1.0 if self.kind == "zero_centred" else 0.5
            penalty = weight * gradient.square().sum(1).mean()
        return Loss(self.weight * penalty, {"gradient_penalty": penalty}, batch.state)

    def _points(self, real: Samples, fake: Samples) -> Samples:
        """Where the gradient is taken."""
        if self.kind == "r1":
            return real
        if self.kind == "r2":
            return fake
        position = self.own.uniform(len(real.images), 1, 1, 1)
        if self.kind == "dragan":
            noise = JITTER * real.images.std() * self.own.uniform(*real.images.shape)
            return real.at(real.images + position * noise)
        return real.at(torch.lerp(real.images, fake.images, position))


@dataclass(frozen=True)
class FeatureMatching:
    """A loss of the generator: the squared distance of the mean features of both batches."""

    weight: float

    def __call__(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        """The distance, and as a part without its weight."""
        ours, theirs = (discriminate(side).features.mean(0) for side in (batch.fake, batch.real))
        apart: Tensor = (ours - theirs.detach()).square().sum()
        return Loss(self.weight * apart, {"feature_matching": apart}, batch.state)


def _logits(output: Logits) -> Tensor:
    return output.logits
