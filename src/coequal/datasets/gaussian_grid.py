"""Points of 25 Gaussians on a grid, with their modes: the grid of Srivastava et al. 2017."""

from collections.abc import Callable
from pathlib import Path

from coequal.contract import Dataset
from coequal.datasets._points import load_points, refuse_size
from coequal.manifolds.points import GaussianGrid

PART = "load_gaussian_grid"
ARGUMENT = None


def manifold(argument: str, image_size: int | None) -> GaussianGrid:
    """What is known of the points, without making them.

    Raises:
        ValueError: an image size, which points have not.
    """
    refuse_size("gaussian_grid", image_size)
    return GaussianGrid()


def load_gaussian_grid(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Callable[[str], None] | None = None,
) -> Dataset:
    """80,000 points, float32, as images of shape (2, 1, 1); labels are the modes."""
    return load_points("gaussian_grid", manifold(argument, image_size))
