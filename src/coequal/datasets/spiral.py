"""Points about a spiral of three turns, with the curve."""

from coequal.datasets._points import POINTS, point_set
from coequal.manifolds.curves import Spiral

PART = "load_spiral"
ARGUMENT = None
IMAGES = POINTS

manifold, load_spiral = point_set("spiral", Spiral())
