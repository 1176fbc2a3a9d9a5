"""Searches from many starts for the polygon closest to each image, and the best of them."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from coequal.manifolds.polygons.descent import STEPS, Coordinates, Descent, descend

FOUND = 1e-8  # squared distance at which nothing better is looked for
TRIED, FINISHED = 8, 2  # steps from every start, and how many searches of an image go to the end
AGREE = 1e-3  # relative difference of two squared distances that are the same minimum


class Best:
    """The best polygon so far of each image, and the two least squared distances that searches
    from different starts have ended at."""

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
        """What searches for the images `rows` have ended at."""
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
        """Polygons known otherwise: never worse than they, and no search agrees with them."""
        self._keep(squared, vertices, rows)

    @property
    def agree(self) -> Bool[Tensor, " n"]:
        """Whether two searches from different starts have ended at the same distance."""
        return self.second <= self.least * (1 + AGREE)

    def _keep(self, squared: Tensor, vertices: Tensor, rows: Tensor) -> None:
        better = squared < self.least[rows]
        self.least[rows] = torch.where(better, squared, self.least[rows])
        self.vertices[rows] = torch.where(better[:, None, None], vertices, self.vertices[rows])


def search(
    starts: Float[Tensor, "n s p"],
    ink: Float[Tensor, "n size size"],
    coordinates: Coordinates,
    steps: int = STEPS,
) -> Descent:
    """From every start: (n, s) squared distances and (n, s, p) coordinates."""
    count, each, size = starts.shape
    found = descend(starts.flatten(0, 1), ink.repeat_interleave(each, 0), coordinates, steps)
    return Descent(found.squared.view(count, each), found.x.view(count, each, size))


def begin(
    best: Best,
    starts: Float[Tensor, "n s p"],
    ink: Float[Tensor, "n size size"],
    coordinates: Coordinates,
) -> tuple[Int[Tensor, " r"], Descent]:
    """A few steps from the first starts, which is all that an image of a polygon needs.

    Returns:
        The images that need more, and where their searches stand.
    """
    begun = search(starts, ink, coordinates, TRIED)
    found = (begun.squared <= FOUND).any(1)
    rows = found.nonzero()[:, 0]
    best.add(begun.squared[rows], polygons(begun.x[rows], coordinates), rows)
    rows = (~found).nonzero()[:, 0]
    return rows, Descent(begun.squared[rows], begun.x[rows])


def race(
    best: Best,
    starts: Float[Tensor, "r s p"],
    begun: Descent | None,
    ink: Float[Tensor, "r size size"],
    coordinates: Coordinates,
    rows: Int[Tensor, " r"],
) -> None:
    """A few steps from every start, and to the end from where it then looks best.

    Args:
        best: is told.
        starts: new ones.
        begun: searches that have made these steps already.
        ink: of the images `rows`.
        coordinates: what the numbers mean.
        rows: of `best`.
    """
    found = search(starts, ink, coordinates, TRIED)
    if begun is not None:
        found = Descent(*(torch.cat(parts, 1) for parts in zip(begun, found, strict=True)))
    order = found.squared.topk(FINISHED, dim=1, largest=False).indices
    chosen = found.x.gather(1, order[..., None].expand(-1, -1, found.x.shape[2]))
    found = search(chosen, ink, coordinates)
    best.add(found.squared, polygons(found.x, coordinates), rows)


def polygons(x: Float[Tensor, "n s p"], coordinates: Coordinates) -> Float[Tensor, "n s k 2"]:
    """What coordinates of several polygons for each image say."""
    vertices = coordinates.vertices(x.flatten(0, 1))
    return vertices.view(*x.shape[:2], *vertices.shape[1:])
