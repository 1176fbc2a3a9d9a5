"""Several tests at once: p-values adjusted for their number."""

import numpy as np

from coequal.statistics.search import Array


def holm(p_values: Array) -> Array:
    """Return p-values adjusted for their number by Holm's step-down procedure.

    The i-th smallest of k is multiplied by k - i + 1, and none may fall below that of a smaller
    one.

    Args:
        p_values: (tests,) in [0, 1].

    Returns:
        (tests,) adjusted p-values, at most 1, in the order given.

    Source: Holm 1979, Scand. J. Stat. 6, 65-70.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * p_values[order]), 1)
    return adjusted
