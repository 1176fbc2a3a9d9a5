"""Black triangles on white, with their manifold (Lucic et al. 2018, section 5): `triangles`.

Or `triangles:paper`, with the slips of the published notebook.
"""

from collections.abc import Callable
from pathlib import Path

from coequal.contract import Dataset
from coequal.datasets._polygons import family_of, load_polygons
from coequal.manifolds.polygons.family import PolygonFamily

PART = "load_triangles"
ARGUMENT = "clean or paper"
DEFAULT_ARGUMENT = "clean"
ANY_SIZE = True


def manifold(argument: str, image_size: int | None) -> PolygonFamily:
    """What is known of the images, without making them.

    Raises:
        LookupError: an argument that is no mode.
        ValueError: a size that can't be made.
    """
    return family_of("triangles", 3, argument, image_size)


def load_triangles(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Callable[[str], None] | None = None,
) -> Dataset:
    """80,000 images, float32, 28x28 or of the size asked for."""
    return load_polygons("triangles", manifold(argument, image_size), data_dir, log)
