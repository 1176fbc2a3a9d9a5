"""Points about a Swiss roll in the plane, with the curve: as in Gulrajani et al. 2017."""

from coequal.datasets._points import POINTS, point_set
from coequal.manifolds.curves import SwissRoll

PART = "load_swiss_roll"
ARGUMENT = None
IMAGES = POINTS

manifold, load_swiss_roll = point_set("swiss_roll", SwissRoll())
