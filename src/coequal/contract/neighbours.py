"""Nearest neighbours of images, kept by the image set to which they belong."""

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor


class Nearest(NamedTuple):
    """The k nearest points of another set to each point of one set.

    Where there are fewer than k, the index is -1 and the distance infinite.

    Attributes:
        indices: in the other set, nearest first; among equally near points, the lower index first.
        distances: float64.
    """

    indices: Int[Tensor, "n k"]
    distances: Float[Tensor, "n k"]

    def first(self, count: int, k: int) -> "Nearest":
        """The nearest k of the first `count` points."""
        return Nearest(self.indices[:count, :k], self.distances[:count, :k])


class NearestMemory:
    """The nearest neighbours of a set's images, as found by earlier passes over two sets.

    A pass over all pairs is costly, and several metrics need its result. They announce beforehand
    how many neighbours they will ask for, and what the pass finds is kept here. The other set is
    identified by the tensor of its features, which must not be written to.
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
        """The `k` nearest `others` of every image; None if no pass has found that many."""
        for known, found in self._found:
            if known is others and found.indices.shape[1] >= k:
                return found.first(len(found.indices), k)
        return None
