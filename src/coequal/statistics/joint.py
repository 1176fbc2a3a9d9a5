"""Two models over several datasets: the mean of P(A better than B), in one joint statement.

The probability of improvement of Agarwal et al. 2021 (arXiv:2108.13264, section 4.3) is the mean
over tasks of the probability that a run of A beats a run of B. Here a run is a whole tuned search.
The draws of the settings are the same on every dataset, so that the influences of a setting are
added over datasets before they are squared.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri

from coequal.statistics.better import pair_influences, paired_error, probability_better
from coequal.statistics.rates import Interval
from coequal.statistics.search import Search


@dataclass(frozen=True)
class JointPair:
    """Two models over all datasets.

    Attributes:
        a: the first.
        b: the second.
        probabilities: P(A better than B) on each dataset.
        probability: their mean.
        interval: of the mean, over the draw of settings; the datasets are fixed.
        level: probability that the interval misses the truth.
    """

    a: str
    b: str
    probabilities: tuple[float, ...]
    probability: float
    interval: Interval
    level: float

    @property
    def shown(self) -> bool:
        """Whether one of the two is better over these datasets."""
        return not self.interval.low <= 0.5 <= self.interval.high


def joint_pair(
    a: str, b: str, searches: Sequence[tuple[Search, Search]], level: float
) -> JointPair | None:
    """Return the mean over datasets of P(A better than B), with an interval on the logit scale.

    Args:
        a: name of A.
        b: name of B.
        searches: A's and B's search on each dataset, in the order drawn.
        level: probability that the interval misses the truth.

    Returns:
        The pair; None where a search has fewer than two settings, or the numbers of settings
        differ between the datasets, where nothing can be paired.
    """
    counts = {search.settings for pair in searches for search in pair}
    if len(counts) != 1 or min(counts) < 2:
        return None
    probabilities = tuple(probability_better(left, right) for left, right in searches)
    mean = math.fsum(probabilities) / len(probabilities)
    sums = np.zeros(counts.pop())
    for left, right in searches:
        sums += np.add(*pair_influences(left, right)) / len(searches)
    edge = 1 / (2 * len(sums))
    inside = min(max(mean, edge), 1 - edge)
    error = paired_error(sums, np.zeros_like(sums)) / (inside * (1 - inside))
    reach = float(-ndtri(level / 2)) * error
    middle = float(logit(inside))
    ends = Interval(float(expit(middle - reach)), float(expit(middle + reach)))
    return JointPair(a, b, probabilities, mean, ends, level)
