"""Remedies that every model may use: what they are, as plain values. All are off by default.

They mean the same for every objective, because they act in the loop: on what the discriminator is
shown, on which side a batch stands, on gradients. `coequal.training.active_tricks` does them.
"""

from dataclasses import dataclass, fields
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from coequal.contract import Logits, Requirements
from coequal.settings import Count, Settings

Penalty = Literal["none", "wgan_gp", "dragan", "r1", "r2", "zero_centred"]
Augmentation = Literal["none", "diffaugment", "ada"]


@dataclass(frozen=True)
class Tricks(Settings):
    """Each with its source; a value of 0 or "none" is off, and then costs nothing and changes no
    bit.

    Attributes:
        label_smoothing: in the discriminator's move each pair of a real and a
            generated image changes sides with this probability: in expectation two-sided smoothing
            of the targets (Szegedy et al. 2016, arXiv:1512.00567; Salimans et al. 2016,
            arXiv:1606.03498, section 3.4) for every loss that is a mean over images, whether it has
            targets or not. One-sided smoothing is a setting of the objectives that have targets.
        label_flips: the probability that all of a discriminator's batch changes sides
            ("noisy labels", Chintala et al. 2016, "How to train a GAN").
        instance_noise: standard deviation, in units of the image's range [0, 1], of normal noise on
            everything that the discriminator sees (Sonderby et al. 2017, arXiv:1610.04490, section
            3.1; Arjovsky and Bottou 2017, arXiv:1701.04862).
        instance_noise_steps: discriminator steps over which it falls linearly to 0; 0: it stays.
        gradient_penalty: added to the discriminator's loss. `wgan_gp`: (|g| - 1)^2 between real and
            generated images (Gulrajani et al. 2017, arXiv:1704.00028); `dragan`: the same around
            real images (Kodali et al. 2017, arXiv:1705.07215); `r1`, `r2`: |g|^2 / 2 at real, at
            generated images (Mescheder et al. 2018, arXiv:1801.04406, eq. 9); `zero_centred`: |g|^2
            between both (Thanh-Tung et al. 2019, arXiv:1902.03984). g is the logit's gradient by
            the image.
        gradient_penalty_weight: its weight.
        gradient_penalty_every: on every n-th step, times n (Karras et al. 2020, arXiv:1912.04958).
        feature_matching: weight of |E f(x) - E f(g)|^2 in the generator's loss, f being the
            discriminator's features (Salimans et al. 2016, section 3.1).
        historical_averaging: weight w of w |p - mean of past p|^2 in both players' losses, added to
            the gradients (Salimans et al. 2016, section 3.3).
        augment: the same random, differentiable changes of everything that the discriminator sees:
            `diffaugment` always (Zhao et al. 2020, arXiv:2006.10738), `ada` with a probability that
            follows the discriminator's certainty (Karras et al. 2020, arXiv:2006.06676).
        ada_target: of ADA: the mean sign of the logits of real images that it steers to.
        gradient_clip: largest norm of a player's gradient; more is scaled down to it (Pascanu et
            al. 2013, arXiv:1211.5063).
    """

    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    label_flips: Annotated[float, Field(ge=0, lt=1)] = 0.0
    instance_noise: NonNegativeFloat = 0.0
    instance_noise_steps: NonNegativeInt = 0
    gradient_penalty: Penalty = "none"
    gradient_penalty_weight: NonNegativeFloat = 10.0
    gradient_penalty_every: Count = 1
    feature_matching: NonNegativeFloat = 0.0
    historical_averaging: NonNegativeFloat = 0.0
    augment: Augmentation = "none"
    ada_target: Annotated[float, Field(ge=0, lt=1)] = 0.6
    gradient_clip: NonNegativeFloat = 0.0

    @property
    def on(self) -> tuple[str, ...]:
        """The names of those that do something."""
        return tuple(
            field.name
            for field in fields(self)
            if field.name not in _DETAILS and getattr(self, field.name) not in (0, "none")
        )

    def unmet(self, requirements: Requirements) -> list[str]:
        """Why some of them can't be had with what an objective asks for, in words."""
        found = []
        for name in self.on:
            if name in _ANY_MODEL:
                continue
            if requirements.output is None:
                found.append(f"{name} needs a discriminator, and this objective has none")
            elif (
                name in _LOGITS or (name == "augment" and self.augment == "ada")
            ) and not issubclass(requirements.output, Logits):
                gives = requirements.output.__name__
                found.append(f"{name} needs a discriminator with a logit, not one with {gives}")
        if self.augment != "ada" and self.ada_target != Tricks.ada_target:
            found.append("ada_target does nothing without augment: ada")
        if self.instance_noise_steps and not self.instance_noise:
            found.append("instance_noise_steps does nothing without instance_noise")
        return found


_DETAILS = frozenset(
    {"instance_noise_steps", "gradient_penalty_weight", "gradient_penalty_every", "ada_target"}
)
_ANY_MODEL = frozenset({"historical_averaging", "gradient_clip"})  # with or without discriminator
_LOGITS = frozenset({"gradient_penalty", "feature_matching"})
