"""One training of one model, as a study of one trial. Imports no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RATE_OPTIONS = {
    "generator_learning_rate": "generator_lr",
    "discriminator_learning_rate": "discriminator_lr",
}
FRAMES = 24
"""Pictures of its training that a run keeps, for the animation on its page."""
NARROW_WIDTH = 0.25  # up to which nets are narrow
NARROW_RATE = 1e-3
"""Learning rate of narrow nets: the upper end of the narrow ranges of Lucic et al. 2018."""


@dataclass(frozen=True, kw_only=True)
class OneTraining:
    """What one training of one model is asked for.

    Attributes:
        model: by name.
        data: a dataset, or folder:PATH.
        steps: discriminator steps.
        width: of the networks, relative to the published ones.
        settings: hyperparameters and tricks by name.
        generator_lr: learning rate of the generator alone; None for the common one.
        discriminator_lr: learning rate of the discriminator alone; None for the common one.
        ema: decay of a moving average of the generator; None for no average.
        image_size: height and width to which images are brought; None for their own.
        batch_size: images of a step; None for a study's default.
        encoder: by name; None to choose by the data.
        samples: generated images per measurement.
        seed: random seed of the training.
        stop_on: verdicts at which to stop, in a list or with commas; None for none.
    """

    model: str
    data: str
    steps: int
    width: float
    settings: Mapping[str, Any]
    generator_lr: float | None
    discriminator_lr: float | None
    ema: float | None
    image_size: int | None
    batch_size: int | None
    encoder: str | None
    samples: int
    seed: int
    stop_on: str | Sequence[str] | None

    @property
    def rate(self) -> tuple[float, float] | None:
        """The authors' learning rate and the one that is used; None if one was given, or the model
        is none of ours.

        With Adam the rate of hidden weights goes with one over the width (Yang et al. 2021,
        arXiv:2203.03466, table 3), and at an eighth of it the authors' rates don't begin to learn
        within a few thousand steps: narrow nets are trained at `NARROW_RATE`, unless the authors'
        rate is larger.
        """
        from coequal.study.model import resolve_model

        own = resolve_model(self.model)
        known = own.get("settings", {}) if isinstance(own, Mapping) else {}
        if "learning_rate" in self.settings or "learning_rate" not in known:
            return None
        authors = float(known["learning_rate"])
        return authors, max(authors, NARROW_RATE) if self.width <= NARROW_WIDTH else authors

    def study(self, encoder: str) -> dict[str, Any]:
        """The values of a study file that asks for this training.

        Args:
            encoder: by name.
        """
        scaled = {} if self.rate is None else {"learning_rate": self.rate[1]}
        rates = {name: getattr(self, option) for name, option in RATE_OPTIONS.items()}
        rates = {name: rate for name, rate in rates.items() if rate is not None}
        listed = self.stop_on.split(",") if isinstance(self.stop_on, str) else self.stop_on
        names = None if listed is None else [name.strip() for name in listed]
        return {
            "study": f"train {self.model}",
            "data": [self.data],
            "models": [{"base": self.model, "settings": {**scaled, **self.settings, **rates}}],
            "architecture": {"name": "infogan", "width": self.width},
            "search": {"settings": 0},
            "training": {
                "budget": {"discriminator_steps": self.steps},
                "checkpoints": 10,
                "extendable": True,
                **({} if self.batch_size is None else {"batch_size": self.batch_size}),
                **({} if self.ema is None else {"ema": self.ema}),
                **({} if names is None else {"stop_on": names}),
            },
            "evaluation": {
                "encoder": encoder,
                "samples": self.samples,
                **({"neighbours": True} if encoder == "classifier" else {}),
            },
            "seed": self.seed,
            **({} if self.image_size is None else {"image_size": self.image_size}),
        }
