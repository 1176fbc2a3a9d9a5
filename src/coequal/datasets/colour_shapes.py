"""Coloured shapes on white with known factors, shape x hue x place: 288 modes to count."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from coequal.contract import Dataset, Log, Split
from coequal.datasets._polygons import COUNTS
from coequal.files import atomic_write
from coequal.manifolds.colours import SIZE, ColourShapes, Drawn
from coequal.rng import Rng
from coequal.seeds import seed_for

PART = "load_colour_shapes"
ARGUMENT = None
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
    path = data_dir / "made" / f"{family.recipe}.safetensors"
    if not path.exists():
        if log is not None:
            log(f"making {sum(COUNTS.values()):,} images of colour_shapes")
        made: dict[str, Tensor] = {}
        for part, count in COUNTS.items():
            drawn = family.draw(count, Rng(seed_for("colours", family.recipe, part)))
            made |= {part: _images(family, drawn), f"{part}-modes": drawn.modes}
        atomic_write(path, save(made))
    kept = load_file(path)
    train, validation, test = (Split(kept[part], kept[f"{part}-modes"]) for part in COUNTS)
    return Dataset(
        "colour_shapes",
        train,
        validation,
        test,
        classes=family.names,
        notes=(f"made from a seed: {family.description}",),
        manifold=family,
    )


def _images(family: ColourShapes, drawn: Drawn) -> Tensor:
    pairs = zip(
        drawn.modes.split(IMAGES_PER_PART), drawn.offsets.split(IMAGES_PER_PART), strict=True
    )
    images = [family.images(Drawn(*pair)).mul_(255).round_() for pair in pairs]
    return torch.cat([some.to(torch.uint8) for some in images])
