"""Losses that the loop may add to any objective; see `tricks` for their sources."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from coequal.contract import Logits, Loss, Samples, State, discriminate_with_gradient
from coequal.rng import Rng
from coequal.training.tricks import Penalty

JITTER = 0.5  # of DRAGAN's points: this share of the batch's deviation, times U(0, 1)


@dataclass(frozen=True, eq=False)
class GradientPenalty:
    """A loss of the discriminator, with a stream of its own, whatever the objective draws."""

    kind: Penalty
    weight: float
    own: Rng

    def __call__(self, *players: Any, real: Samples, fake: Samples, state: State, rng: Rng) -> Loss:
        """The penalty, and as a part without its weight."""
        (discriminate,) = players
        points = self._points(real, fake)
        _, gradient = discriminate_with_gradient(discriminate, points, of=_logits)
        if self.kind in ("wgan_gp", "dragan"):
            penalty: Tensor = (gradient.norm(dim=1) - 1).square().mean()
        else:
            share = 1.0 if self.kind == "zero_centred" else 0.5
            penalty = share * gradient.square().sum(1).mean()
        return Loss(self.weight * penalty, {"gradient_penalty": penalty}, state)

    def _points(self, real: Samples, fake: Samples) -> Samples:
        """Where the gradient is taken."""
        if self.kind == "r1":
            return real
        if self.kind == "r2":
            return fake
        share = self.own.uniform(len(real.images), 1, 1, 1)
        if self.kind == "dragan":
            noise = JITTER * real.images.std() * self.own.uniform(*real.images.shape)
            return real.at(real.images + share * noise)
        return real.at(torch.lerp(real.images, fake.images, share))


@dataclass(frozen=True)
class FeatureMatching:
    """A loss of the generator: the squared distance of the mean features of both batches."""

    weight: float

    def __call__(self, *players: Any, real: Samples, fake: Samples, state: State, rng: Rng) -> Loss:
        """The distance, and as a part without its weight."""
        _, discriminate = players
        ours, theirs = (discriminate(batch).features.mean(0) for batch in (fake, real))
        apart: Tensor = (ours - theirs.detach()).square().sum()
        return Loss(self.weight * apart, {"feature_matching": apart}, state)


def _logits(output: Logits) -> Tensor:
    return output.logits
