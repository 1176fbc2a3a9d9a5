"""The optimiser of a player, and how its rate falls."""

import math

import torch
from torch import nn

from coequal.training.settings import Optimisation

BETA2, EPSILON = 0.999, 1e-8
FUSED = ("cpu", "cuda", "mps", "xpu")  # kinds of devices for which torch has a fused Adam


def optimiser_for(settings: Optimisation, player: str, net: nn.Module) -> torch.optim.Optimizer:
    """A fresh optimiser for a player's net."""
    rate, own = settings.rate(player), list(net.parameters())
    fused = all(parameter.device.type in FUSED for parameter in own)
    # Fused Adam reads gradients as if contiguous, and silently updates the wrong elements where
    # they are not. `.backward()` into `.grad`, as in the loop, keeps them contiguous; assigning
    # `.grad` does not.
    if settings.optimiser == "adam":
        betas = (settings.beta1, BETA2)
        return torch.optim.Adam(own, lr=rate, betas=betas, eps=EPSILON, fused=fused)
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(
            own,
            lr=rate,
            betas=(settings.beta1, BETA2),
            eps=EPSILON,
            weight_decay=settings.weight_decay,
            fused=fused,
        )
    if settings.optimiser == "rmsprop":
        return torch.optim.RMSprop(own, lr=rate, eps=EPSILON, momentum=settings.beta1)
    decay = settings.weight_decay
    return torch.optim.SGD(own, lr=rate, momentum=settings.beta1, weight_decay=decay)


def decayed(
    optimiser: torch.optim.Optimizer, settings: Optimisation, player: str, progress: float
) -> None:
    """Set the rate for the next step.

    Args:
        optimiser: of the player.
        settings: with the rule; without decay nothing is touched.
        player: whose rate.
        progress: the fraction of the budget that is spent, in [0, 1].
    """
    if settings.learning_rate_decay == "none":
        return
    left = 1 - progress
    if settings.learning_rate_decay == "cosine":
        left = (1 + math.cos(math.pi * progress)) / 2
    for group in optimiser.param_groups:
        group["lr"] = settings.rate(player) * left


def rate_of(optimiser: torch.optim.Optimizer) -> float:
    """The rate of the next step."""
    return float(optimiser.param_groups[0]["lr"])
