"""What is known of a run, for remedies: what it has, and what has a place in it."""

from collections.abc import Mapping
from typing import Any

DEFAULTS: Mapping[str, Any] = {
    "learning_rate": 2e-4,
    "beta1": 0.5,
    "discriminator_per_generator": 1,
    "optimiser": "adam",
}
"""What a run has where nothing is said, of the settings whose absence is not "off"."""

ALONE = frozenset({"vae", "maximum_likelihood"})
"""Objectives without a discriminator."""

AUTOENCODERS = frozenset({"began"})
"""Objectives whose discriminator has no logit."""

TARGETS = frozenset({"acgan", "dragan", "least_squares", "minimax", "non_saturating"})
"""Objectives with a target for real images, which one-sided smoothing moves."""

PENALISED = frozenset({"dragan", "wgan_gp", "wgan_gp_acgan"})
"""Objectives with a gradient penalty of their own."""

CRITICS = frozenset({"wasserstein", "wgan_gp", "wgan_gp_acgan"})
"""Objectives whose discriminator is meant to be ahead of the generator."""

WANTS_LOGIT = frozenset({"gradient_penalty", "feature_matching", "minibatch"})
WANTS_DISCRIMINATOR = WANTS_LOGIT | {
    *("spectral_norm", "discriminator_dropout", "discriminator_per_generator"),
    *("discriminator_learning_rate", "instance_noise", "label_flips", "label_smoothing", "augment"),
}
OF_NETS = frozenset({"spectral_norm", "discriminator_dropout", "minibatch", "generator_labels"})


class RunSettings:
    """What is known of a run: its settings by name, with "objective" and the nets' "name"."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self.objective = str(settings.get("objective", ""))

    def __getitem__(self, name: str) -> Any:
        return self.settings.get(name, DEFAULTS.get(name))

    def on(self, name: str) -> bool:
        """Whether it does something."""
        return self[name] not in (None, False, 0, "none")

    def rate(self, player: str) -> float:
        """The learning rate of a player, as `training.settings.Optimisation.rate` has it."""
        return float(self[f"{player}_learning_rate"] or self["learning_rate"])

    @property
    def logit(self) -> bool:
        """Whether its discriminator has one."""
        return self.objective not in ALONE | AUTOENCODERS

    @property
    def players(self) -> tuple[str, ...]:
        """Who learns."""
        return ("generator",) if self.objective in ALONE else ("generator", "discriminator")

    def can(self, name: str) -> bool:
        """Whether a setting has a place in this run."""
        if name in WANTS_DISCRIMINATOR and self.objective in ALONE:
            return False
        if name in WANTS_LOGIT and not self.logit:
            return False
        if name == "gradient_penalty" and self.objective in PENALISED:
            return False
        return not (name in OF_NETS and ":" in str(self["name"]))  # nets of somebody's own
