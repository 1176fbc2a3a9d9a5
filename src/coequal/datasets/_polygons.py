"""Black convex polygons on white, made from a seed: 60,000 to train, 10,000 and 10,000 held out."""

from pathlib import Path
from typing import get_args

import torch
from torch import Tensor

from coequal.contract import Dataset, ImageShape, Log
from coequal.datasets._form import ImageForm
from coequal.datasets._made import Load, ManifoldOf, kept_dataset
from coequal.manifolds.polygons.family import Mode, PolygonFamily
from coequal.rng import Rng
from coequal.seeds import seed_for

MODES: tuple[Mode, ...] = get_args(Mode)
SIZE = 28
POLYGONS = ImageForm(ImageShape(1, SIZE, SIZE), floats=True)


def polygon_set(name: str, vertices: int) -> tuple[ManifoldOf, Load]:
    """The two functions of a dataset of polygons; its argument is a mode.

    Args:
        name: Of the dataset.
        vertices: Of every polygon.
    """

    def manifold(argument: str, image_size: int | None) -> PolygonFamily:
        return family_of(name, vertices, argument, image_size)

    def load(
        argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
    ) -> Dataset:
        """80,000 images, float32, 28x28 or of the size asked for."""
        return load_polygons(name, manifold(argument, image_size), data_dir, log)

    return manifold, load


def family_of(name: str, vertices: int, mode: str, image_size: int | None) -> PolygonFamily:
    """The family that a name in a study file means.

    Raises:
        LookupError: no such mode or number of vertices.
        ValueError: a size that can't be made.
    """
    if mode not in MODES:
        raise LookupError(f"datasets: '{name}:{mode}': {name} comes {' or '.join(MODES)}")
    size = SIZE if image_size is None else image_size
    return PolygonFamily(vertices, size, mode)


def load_polygons(name: str, family: PolygonFamily, data_dir: Path, log: Log | None) -> Dataset:
    """The images of a family, float32 in [0, 1]; made in seconds, and kept in `data_dir`.

    Args:
        name: Of the dataset.
        family: Of its polygons.
        data_dir: See `coequal.datasets._loading.data_folder`.
        log: Is told that images are made.
    """

    def make(part: str, count: int) -> tuple[Tensor, None]:
        images = family.images(vertices_of(family, part, count))
        assert torch.isfinite(images).all()
        return images, None

    return kept_dataset(name, family, make, data_dir, log)


def vertices_of(family: PolygonFamily, part: str, count: int) -> Tensor:
    """(count, k, 2): the polygons of a split, of which the images are."""
    return family.draw(count, Rng(seed_for("polygons", family.recipe, part)))
