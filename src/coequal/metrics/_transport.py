"""How much each value counts for the cost of optimal transport on a line: what the standard errors
of sliced distances are made of.
"""

from typing import Literal

import numpy as np

from coequal.metrics import _arrays
from coequal.metrics._arrays import Array


def influences(*, real: Array, fake: Array, power: Literal[1, 2]) -> Array:
    """(l, n) how fast the cost on each of some lines grows with the weight of each fake value, in
    float64; the mean of a line is 0.

    The cost is W_p^p, the mean of |x - y|^p over the pairs that meet, and its derivative is the
    potential of the transport: del Barrio, Gordaliza and Loubes 2019, arXiv:1807.06796. From one
    fake value y to the next y' it grows by |y' - x|^p - |y - x|^p, x being where the mass at their
    border goes; at a border of two real values as well, that is the mean of both.

    Args:
        real: (l, m), each row sorted; of uniform weights.
        fake: (l, n), likewise.
        power: p.
    """
    m, n = real.shape[1], fake.shape[1]
    if m == n:
        twice = real[:, 1:] + real[:, :-1]  # the border
    else:
        mass = np.arange(1, n) * m  # in units of 1 / (m n)
        left, right = (mass - 1) // n, np.minimum(mass // n, m - 1)
        twice = real[:, _arrays.like(left, real)] + real[:, _arrays.like(right, real)]
    below, above = fake[:, :-1], fake[:, 1:]
    if power == 2:
        steps = (above - below) * (above + below - twice)
    else:
        steps = abs(above - twice / 2) - abs(below - twice / 2)
    effects = _arrays.running_sums(steps)
    effects -= effects.mean(1)[:, None]
    return effects
