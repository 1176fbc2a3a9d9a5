"""The options of `coequal train`, as a study and as a command line again."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coequal.files import file_name

RATE_OPTIONS = {
    "generator_learning_rate": "generator_lr",
    "discriminator_learning_rate": "discriminator_lr",
}
NARROW_WIDTH = 0.25  # up to which nets are narrow
NARROW_RATE = 1e-3
"""Learning rate of narrow nets: the upper end of the narrow ranges of Lucic et al. 2018."""


@dataclass(frozen=True)
class TrainRequest:
    """The options of one call of `coequal train`.

    Attributes:
        declared: the command's options as click knows them, by name: their flags and defaults.
        model: by name.
        data: a dataset, or folder:PATH.
        steps: discriminator steps.
        width: of the nets, relative to the published ones.
        settings: hyperparameters and tricks by name, of `--set`.
        generator_lr: learning rate of the generator alone; None for the common one.
        discriminator_lr: learning rate of the discriminator alone; None for the common one.
        ema: decay of a moving average of the generator; None for no average.
        image_size: height and width to which images are brought; None for their own.
        batch_size: images of a step; None for a study's default.
        encoder: by name; None to choose by the data.
        samples: generated images per measurement.
        seed: of the trial.
        stop_on: verdicts at which to stop, with commas; None for none.
        tensorboard: a folder for TensorBoard; None for no log.
        out: the run's folder; None for runs/MODEL.
        data_dir: where datasets lie or are put; None for the default.
        device: of torch.
    """

    declared: Mapping[str, Any]
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
    stop_on: str | None
    tensorboard: Path | None
    out: Path | None
    data_dir: Path | None
    device: str

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.out or Path("runs") / self.model

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
        names = None if self.stop_on is None else [n.strip() for n in self.stop_on.split(",")]
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

    def with_settings(self, more: Mapping[str, Any]) -> "TrainRequest":
        """This request with more settings, in a folder beside its own; with more steps alone it
        goes on in its own.

        Args:
            more: settings and options by name, as in a remedy.
        """
        own = {name: value for name, value in more.items() if name in self.declared}
        settings = {name: value for name, value in more.items() if name not in self.declared}
        replaced = {RATE_OPTIONS[name]: None for name in settings if name in RATE_OPTIONS}
        changes: dict[str, Any] = {**own, **replaced}
        falls = self.settings.get("learning_rate_decay", "none") != "none"
        if set(more) == {"steps"} and more["steps"] > self.steps and not falls:
            return replace(self, **changes)
        return replace(
            self,
            settings={**self.settings, **settings},
            out=self.folder.with_name("-".join([self.folder.name, *_named(more)])),
            **changes,
        )

    def command(self) -> str:
        """The command line, ready to paste, without options that have their default."""
        return shlex.join(["coequal", "train", self.model, *self._options()])

    def _options(self) -> Iterator[str]:
        for name, option in self.declared.items():
            if name == "settings":
                for setting, value in self.settings.items():
                    yield from (option.opts[0], f"{setting}={_written(value)}")
            elif (value := getattr(self, name, option.default)) != option.default:
                yield from (option.opts[0], str(value))


def _written(value: Any) -> str:
    """A value in the form that `--set` reads."""
    return value if isinstance(value, str) else json.dumps(value)


def _named(settings: Mapping[str, Any]) -> Iterator[str]:
    """Parts of a folder's name, one per setting; another value gives another name."""
    for name, value in settings.items():
        text = "" if value is True else f"_{_written(value)}"
        yield file_name(f"{name}{text}")
