"""Who beats whom: the verdict, every pair's P(A better than B), and what it would take."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from coequal.analysis.budget_curves import SearchScores
from coequal.statistics.better import Better, better
from coequal.statistics.elimination import Verdict, verdict
from coequal.statistics.old_power import Needed, settings_needed
from coequal.statistics.search import Search
from coequal.statistics.spacings import MAX_BUDGET_RATIO, TooFewSettings

COMPARED_BUDGETS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
"""Settings tried, n, for which every pair is compared; no reader needs more to see a trend."""


@dataclass(frozen=True)
class ModelPair:
    """Two models at the verdict's budget.

    Attributes:
        a: name of the first.
        b: name of the second.
        better: P(A better than B) with its interval; None if no interval can be given.
        refusal: why there is no interval; empty if there is one.
        needed: the settings that would separate them; None if no number can be given.
        needed_refusal: why no number can be given; empty if there is one.
    """

    a: str
    b: str
    better: Better | None
    refusal: str
    needed: Needed | None
    needed_refusal: str


@dataclass(frozen=True)
class PairAtBudget:
    """Two models at one of many budgets.

    Attributes:
        a: name of the first.
        b: name of the second.
        budget: n, the number of settings tried.
        better: P(A better than B at n) with its interval.
    """

    a: str
    b: str
    budget: int
    better: Better


@dataclass(frozen=True)
class Contest:
    """The comparison of the searches on one data set.

    Attributes:
        verdict: which models were shown to be beaten.
        pairs: every two models with results, in the study's order.
        over_budgets: every pair at several budgets, to half of the settings.
    """

    verdict: Verdict
    pairs: tuple[ModelPair, ...]
    over_budgets: tuple[PairAtBudget, ...]

    def pair(self, a: str, b: str) -> ModelPair | None:
        """The pair of two models, in whichever order it is stored."""
        return next((pair for pair in self.pairs if {pair.a, pair.b} == {a, b}), None)


def contest(searches: Mapping[str, SearchScores], *, cap: float | None) -> Contest | None:
    """The verdict and everything behind it; None without results.

    Args:
        searches: by model, those with results.
        cap: as a cost; None: not declared. P and its interval don't need it, power does.
    """
    if not searches:
        return None
    test_costs = {name: search.test for name, search in searches.items()}
    selection_scores = {name: search.validation for name, search in searches.items()}
    found = verdict(test_costs, choose_by=selection_scores)
    pairs = tuple(_pair(searches, a, b, found.budget, cap) for a, b in combinations(searches, 2))
    return Contest(found, pairs, tuple(_over_budgets(searches)))


def _over_budgets(searches: Mapping[str, SearchScores]) -> Iterator[PairAtBudget]:
    for a, b in combinations(searches, 2):
        most = MAX_BUDGET_RATIO * min(len(searches[a].test), len(searches[b].test))
        for budget in COMPARED_BUDGETS:
            if budget > most:
                break
            left, right = (
                Search(searches[name].test, budget, searches[name].validation) for name in (a, b)
            )
            yield PairAtBudget(a, b, budget, better(left, right))


def _pair(
    searches: Mapping[str, SearchScores],
    a: str,
    b: str,
    budget: int,
    cap: float | None,
) -> ModelPair:
    left, right = (
        Search(searches[name].test, budget, searches[name].validation) for name in (a, b)
    )
    comparison, refusal = None, ""
    try:
        comparison = better(left, right)
    except TooFewSettings as error:
        refusal = str(error)
    needed, needed_refusal = None, ""
    try:
        needed = settings_needed(left, right, cap=math.inf if cap is None else cap)
    except (TooFewSettings, ValueError) as error:
        needed_refusal = str(error)
    return ModelPair(a, b, comparison, refusal, needed, needed_refusal)
