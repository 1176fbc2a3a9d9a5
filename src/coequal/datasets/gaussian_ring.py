"""Points of 8 Gaussians on a circle, with their modes: the ring of Srivastava et al. 2017."""

from coequal.datasets._points import POINTS, point_set
from coequal.manifolds.points import GaussianRing

PART = "load_gaussian_ring"
ARGUMENT = None
IMAGES = POINTS

manifold, load_gaussian_ring = point_set("gaussian_ring", GaussianRing())
