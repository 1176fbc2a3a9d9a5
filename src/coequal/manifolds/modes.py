"""Made images that belong to modes: which mode an image is nearest to, and how far from it.

As the truth is known, missed modes are counted rather than estimated by a classifier (as on stacked
digits).
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from coequal.contract import KnownManifold


class Assignment(NamedTuple):
    """The nearest mode of each image.

    Attributes:
        mode: index of the nearest mode.
        squared: squared distance to it. For points, in squared standard deviations of the mode; for
            images, the squared difference from the nearest member of the mode, with values in [0,
            1], summed over pixels and channels.
    """

    mode: Int[Tensor, " n"]
    squared: Float[Tensor, " n"]


class KnownModes(KnownManifold):
    """A known manifold that consists of modes of equal probability."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Name of each mode, in order."""

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Tensor]:
        """The family as tensors, which are all that is needed to assign images; see `assign`."""
