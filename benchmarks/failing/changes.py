"""What is done to a run to make it fail, before its first step or in the middle of it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from coequal.contract import GeneratorInput, Samples
from coequal.monitoring.reference import RealImages
from coequal.rng import Rng
from coequal.training.loop import Trainer

Change = Callable[[Trainer], None]


@dataclass(frozen=True)
class Rates:
    """Other learning rates; None leaves one as it is, 0 freezes a net."""

    generator: float | None = None
    discriminator: float | None = None

    def __call__(self, trainer: Trainer) -> None:
        for name, optimiser in trainer.optimisers.items():
            if (rate := getattr(self, name)) is not None:
                for group in optimiser.param_groups:
                    group["lr"] = rate


@dataclass(frozen=True)
class FewLatents:
    """The generator sees one of a few points, whatever is asked: it has so many images."""

    points: int

    def __call__(self, trainer: Trainer) -> None:
        generator = trainer.generator
        forward = generator.forward
        known = generator.latents(self.points, Rng(7, trainer.device))

        def few(request: GeneratorInput) -> Samples:
            first = request.latents[0].flatten(1)
            which = (first[:, 0].abs() * 1e4).long() % self.points
            return forward(GeneratorInput(tuple(rows[which] for rows in known), request.conditions))

        generator.forward = few  # type: ignore[method-assign]


@dataclass(frozen=True)
class OnlyClasses:
    """The training data lose all but a few classes; what the run is compared with keeps all."""

    classes: int

    def __call__(self, trainer: Trainer) -> None:
        assert trainer.monitor is not None
        assert trainer.batches.labels is not None
        keep = trainer.batches.labels < self.classes
        _train_on(trainer, trainer.batches.images[keep], trainer.batches.labels[keep])
        reference = trainer.monitor.reference
        reference.train = self._cut(reference.train)
        reference.held_out = self._cut(reference.held_out)

    def _cut(self, known: RealImages) -> RealImages:
        assert known.labels is not None
        keep = known.labels < self.classes
        return RealImages(known.images[keep], known.labels[keep])


@dataclass(frozen=True)
class FewImages:
    """Only so many training images are left."""

    images: int

    def __call__(self, trainer: Trainer) -> None:
        assert trainer.monitor is not None
        assert trainer.batches.labels is not None
        images = trainer.batches.images[: self.images]
        labels = trainer.batches.labels[: self.images]
        trainer.monitor.reference.train = RealImages(images.float() / 255, labels)
        copies = -(-trainer.batches.batch_size // self.images)
        _train_on(trainer, images.repeat(copies, 1, 1, 1), labels.repeat(copies))


def _train_on(trainer: Trainer, images: Tensor, labels: Tensor) -> None:
    trainer.batches.images, trainer.batches.labels = images, labels
    trainer.batches.restore(trainer.batches.epoch + 1, 0)


@dataclass(frozen=True)
class Flipped:
    """The discriminator is told the opposite from now on."""

    def __call__(self, trainer: Trainer) -> None:
        sides = trainer.active_tricks.sides

        def other(real: Samples, fake: Samples) -> tuple[Samples, Samples]:
            real, fake = sides(real, fake)
            trainer.active_tricks.exchanged = torch.ones(len(real.images), dtype=torch.bool)
            return fake, real

        trainer.active_tricks.sides = other  # type: ignore[method-assign]
