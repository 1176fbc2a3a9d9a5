"""What is known of a run, for remedies: which settings it has, and which it can have."""

from collections.abc import Mapping
from typing import Any

from coequal.health.objective_facts import ASSUMED, ObjectiveFacts

DEFAULTS: Mapping[str, Any] = {
    "learning_rate": 2e-4,
    "beta1": 0.5,
    "discriminator_per_generator": 1,
    "optimiser": "adam",
}
"""The values of settings whose absence does not mean that they are off."""

LOGIT_SETTINGS = frozenset({"gradient_penalty", "feature_matching", "minibatch"})
"""Settings that need a discriminator with a logit."""

DISCRIMINATOR_SETTINGS = LOGIT_SETTINGS | {
    *("spectral_norm", "discriminator_dropout", "discriminator_per_generator"),
    *("discriminator_learning_rate", "instance_noise", "label_flips", "label_smoothing", "augment"),
}
"""Settings that need a discriminator."""

ARCHITECTURE_SETTINGS = frozenset(
    {"spectral_norm", "discriminator_dropout", "minibatch", "generator_labels"}
)
"""Settings of the package's own nets."""


class RunSettings:
    """What is known of a run.

    Attributes:
        settings: its settings by name, with the nets' "name"; empty if nothing is known.
        objective: what its objective is.
    """

    def __init__(self, settings: Mapping[str, Any], objective: ObjectiveFacts = ASSUMED) -> None:
        self.settings = settings
        self.objective = objective

    def __getitem__(self, name: str) -> Any:
        return self.settings.get(name, DEFAULTS.get(name))

    def on(self, name: str) -> bool:
        """Whether a setting is there and does something."""
        return self[name] not in (None, False, 0, "none")

    def rate(self, player: str) -> float:
        """The learning rate of a player, as `training.settings.Optimisation.rate` has it."""
        return float(self[f"{player}_learning_rate"] or self["learning_rate"])

    @property
    def players(self) -> tuple[str, ...]:
        """The players that have nets to train."""
        return ("generator", "discriminator") if self.objective.discriminator else ("generator",)

    def can(self, name: str) -> bool:
        """Whether this run could have a setting: its objective and its nets provide for it."""
        if name in DISCRIMINATOR_SETTINGS and not self.objective.discriminator:
            return False
        if name in LOGIT_SETTINGS and not self.objective.logit:
            return False
        if name == "gradient_penalty" and self.objective.gradient_penalty:
            return False
        return not (
            name in ARCHITECTURE_SETTINGS and ":" in str(self["name"])
        )  # nets from outside the package
