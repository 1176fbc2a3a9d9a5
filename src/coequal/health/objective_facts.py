"""What health asks of an objective, as plain values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectiveFacts:
    """What decides which remedies fit an objective, without the objective and without torch.

    `coequal.trial.health_callback.facts_of` takes them from the objective's requirements.

    Attributes:
        discriminator: whether there is a discriminator.
        logit: whether the discriminator gives a logit.
        density: whether the generator gives the probability of an image.
        real_targets: as in `coequal.contract.Requirements`.
        gradient_penalty: as in `coequal.contract.Requirements`.
        critic: as in `coequal.contract.Requirements`.
        saturates: as in `coequal.contract.Requirements`.
        weight_bound: whether the discriminator's weights are bounded.
    """

    discriminator: bool = True
    logit: bool = True
    density: bool = False
    real_targets: bool = False
    gradient_penalty: bool = False
    critic: bool = False
    saturates: bool = False
    weight_bound: bool = False


ASSUMED = ObjectiveFacts()
"""Where nothing is known of the objective: a discriminator with a logit."""
