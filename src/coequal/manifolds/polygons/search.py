"""Searches from many starts for the polygon closest to each image, and the best of them."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from coequal.manifolds.polygons.descent import MAX_STEPS, Coordinates, Descent, descend

SOLVED_SQUARED_DISTANCE = 1e-8
"""Squared distance at which the search for an image ends."""
FIRST_STEPS, FINALISTS = 8, 2
"""Steps from every start, and number of searches of an image that go to the end."""
AGREEMENT_TOLERANCE = 1e-3
"""Relative difference of two squared distances that count as one minimum."""


class Best:
    """The best polygon so far of each image.

    It also keeps the two smallest squared distances at which searches from different starts have
    ended.
    """

    def __init__(self, ink: Float[Tensor, "n size size"], k: int) -> None:
        self.least = ink.new_full((len(ink),), torch.inf)
        self.second = self.least.clone()
        self.vertices = ink.new_zeros(len(ink), k, 2)

    def add(
        self,
        squared: Float[Tensor, "r s"],
        vertices: Float[Tensor, "r s k 2"],
        rows: Int[Tensor, " r"],
    ) -> None:
        """Record where searches for some images have ended.

        Args:
            squared: (r, s) squared distances.
            vertices: (r, s, k, 2) polygons.
            rows: (r,) indices of the images.
        """
        at = squared.argmin(1)
        each = torch.arange(len(rows), device=rows.device)
        ended = torch.cat([self.least[rows, None], self.second[rows, None], squared], 1)
        self._keep(squared[each, at], vertices[each, at], rows)
        self.second[rows] = ended.topk(2, dim=1, largest=False).values[:, 1]

    def at_most(
        self,
        squared: Float[Tensor, " r"],
        vertices: Float[Tensor, "r k 2"],
        rows: Int[Tensor, " r"],
    ) -> None:
        """Record polygons that are known otherwise: the result is never worse, and no search agrees
        with them.

        Args:
            squared: (r,) squared distances.
            vertices: (r, k, 2) polygons.
            rows: (r,) indices of the images.
        """
        self._keep(squared, vertices, rows)

    @property
    def agree(self) -> Bool[Tensor, " n"]:
        """Whether two searches from different starts have ended at one distance."""
        return self.second <= self.least * (1 + AGREEMENT_TOLERANCE)

    def _keep(self, squared: Tensor, vertices: Tensor, rows: Tensor) -> None:
        better = squared < self.least[rows]
        self.least[rows] = torch.where(better, squared, self.least[rows])
        self.vertices[rows] = torch.where(better[:, None, None], vertices, self.vertices[rows])


def search(
    starts: Float[Tensor, "n s p"],
    ink: Float[Tensor, "n size size"],
    coordinates: Coordinates,
    steps: int = MAX_STEPS,
) -> Descent:
    """Search from every start.

    Args:
        starts: (n, s, p) coordinates.
        ink: (n, size, size) fraction of ink of each pixel, in [0, 1].
        coordinates: meaning of the coordinates.
        steps: largest number of steps.

    Returns:
        (n, s) squared distances and (n, s, p) coordinates.
    """
    count, each, size = starts.shape
    ended = descend(starts.flatten(0, 1), ink.repeat_interleave(each, 0), coordinates, steps)
    return Descent(ended.squared.view(count, each), ended.x.view(count, each, size))


def begin(
    best: Best,
    starts: Float[Tensor, "n s p"],
    ink: Float[Tensor, "n size size"],
    coordinates: Coordinates,
) -> tuple[Int[Tensor, " r"], Descent]:
    """Make a few steps from the first starts, which is enough for an image of a polygon.

    Args:
        best: receives the images that are solved.
        starts: (n, s, p) coordinates.
        ink: (n, size, size) fraction of ink of each pixel, in [0, 1].
        coordinates: meaning of the coordinates.

    Returns:
        The indices of the images that need more, and the state of their searches.
    """
    begun = search(starts, ink, coordinates, FIRST_STEPS)
    solved = (begun.squared <= SOLVED_SQUARED_DISTANCE).any(1)
    rows = solved.nonzero()[:, 0]
    best.add(begun.squared[rows], polygons(begun.x[rows], coordinates), rows)
    rows = (~solved).nonzero()[:, 0]
    return rows, Descent(begun.squared[rows], begun.x[rows])


def race(
    best: Best,
    starts: Float[Tensor, "r s p"],
    begun: Descent | None,
    ink: Float[Tensor, "r size size"],
    coordinates: Coordinates,
    rows: Int[Tensor, " r"],
) -> None:
    """Make a few steps from every start, and finish the most promising searches.

    Args:
        best: receives the results.
        starts: (r, s, p) coordinates of new searches.
        begun: searches that have made these steps already; None if there are none.
        ink: (r, size, size) fraction of ink of the images `rows`.
        coordinates: meaning of the coordinates.
        rows: (r,) indices of the images in `best`.
    """
    ended = search(starts, ink, coordinates, FIRST_STEPS)
    if begun is not None:
        ended = Descent(*(torch.cat(parts, 1) for parts in zip(begun, ended, strict=True)))
    order = ended.squared.topk(FINALISTS, dim=1, largest=False).indices
    chosen = ended.x.gather(1, order[..., None].expand(-1, -1, ended.x.shape[2]))
    ended = search(chosen, ink, coordinates)
    best.add(ended.squared, polygons(ended.x, coordinates), rows)


def polygons(x: Float[Tensor, "n s p"], coordinates: Coordinates) -> Float[Tensor, "n s k 2"]:
    """Return the polygons of several coordinates for each image.

    Args:
        x: (n, s, p) coordinates.
        coordinates: meaning of the coordinates.
    """
    vertices = coordinates.vertices(x.flatten(0, 1))
    return vertices.view(*x.shape[:2], *vertices.shape[1:])
