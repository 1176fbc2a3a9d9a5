"""Coloured shapes on white with known factors, shape x hue x place: 288 modes to count."""

from pathlib import Path

import torch
from torch import Tensor

from coequal.contract import Dataset, ImageShape, Log
from coequal.datasets._form import ImageForm
from coequal.datasets._made import kept_dataset
from coequal.manifolds.colours import SIZE, ColourShapes, Drawn
from coequal.rng import Rng
from coequal.seeds import seed_for

PART = "load_colour_shapes"
ARGUMENT = None
IMAGES = ImageForm(ImageShape(3, SIZE, SIZE))
IMAGES_PER_PART = 2000  # while they are floats


def manifold(argument: str, image_size: int | None) -> ColourShapes:
    """What is known of the images, without making them.

    Raises:
        ValueError: The size is not 28.
    """
    if image_size not in (None, SIZE):
        raise ValueError(f"colour_shapes comes as {SIZE}x{SIZE} only, not {image_size}")
    return ColourShapes()


def load_colour_shapes(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Log | None = None,
) -> Dataset:
    """80,000 images, uint8, (3, 28, 28); made in some seconds, and kept in `data_dir`.

    Labels are the modes, so that the encoder `classifier` learns to tell just the factors that are
    counted, and per-class metrics apply; a generator that takes no labels never sees them. 8 bits,
    a quarter of the memory of floats: they move an image by some 1e-4 in squared distance, and what
    is asked for is 2.
    """
    family = manifold("", image_size)

    def make(part: str, count: int) -> tuple[Tensor, Tensor]:
        drawn = family.draw(count, Rng(seed_for("colours", family.recipe, part)))
        return _images(family, drawn), drawn.modes

    return kept_dataset("colour_shapes", family, make, data_dir, log)


def _images(family: ColourShapes, drawn: Drawn) -> Tensor:
    pairs = zip(
        drawn.modes.split(IMAGES_PER_PART), drawn.offsets.split(IMAGES_PER_PART), strict=True
    )
    images = [family.images(Drawn(*pair)).mul_(255).round_() for pair in pairs]
    return torch.cat([some.to(torch.uint8) for some in images])
