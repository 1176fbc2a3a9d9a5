"""Black convex polygons of 3 to 8 vertices on white, with their manifold: `polygons:5`.

Or `polygons:5:paper`, with the mistakes of the published notebook (Lucic et al. 2018, section 5).
"""

from pathlib import Path

from coequal.contract import Dataset, Log
from coequal.datasets._polygons import POLYGONS, family_of, load_polygons
from coequal.manifolds.polygons.family import VERTICES, PolygonFamily

PART = "load_any"
ARGUMENT = "the number of vertices, 3 to 8 (and :paper)"
IMAGES = POLYGONS
ANY_SIZE = True


def manifold(argument: str, image_size: int | None) -> PolygonFamily:
    """What is known of the images, without making them.

    Raises:
        LookupError: an argument that is no number of vertices, or no mode.
        ValueError: a size that can't be made.
    """
    number, _, mode = argument.partition(":")
    low, high = VERTICES
    if not (number.isdecimal() and low <= int(number) <= high):
        raise LookupError(f"datasets: 'polygons:{argument}': needs {ARGUMENT}, as in polygons:5")
    return family_of(f"polygons:{number}", int(number), mode or "clean", image_size)


def load_any(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """80,000 images, float32, 28x28 or of the size asked for."""
    return load_polygons(f"polygons:{argument}", manifold(argument, image_size), data_dir, log)
