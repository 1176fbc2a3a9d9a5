"""Points about a spiral of three turns, with the curve."""

from collections.abc import Callable
from pathlib import Path

from coequal.contract import Dataset
from coequal.datasets._points import load_points, refuse_size
from coequal.manifolds.curves import Spiral

PART = "load_spiral"
ARGUMENT = None


def manifold(argument: str, image_size: int | None) -> Spiral:
    """What is known of the points, without making them.

    Raises:
        ValueError: an image size, which points have not.
    """
    refuse_size("spiral", image_size)
    return Spiral()


def load_spiral(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Callable[[str], None] | None = None,
) -> Dataset:
    """80,000 points, float32, as images of shape (2, 1, 1), without labels."""
    return load_points("spiral", manifold(argument, image_size))
