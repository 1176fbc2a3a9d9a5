"""Ranks of the models by the expected best of n, and where they change with the budget n."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from coequal.statistics.best_of import budget_curve
from coequal.statistics.search import Array

MAX_CONSECUTIVE_BUDGETS = 250
"""Largest budget up to which the models are ranked at every n."""


CONSECUTIVE_BUDGETS = 30
"""For larger searches, the n up to which they are ranked at every n."""


SPACED_BUDGETS = 70
"""For larger searches, the number of budgets beyond that."""


@dataclass(frozen=True)
class Flip:
    """A change of rank: from this budget on, a model that was behind is ahead by expected best.

    Nothing is claimed about the significance of the difference.

    Attributes:
        budget: number of settings tried from which the order is reversed.
        ahead: the model that is ahead from there on.
        behind: the model that was ahead before.
    """

    budget: int
    ahead: str
    behind: str


@dataclass(frozen=True)
class Ranks:
    """Rank of every model at every budget.

    Attributes:
        models: names of the models, sorted.
        budgets: numbers of settings tried, ascending.
        expected: expected best of n, indexed by [model][budget].
        ranks: ranks, indexed by [model][budget]; 1 is best, ties have the mean of their ranks.
        flips: changes of rank, by budget.
    """

    models: tuple[str, ...]
    budgets: tuple[int, ...]
    expected: tuple[tuple[float, ...], ...]
    ranks: tuple[tuple[float, ...], ...]
    flips: tuple[Flip, ...]


def rank_curves(
    scores: Mapping[str, Array],
    *,
    cap: float,
    choose_by: Mapping[str, Array] | None = None,
) -> Ranks:
    """Rank the models by the expected best of n, without replacement, at many budgets n.

    The budgets are n = 1 .. half the settings of the model that has fewest; for very many settings
    a selection of them (`ranked_budgets`).

    Args:
        scores: for each model its (settings,) reported scores, lower is better; failures are not
            finite.
        cap: the score of a failure, the same for all models.
        choose_by: for each model the scores that its search selects by; see
            `best_of.expected_best`.

    Raises:
        ValueError: there are no models, or one has no settings.
    """
    if not scores or not all(map(len, scores.values())):
        raise ValueError("needs at least one model, and settings of each")
    models = tuple(sorted(scores))
    largest = max(1, min(map(len, scores.values())) // 2)
    selection = choose_by or {}
    budgets = ranked_budgets(largest)
    expected = np.array(
        [
            budget_curve(scores[name], budgets, cap=cap, choose_by=selection.get(name))
            for name in models
        ]
    )
    return Ranks(
        models=models,
        budgets=budgets,
        expected=tuple(map(tuple, expected.tolist())),
        ranks=tuple(map(tuple, rankdata(expected, axis=0).tolist())),
        flips=tuple(_ahead(expected, models, budgets)),
    )


def ranked_budgets(largest: int) -> tuple[int, ...]:
    """Return the budgets at which models are ranked.

    Args:
        largest: the largest budget, at least 1.

    Returns:
        1 .. `largest`; beyond `MAX_CONSECUTIVE_BUDGETS` every n to 30, and 70 more in equal ratios.
    """
    if largest <= MAX_CONSECUTIVE_BUDGETS:
        return tuple(range(1, largest + 1))
    spread = (
        round(n) for n in np.geomspace(CONSECUTIVE_BUDGETS, largest, SPACED_BUDGETS + 1).tolist()
    )
    return tuple(sorted({*range(1, CONSECUTIVE_BUDGETS + 1), *spread}))


def _ahead(expected: Array, models: tuple[str, ...], budgets: tuple[int, ...]) -> list[Flip]:
    """Every change of order between two neighbouring budgets; equal scores change nothing."""
    flips = []
    for first, second in combinations(range(len(models)), 2):
        leader = 0
        for n, own, gap in zip(
            budgets, expected[first], expected[first] - expected[second], strict=True
        ):
            near = abs(gap) <= 1e-12 * abs(own)
            now = leader if near else (-1 if gap < 0 else 1)
            if leader and now != leader:
                pair = (models[first], models[second])
                flips.append(Flip(n, *(pair if now < 0 else pair[::-1])))
            leader = now
    return sorted(flips, key=lambda flip: (flip.budget, flip.ahead, flip.behind))
