"""Points of 25 Gaussians on a grid, with their modes: the grid of Srivastava et al. 2017."""

from coequal.datasets._points import POINTS, point_set
from coequal.manifolds.points import GaussianGrid

PART = "load_gaussian_grid"
ARGUMENT = None
IMAGES = POINTS

manifold, load_gaussian_grid = point_set("gaussian_grid", GaussianGrid())
