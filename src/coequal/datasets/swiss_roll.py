"""Points about a Swiss roll in the plane, with the curve: as in Gulrajani et al. 2017."""

from collections.abc import Callable
from pathlib import Path

from coequal.contract import Dataset
from coequal.datasets._points import load_points, refuse_size
from coequal.manifolds.curves import SwissRoll

PART = "load_swiss_roll"
ARGUMENT = None


def manifold(argument: str, image_size: int | None) -> SwissRoll:
    """What is known of the points, without making them.

    Raises:
        ValueError: an image size, which points have not.
    """
    refuse_size("swiss_roll", image_size)
    return SwissRoll()


def load_swiss_roll(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Callable[[str], None] | None = None,
) -> Dataset:
    """80,000 points, float32, as images of shape (2, 1, 1), without labels."""
    return load_points("swiss_roll", manifold(argument, image_size))
