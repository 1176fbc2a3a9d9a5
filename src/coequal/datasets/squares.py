"""Black quadrangles on white, with their manifold (Lucic et al. 2018, section 5): `squares`.

Or `squares:paper`, with the mistakes of the published notebook.
"""

from coequal.datasets._polygons import POLYGONS, polygon_set

PART = "load_squares"
ARGUMENT = "clean or paper"
IMAGES = POLYGONS
DEFAULT_ARGUMENT = "clean"
ANY_SIZE = True

manifold, load_squares = polygon_set("squares", vertices=4)
