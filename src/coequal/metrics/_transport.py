"""How much each value counts for the cost of optimal transport on a line: what the standard errors
of sliced distances are made of.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def influences(*, real: NDArray[Any], fake: NDArray[Any], power: Literal[1, 2]) -> Array:
    """(n,) how fast the cost grows with the weight of each fake value; the mean is 0.

    The cost is W_p^p, the mean of |x - y|^p over the pairs that meet, and its derivative is the
    potential of the transport: del Barrio, Gordaliza and Loubes 2019, arXiv:1807.06796. From one
    fake value y to the next y' it grows by |y' - x|^p - |y - x|^p, x being where the mass at their
    border goes; at a border of two real values as well, that is the mean of both.

    Args:
        real: (m,), sorted; of uniform weights.
        fake: (n,), likewise.
        power: p.
    """
    m, n = len(real), len(fake)
    if m == n:
        border = (real[1:] + real[:-1]) / 2
    else:
        mass = np.arange(1, n) * m  # in units of 1 / (m n)
        border = (real[(mass - 1) // n] + real[np.minimum(mass // n, m - 1)]) / 2
    below, above = fake[:-1], fake[1:]
    effects = np.zeros(n)
    if power == 2:
        np.cumsum((above - below) * (above + below - 2 * border), dtype=np.float64, out=effects[1:])
    else:
        np.cumsum(
            np.abs(above - border) - np.abs(below - border), dtype=np.float64, out=effects[1:]
        )
    effects -= effects.mean()
    return effects
