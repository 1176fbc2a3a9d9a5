"""Eigenvalues of a symmetric matrix, and later its eigenvectors, from one reduction.

The steps are those of LAPACK's dsyevr, which `scipy.linalg.eigh` calls, with its block sizes: the
results have the same bits. Reduction to tridiagonal form takes most of the time of the eigenvalues
alone.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dormqr, dstemr, dsterf, dsytrd

Array = NDArray[np.float64]
REDUCTION_WORK, VECTORS_WORK = 28, 31  # rows of work space that dsyevr leaves to its steps


class Eigen:
    """A symmetric matrix, reduced.

    Args:
        lower: (n, n) its lower triangle, in the order of Fortran; is overwritten.
    """

    def __init__(self, lower: Array) -> None:
        size = len(lower)
        found = dsytrd(lower, lower=1, lwork=REDUCTION_WORK * size, overwrite_a=1)
        self._reflectors, self._diagonal, self._beside, self._factors, failed = found
        _require(not failed)

    @cached_property
    def values(self) -> Array:
        """(n,) the eigenvalues, ascending."""
        if len(self._diagonal) == 1:
            return np.asarray(self._diagonal)
        values, failed = dsterf(self._diagonal, self._beside)
        _require(not failed)
        return np.asarray(values)

    @cached_property
    def vectors(self) -> tuple[Array, Array]:
        """The eigenvalues (n,) once more, by another algorithm and so with other rounding errors,
        and their eigenvectors (n, n), a column each."""
        size = len(self._diagonal)
        if size == 1:
            return np.asarray(self._diagonal), np.ones((1, 1))
        everything = (0, 0.0, 0.0, 0, 0)  # a range of values that is not limited
        padded = np.append(self._beside, 0.0)
        _, values, turned, failed = dstemr(self._diagonal, padded, *everything, compute_v=1)
        _require(not failed)
        # Undo the reduction: its reflections leave the first row alone.
        reflectors, rest = (np.asfortranarray(x) for x in (self._reflectors[1:, :-1], turned[1:]))
        work = VECTORS_WORK * size
        turned[1:], _, failed = dormqr("L", "N", reflectors, self._factors, rest, work)
        _require(not failed)
        return np.asarray(values), np.asarray(turned)


def _require(converged: bool) -> None:
    if not converged:
        raise np.linalg.LinAlgError("the eigenvalues of a symmetric matrix did not converge")
