"""How a classifier is trained, as data; the recipes with names are `small` and `resnet32`."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat

from coequal.settings import Count, Settings

Name = Literal["small", "resnet32"]
NAMES: tuple[Name, ...] = ("small", "resnet32")


@dataclass(frozen=True)
class Recipe(Settings):
    """All that a trained classifier follows from, beside the images and a seed.

    Attributes:
        net: see `classification.nets`.
        batch: images a step, or all if there are fewer. A new random order for each pass over the
            images; the rest at its end that fills no batch is not seen in this pass.
        epochs: passes over the images; None where `steps` counts.
        steps: gradient steps, whatever the number of images; with `epochs` the least number.
        optimiser: "adamw" with a one-cycle learning rate (torch's defaults), or "sgd" with
            momentum 0.9 and a rate that falls by ten at `decays`.
        rate: the highest learning rate.
        decays: after which fractions of the steps.
        weight_decay: of all parameters, BatchNorm's among them.
        flip: whether every second image is mirrored, left to right, at random.
        pad: zeros about an image, of which a window of its size is cut at random.
        scale: "unit" gives nets values in [0, 1]; "centred" level / 128 - 1, level = 0 .. 255.
        averaging: the weight of the last batch in BatchNorm's moving averages (1 - decay).
        noise: of this width, uniform from 0, added in training only (dequantisation).
    """

    net: Name
    batch: Annotated[int, Field(ge=2)]
    epochs: PositiveFloat | None
    steps: Count
    optimiser: Literal["adamw", "sgd"]
    rate: PositiveFloat
    weight_decay: float
    decays: tuple[float, ...] = ()
    flip: bool = False
    pad: int = 0
    scale: Literal["unit", "centred"] = "unit"
    averaging: float = 0.1
    noise: float = 0.0

    def steps_for(self, count: int) -> int:
        """Gradient steps of a training on so many images."""
        if self.epochs is None:
            return self.steps
        return max(self.steps, int(self.epochs * count // min(self.batch, count)))

    def of_steps(self, steps: int) -> "Recipe":
        """This recipe with another number of steps, whatever the number of images."""
        return replace(self, epochs=None, steps=steps)

    @property
    def description(self) -> str:
        """One line for people."""
        long = f"{self.steps:,} steps"
        if self.epochs is not None:
            long = f"{self.epochs:g} epochs, at least {long}"
        first = f"{self.net}: {long}, batch {self.batch}, {self.optimiser} {self.rate:g}"
        rest: list[tuple[Any, str]] = [
            (self.weight_decay, f"weight decay {self.weight_decay:g}"),
            (self.flip, "flips"),
            (self.pad, f"crops after padding by {self.pad}"),
            (self.noise, f"noise up to {self.noise:g} in training"),
        ]
        return ", ".join([first, *(words for there, words in rest if there)])


def small(epochs: float = 5.0) -> Recipe:
    """The quick one: some seconds for 10,000 images of 28x28. 60 steps an epoch at least."""
    steps = max(1, round(60 * epochs))
    return Recipe("small", 128, epochs, steps, "adamw", 3e-3, 1e-2)


STEPS = 64_000  # of resnet32 at full length
AVERAGING = 0.003  # of BatchNorm, at full length
EPOCH = 50_000 / 128  # steps of an epoch in the paper, whatever the number of images


def resnet32(length: float = 1.0, flips: bool = True) -> Recipe:
    """That of the paper: 64,000 steps, and a rate that falls after epochs 82 and 123 of 50,000.

    Args:
        length: fraction of the 64,000 steps; the rate falls at the same fractions of it. The window
            of BatchNorm's averages shrinks with it (to ten batches at least): with the published
            one they would not have reached the data by the end of a short training.
        flips: whether to mirror images; as published, for digits too, unless turned off.

    Source: Shmelkov et al. 2018, arXiv:1807.09499, and its authors' code.
    """
    if not 0 < length < math.inf:
        raise ValueError(f"recipe resnet32: length is {length}; it must be above 0")
    return Recipe(
        net="resnet32",
        batch=128,
        epochs=None,
        steps=max(1, round(STEPS * length)),
        optimiser="sgd",
        rate=0.1,
        weight_decay=2e-4,
        decays=(82 * EPOCH / STEPS, 123 * EPOCH / STEPS),
        flip=flips,
        pad=4,
        scale="centred",
        averaging=min(0.1, AVERAGING / min(1.0, length)),
        noise=1 / 128,
    )
