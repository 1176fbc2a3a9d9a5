"""Black triangles on white, with their manifold (Lucic et al. 2018, section 5): `triangles`.

Or `triangles:paper`, with the mistakes of the published notebook.
"""

from coequal.datasets._polygons import POLYGONS, polygon_set

PART = "load_triangles"
ARGUMENT = "clean or paper"
IMAGES = POLYGONS
DEFAULT_ARGUMENT = "clean"
ANY_SIZE = True

manifold, load_triangles = polygon_set("triangles", vertices=3)
