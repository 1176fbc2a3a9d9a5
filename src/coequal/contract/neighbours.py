"""Nearest neighbours of images, remembered by the image set that they belong to."""

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor


class Nearest(NamedTuple):
    """The k nearest points of another set to each point of one set.

    Where there are fewer than k, the index is -1 and the distance infinite.

    Attributes:
        indices: in the other set, nearest first; of equally near ones the lower index is first.
        distances: float64.
    """

    indices: Int[Tensor, "n k"]
    distances: Float[Tensor, "n k"]

    def first(self, count: int, k: int) -> "Nearest":
        """The nearest k of the first `count` points."""
        return Nearest(self.indices[:count, :k], self.distances[:count, :k])


class NearestMemory:
    """The nearest neighbours of a set's images that some pass over two sets has found.

    A pass over all pairs is costly, and more than one asks for what it finds: it is told beforehand
    how many neighbours will be asked for, and what it finds is kept here. Another set is known by
    the tensor that holds its features, which must not be written to.
    """

    def __init__(self) -> None:
        self._announced: list[tuple[Tensor, int]] = []
        self._found: list[tuple[Tensor, Nearest]] = []

    def announce(self, others: Tensor, k: int) -> None:
        """Announce that the `k` nearest of `others` (m, d) to each image will be asked for."""
        self._announced.append((others, k))

    def wanted(self, others: Tensor, k: int) -> int:
        """How many nearest `others` a pass that needs `k` should find: `k`, or as many as were
        announced."""
        return max(k, *(count for known, count in self._announced if known is others), 0)

    def remember(self, others: Tensor, found: Nearest) -> None:
        """Keep the nearest `others` (m, d) of every image of the set."""
        self._found.append((others, found))

    def recall(self, others: Tensor, k: int) -> Nearest | None:
        """The `k` nearest `others` of every image; None if no pass has found so many."""
        for known, found in self._found:
            if known is others and found.indices.shape[1] >= k:
                return found.first(len(found.indices), k)
        return None
