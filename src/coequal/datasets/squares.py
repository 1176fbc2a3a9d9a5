"""Black quadrangles on white, with their manifold (Lucic et al. 2018, section 5): `squares`.

Or `squares:paper`, with the slips of the published notebook.
"""

from collections.abc import Callable
from pathlib import Path

from coequal.contract import Dataset
from coequal.datasets._polygons import family_of, load_polygons
from coequal.manifolds.polygons.family import PolygonFamily

PART = "load_squares"
ARGUMENT = "clean or paper"
DEFAULT_ARGUMENT = "clean"
ANY_SIZE = True


def manifold(argument: str, image_size: int | None) -> PolygonFamily:
    """What is known of the images, without making them.

    Raises:
        LookupError: an argument that is no mode.
        ValueError: a size that can't be made.
    """
    return family_of("squares", 4, argument, image_size)


def load_squares(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Callable[[str], None] | None = None,
) -> Dataset:
    """80,000 images, float32, 28x28 or of the size asked for."""
    return load_polygons("squares", manifold(argument, image_size), data_dir, log)
