"""Eigenvalues and eigenvectors from one reduction: scipy's, to the bit."""

import numpy as np
import pytest
import scipy.linalg

from coequal.metrics._eigen import Eigen


@pytest.mark.parametrize("size", [1, 2, 3, 40, 333])
@pytest.mark.parametrize("rank", [1, 10_000])
def test_bits_are_those_of_scipy(size, rank):
    spread = np.arange(1.0, size + 1) ** -0.5
    rows = np.random.default_rng(size).standard_normal((min(2 * size, rank), size)) * spread
    matrix = np.asfortranarray(rows.T @ rows)
    lower = {"lower": True, "check_finite": False}
    values, (again, vectors) = (
        scipy.linalg.eigvalsh(matrix, **lower),
        scipy.linalg.eigh(matrix, **lower),
    )
    eigen = Eigen(np.asfortranarray(np.tril(matrix)))
    assert np.array_equal(eigen.values, values)
    assert np.array_equal(eigen.vectors[0], again)
    assert np.array_equal(eigen.vectors[1], vectors)
