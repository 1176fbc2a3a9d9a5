"""Mean and covariance of features, which programs keep after dropping the features."""

import hashlib
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and covariance of the features of some images, on the CPU, without the features.

    Attributes:
        mean: (d,) float64.
        covariance: (d, d) float64, symmetric, with the divisor n - 1.
        count: number of images; None if it is not known.
        encoder: the id of the encoder that made the features; None if it is not known.
        encoder_name: what a user calls that encoder; None if it is not known.
    """

    mean: Float[Tensor, " d"]
    covariance: Float[Tensor, "d d"]
    count: int | None = None
    encoder: str | None = None
    encoder_name: str | None = None

    @property
    def dimension(self) -> int:
        """The number of features of an image."""
        return len(self.mean)

    def digest(self) -> str:
        """SHA-256 of mean, covariance and count."""
        hashed = hashlib.sha256(f"statistics {self.dimension} {self.count}".encode())
        for values in (self.mean, self.covariance):
            hashed.update(values.contiguous().numpy().data)
        return hashed.hexdigest()
