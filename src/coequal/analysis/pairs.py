"""How the models compare: the verdict on every pair, and what stands beside it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from coequal.statistics.anytime import SignEvidence, sign_evidence
from coequal.statistics.better import Better, better, pair_z
from coequal.statistics.power import settings_needed, smallest_difference
from coequal.statistics.rules import Rules, SearchRuns
from coequal.statistics.search import Search, worst_last
from coequal.statistics.spacings import MAX_BUDGET_RATIO
from coequal.statistics.typical import TypicalScore, typical_scores
from coequal.statistics.verdict import Verdict, verdict
from coequal.statistics.whole_searches import WholeSearches, whole_searches

COMPARED_BUDGETS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
"""Settings tried, n, for which every pair is compared; no reader needs more to see a trend."""

Names = tuple[str, str]


@dataclass(frozen=True)
class PairAtBudget:
    """Two models at one of many budgets.

    Attributes:
        a: name of the first.
        b: name of the second.
        budget: n, the number of settings tried.
        better: P(A better than B at n), with an interval of 95 % for this pair alone.
    """

    a: str
    b: str
    budget: int
    better: Better


@dataclass(frozen=True)
class AuthorsSetting:
    """How the authors' setting of a model compares with random ones.

    Attributes:
        score: its test value as a cost; NaN for a failure.
        rank: its place among the random settings and itself, 1 for the best; ties share their mean.
        settings: number of random settings.
        p_value: two-sided: how often a random setting would be as far at either end. It is exact,
            as the authors' setting would have any place with the same probability if it were a
            random draw.
    """

    score: float
    rank: float
    settings: int
    p_value: float


@dataclass(frozen=True)
class Contest:
    """The comparison of the searches on one dataset.

    Attributes:
        verdict: every pair of models, and what follows.
        searches: by model, what its random settings scored.
        typical: by model, what it typically scores when tuned, as a cost; without models that have
            no settings, or whose failures have no score to count as.
        over_budgets: every pair at several budgets, to half of the settings.
        anytime: by pair, evidence that holds however often one looks, at n = 1.
        needed: by undecided pair, the settings of each model in all that would decide it with a
            probability of 80 %, from its normal score and the verdict's own level; None where its
            models score the same.
        most_settings: number of settings at the last look that the study plans.
        smallest_difference: the ratio (difference, on the linear scale) that the last look would
            show with a probability of 80 %, from the spread of these searches: the median over the
            pairs; None where none would be shown, or too little is known.
        authors: by model, its authors' setting among the random ones.
        whole_searches: by model, disjoint searches of n settings each; without those that have
            fewer than two.
        saved: by model that no longer trains, the settings of the last look that it was spared.
    """

    verdict: Verdict
    searches: Mapping[str, SearchRuns]
    typical: Mapping[str, TypicalScore]
    over_budgets: tuple[PairAtBudget, ...]
    anytime: Mapping[Names, SignEvidence]
    needed: Mapping[Names, int | None]
    most_settings: int
    smallest_difference: float | None
    authors: Mapping[str, AuthorsSetting]
    whole_searches: Mapping[str, WholeSearches]
    saved: Mapping[str, int]


def contest(
    searches: Mapping[str, SearchRuns], rules: Rules, authors: Mapping[str, float]
) -> Contest | None:
    """Compare the searches of one dataset.

    Args:
        searches: by model.
        rules: that the study declares.
        authors: by model, the test value of the authors' setting as a cost; NaN for a failure.

    Returns:
        The comparison; None if no random setting has a result, or none is planned.
    """
    if not rules.looks or not any(runs.settings for runs in searches.values()):
        return None
    found = verdict(searches, rules)
    drawn = {name: current_search(runs, rules) for name, runs in searches.items() if runs.settings}
    whole = {name: whole_searches(search) for name, search in drawn.items()}
    return Contest(
        verdict=found,
        searches=searches,
        typical=typical_scores(drawn, rules),
        over_budgets=tuple(_over_budgets(searches, rules)),
        anytime={
            (pair.a, pair.b): _signs(searches[pair.a], searches[pair.b]) for pair in found.pairs
        },
        needed=_needed(found, drawn),
        most_settings=rules.looks[-1].settings,
        smallest_difference=_smallest(found, drawn),
        authors={
            name: _among(score, searches[name])
            for name, score in authors.items()
            if name in searches and searches[name].settings
        },
        whole_searches={name: blocks for name, blocks in whole.items() if blocks is not None},
        saved={
            name: rules.looks[-1].settings - found.settings[name]
            for name in searches
            if found.looks_done and name not in found.training
        },
    )


def current_search(runs: SearchRuns, rules: Rules, budget: float | None = None) -> Search:
    """The measured search of a model with all the settings that it has by now.

    Args:
        runs: of the model.
        rules: of the study: which settings count with the score of a fresh seed.
        budget: n; None: the one at which the study compares, or as many settings as there are.
    """
    looks = [look.settings for look in rules.looks if look.settings <= runs.settings]
    n = min(rules.judged_budget, runs.settings) if budget is None else budget
    return runs.search(n, looks, rules.retrained_share, runs.settings)


def _over_budgets(searches: Mapping[str, SearchRuns], rules: Rules) -> Iterator[PairAtBudget]:
    at = {
        (name, budget): current_search(runs, rules, budget)
        for name, runs in searches.items()
        for budget in COMPARED_BUDGETS
        if budget <= MAX_BUDGET_RATIO * runs.settings
    }
    for a, b in combinations(searches, 2):
        for budget in COMPARED_BUDGETS:
            if (a, budget) in at and (b, budget) in at:
                yield PairAtBudget(a, b, budget, better(at[a, budget], at[b, budget]))


def _signs(a: SearchRuns, b: SearchRuns) -> SignEvidence:
    both = min(a.settings, b.settings)
    return sign_evidence(a.test[:both], b.test[:both])


def _needed(found: Verdict, searches: Mapping[str, Search]) -> dict[Names, int | None]:
    needed: dict[Names, int | None] = {}
    for pair in found.pairs:
        if pair.decided or pair.a not in searches or pair.b not in searches:
            continue
        left, right = searches[pair.a], searches[pair.b]
        both = min(left.settings, right.settings)
        if both >= 2 and left.settings == right.settings:
            z = pair_z(left, right)
            needed[pair.a, pair.b] = settings_needed(z, both, found.threshold)
    return needed


def _smallest(found: Verdict, searches: Mapping[str, Search]) -> float | None:
    shown = []
    for pair in found.pairs:
        sides = [searches[name] for name in (pair.a, pair.b) if name in searches]
        if len(sides) < 2 or sides[0].settings != sides[1].settings or sides[0].settings < 4:
            continue
        difference = smallest_difference(
            *sides,
            settings=found.rules.looks[-1].settings,
            level=found.threshold,
            scale=found.rules.scale,
        )
        shown.append(math.inf if difference is None else difference)
    middle = median(shown) if shown else math.inf
    return middle if math.isfinite(middle) else None


def _among(score: float, runs: SearchRuns) -> AuthorsSetting:
    drawn, own = worst_last(runs.test), score if math.isfinite(score) else math.inf
    better_ones, equal = int((drawn < own).sum()), int((drawn == own).sum())
    places = runs.settings + 1
    at_best, at_worst = better_ones + 1, better_ones + equal + 1
    # As far as it can be from the nearer end, where it ties.
    tail = min(at_worst, places + 1 - at_best)
    return AuthorsSetting(
        score, (at_best + at_worst) / 2, runs.settings, min(1.0, 2 * tail / places)
    )
