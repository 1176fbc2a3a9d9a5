"""Black convex polygons on white, made from a seed: 60,000 to train, 10,000 and 10,000 held out."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from coequal.contract import Dataset, KnownManifold, Log, Split
from coequal.files import atomic_write
from coequal.manifolds.polygons.family import Mode, PolygonFamily
from coequal.rng import Rng
from coequal.seeds import seed_for

COUNTS = {"train": 60_000, "validation": 10_000, "test": 10_000}
MODES: tuple[Mode, ...] = get_args(Mode)
SIZE = 28

ManifoldOf = Callable[[str, int | None], KnownManifold]
"""`manifold(argument, image_size)` of a data set that is made: what is known of its images, without
making them. It raises LookupError for an argument, and ValueError for a size, that can't be."""

Load = Callable[[str, Path, int | None, Log | None], Dataset]
"""`load(argument, data_dir, image_size, log)`: the data set."""


def polygon_set(name: str, vertices: int) -> tuple[ManifoldOf, Load]:
    """The two functions of a data set of polygons; its argument is a mode.

    Args:
        name: Of the data set.
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
    for known in MODES:
        if known == mode:
            return PolygonFamily(vertices, SIZE if image_size is None else image_size, known)
    raise AssertionError


def load_polygons(name: str, family: PolygonFamily, data_dir: Path, log: Log | None) -> Dataset:
    """The images of a family, float32 in [0, 1]; made in seconds, and kept in `data_dir`.

    Args:
        name: Of the data set.
        family: Of its polygons.
        data_dir: See `coequal.datasets._loading.data_folder`.
        log: Is told that images are made.
    """
    path = data_dir / "made" / f"{family.recipe}.safetensors"
    if not path.exists():
        if log is not None:
            log(f"making {sum(COUNTS.values()):,} images of {name}")
        made = {part: _images(family, part, count) for part, count in COUNTS.items()}
        atomic_write(path, save(made))
    images = load_file(path)
    train, validation, test = (Split(images[part]) for part in COUNTS)
    return Dataset(
        name,
        train,
        validation,
        test,
        notes=(f"made from a seed: {family.description}",),
        manifold=family,
    )


def vertices_of(family: PolygonFamily, part: str, count: int) -> Tensor:
    """(count, k, 2): the polygons of a split, of which the images are."""
    return family.draw(count, Rng(seed_for("polygons", family.recipe, part)))


def _images(family: PolygonFamily, part: str, count: int) -> Tensor:
    images = family.images(vertices_of(family, part, count))
    assert torch.isfinite(images).all()
    return images
