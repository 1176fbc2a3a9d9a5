"""The spread over whole searches, from disjoint blocks of settings.

B settings hold B/n disjoint blocks of n. Each block is a whole search of its own: it chooses its
best setting by validation and reports it. The blocks are independent, so that their spread is that
of repeating the whole study's search, tuning and seed included, at no further cost.

Source: Gulrajani and Lopez-Paz 2021, In Search of Lost Domain Generalization, section 4, who repeat
whole searches three times.
"""

import math
from dataclasses import dataclass

import numpy as np

from coequal.statistics.search import Search, worst_last


@dataclass(frozen=True)
class WholeSearches:
    """What disjoint searches of n settings each reported.

    Attributes:
        budget: n.
        scores: (searches,) score of each block's chosen setting, in the order drawn; infinite where
            all settings of a block failed.
        mean: mean over the searches that reported a score; NaN where none did.
        sd: standard deviation between them (ddof 1); NaN with fewer than two.
        failed: number of searches without a score.
    """

    budget: int
    scores: tuple[float, ...]
    mean: float
    sd: float
    failed: int


def whole_searches(search: Search) -> WholeSearches | None:
    """Divide a search into disjoint blocks of its budget.

    Args:
        search: in the order drawn. Settings that are left over at its end are not used.

    Returns:
        What the blocks report; None with fewer than two blocks.
    """
    budget = int(search.budget)
    blocks = search.settings // budget
    if blocks < 2:
        return None
    by = worst_last(search.selection_scores)[: blocks * budget].reshape(blocks, budget)
    scores = worst_last(search.scores)[: blocks * budget].reshape(blocks, budget)
    reported = scores[np.arange(blocks), by.argmin(axis=1)]
    good = reported[np.isfinite(reported)]
    return WholeSearches(
        budget=budget,
        scores=tuple(reported.tolist()),
        mean=float(good.mean()) if len(good) else math.nan,
        sd=float(good.std(ddof=1)) if len(good) > 1 else math.nan,
        failed=int(blocks - len(good)),
    )
