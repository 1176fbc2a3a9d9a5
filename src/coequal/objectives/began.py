"""Boundary equilibrium GAN: Berthelot et al. 2017, arXiv:1703.10717, eqs. 5 and 6."""

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor

from coequal.contract import (
    Adversarial,
    Batch,
    Discriminate,
    Generator,
    Loss,
    Reconstruction,
    Requirements,
    State,
)

PART = "Began"


@dataclass(frozen=True)
class Began(Adversarial[Generator, Reconstruction]):
    """D is an autoencoder with error R: L_D = R(x) - k R(g), L_G = R(g), and k steers their
    balance.

    R is the mean absolute error over pixels, channels and images. After each step of D,
    k <- clip(k + balance_rate (gamma R(x) - R(g)), 0, 1), k = 0 at the start. The clip is the
    paper's; the code of Lucic et al. 2018 has none, and k may leave [0, 1] there.

    Attributes:
        gamma: wanted ratio R(g) / R(x): lower for sharper and less diverse images.
        balance_rate: step of k (lambda_k in the paper).
    """

    gamma: Annotated[float, Field(ge=0, le=1)] = 0.75
    balance_rate: NonNegativeFloat = 1e-3

    def requirements(self) -> Requirements:
        """A discriminator that is an autoencoder."""
        return Requirements(output=Reconstruction)

    def initial_state(self) -> State:
        """The balance k, at 0."""
        return {"balance": torch.zeros(())}

    def discriminator_loss(self, discriminate: Discriminate[Reconstruction], batch: Batch) -> Loss:
        """R(x) - k R(g), and the next k from the same two errors.

        The part `convergence` is the paper's global measure R(x) + |gamma R(x) - R(g)|: lower is
        better.
        """
        on_real, on_fake = _error(discriminate(batch.real)), _error(discriminate(batch.fake))
        surplus = self.gamma * on_real.detach() - on_fake.detach()
        balance = (batch.state["balance"] + self.balance_rate * surplus).clamp(0, 1)
        parts = {
            "real": on_real,
            "fake": on_fake,
            "balance": balance,
            "convergence": on_real + surplus.abs(),
        }
        return Loss(on_real - batch.state["balance"] * on_fake, parts, {"balance": balance})

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Reconstruction], batch: Batch
    ) -> Loss:
        """R(g): the autoencoder's error on the fakes."""
        return Loss(_error(discriminate(batch.fake)), {}, batch.state)


def _error(output: Reconstruction) -> Tensor:
    return (output.images - output.shown).abs().mean()
