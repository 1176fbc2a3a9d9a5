"""Made images that fall into modes: which mode an image is nearest to, and how far from it.

With the truth known, missed modes are counted and not estimated by a classifier (as on stacked
digits).
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from coequal.contract import KnownManifold


class Assignment(NamedTuple):
    """Of each image the nearest mode, and its squared distance.

    Of points in squared standard deviations of the mode; of images the squared difference from the
    nearest member of the mode, values in [0, 1], summed over pixels and channels.
    """

    mode: Int[Tensor, " n"]
    squared: Float[Tensor, " n"]


class KnownModes(KnownManifold):
    """A known manifold in modes, each as likely as any other."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """What each mode is, in order."""

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Tensor]:
        """The family as tensors, from which alone images can be assigned; see `assign`."""
