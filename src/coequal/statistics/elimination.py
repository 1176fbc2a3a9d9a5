"""Which models were not shown to be beaten, at 95 %.

Models are compared by P(A better than B at n): the probability that the best of n settings of A
beats the best of n of B (ties and two failures count one half). The worse model of the clearest
pair is removed, and the remaining models are compared again, each time with Bonferroni's correction
for the pairs that remain: a model confidence set by elimination, after Hansen et al. 2011. Models
with the same distribution of scores stay together in at least 95 % of studies. A model that stays
was not shown to be beaten, which does not mean that it is equal to the others.

From 20 settings per model, n is a tenth of them, fixed before any score is seen, and pairs are
tested by the normal score of P on the logit scale (`better.pair_z`). Smaller searches are compared
at n = 1 by the exact permutation distribution of P (Mann and Whitney 1947), which holds for any
number of settings.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import norm

from coequal.statistics.best_of import best_distribution
from coequal.statistics.better import LOGIT_MIN_SETTINGS, pair_z, probability_better
from coequal.statistics.search import Array, Search, worst_last

LEVEL = 0.05
SETTINGS_PER_BUDGET = 10
"""Number of settings measured for each setting of the budget."""
BY_LOGIT = "elimination on P(A better than B), normal scores on the logit scale, Bonferroni"
BY_PERMUTATION = "elimination on P(A better than B), exact permutation distribution, Bonferroni"


@dataclass(frozen=True)
class Removal:
    """Why a model is not in its tier.

    Attributes:
        model: the model that was removed.
        beaten_by: the better model of the clearest pair.
        probability: P(that model is better) at the verdict's budget.
        p_value: two-sided p-value of the pair, before the correction.
        threshold: largest p-value that would have removed a model at this step.
        z: normal score of the pair, positive; None where the permutation distribution was used.
        adjusted_p: p-value corrected for all pairs of all comparisons so far.
    """

    model: str
    beaten_by: str
    probability: float
    p_value: float
    threshold: float
    z: float | None
    adjusted_p: float


@dataclass(frozen=True)
class Verdict:
    """The models not shown to be beaten, and why the others were removed.

    Attributes:
        tier: the first tier, best first by the median of the best of n.
        removed: the models removed from it, in order.
        tiers: all tiers, the first one first; only the first has the guarantee of `level`.
        adjusted_p: for each model the level at which it would be removed from the first tier; 1 if
            never.
        least_p: the smallest p-value that these numbers of settings could have given any pair.
        threshold: largest p-value that would have removed a model at the first step.
        method: name of the method, as the report prints it.
        budget: number of settings tried in a search, n.
        settings: number of measured settings of each model.
        level: largest probability that equal models are separated, over all pairs.
    """

    tier: tuple[str, ...]
    removed: tuple[Removal, ...]
    tiers: tuple[tuple[str, ...], ...]
    adjusted_p: Mapping[str, float]
    least_p: float
    threshold: float
    method: str
    budget: int
    settings: Mapping[str, int]
    level: float

    @property
    def could_separate(self) -> bool:
        """Whether any scores at all could have removed a model; if not, there were too few
        settings."""
        return self.least_p <= self.threshold


Test = Callable[[Search, Search], tuple[float, float | None]]  # p-value and normal score


@dataclass(frozen=True)
class PairTest:
    """The test of one pair of models.

    Attributes:
        model: the worse model.
        beaten_by: the better model.
        probability: P(the better model is better), at least one half.
        p_value: two-sided p-value of this pair alone.
        z: normal score, positive; None where the permutation distribution was used.
    """

    model: str
    beaten_by: str
    probability: float
    p_value: float
    z: float | None


def verdict(
    scores: Mapping[str, Array],
    *,
    choose_by: Mapping[str, Array] | None = None,
    level: float = LEVEL,
) -> Verdict:
    """Determine which models were not shown to be beaten, and why the others were removed.

    Args:
        scores: for each model the (settings,) reported scores, lower is better; failures as NaN or
            infinity.
        choose_by: for each model the (settings,) scores that its search selects by (validation);
            None means `scores`. Without effect at a budget of one setting.
        level: probability that models with one common distribution are separated, over all pairs. A
            verdict at several budgets or on several data sets is several verdicts: divide the
            level.

    Raises:
        ValueError: there is no model, or one without settings.
    """
    if not scores or not all(len(values) for values in scores.values()):
        raise ValueError("a verdict needs at least one model, and each with settings")
    # Fix the budget before any score is seen.
    settings = {name: len(values) for name, values in sorted(scores.items())}
    fewest = min(settings.values())
    enough = fewest >= LOGIT_MIN_SETTINGS
    budget = fewest // SETTINGS_PER_BUDGET if enough else 1
    # Test every pair of models at this budget.
    searches = {
        name: Search(scores[name], budget, choose_by[name] if choose_by and budget > 1 else None)
        for name in settings
    }
    ranked = sorted(searches, key=lambda name: (_typical(searches[name]), name))
    test = _by_logit if enough else _by_permutation
    pairs = [_pair(a, b, searches, test) for a, b in combinations(ranked, 2)]
    # Remove the worse model of the clearest pair until one remains.
    removals = eliminate(pairs, ranked, level)
    adjusted = dict.fromkeys(ranked, 1.0) | {r.model: r.adjusted_p for r in removals}
    return Verdict(
        tier=tuple(name for name in ranked if adjusted[name] > level),
        removed=tuple(removal for removal in removals if removal.adjusted_p <= level),
        tiers=_tiers(ranked, pairs, level),
        adjusted_p=adjusted,
        least_p=min(
            (_least_p(settings[a], settings[b]) for a, b in combinations(ranked, 2)), default=1.0
        ),
        threshold=_threshold(len(ranked), level),
        method=BY_LOGIT if enough else BY_PERMUTATION,
        budget=budget,
        settings=settings,
        level=level,
    )


def pair_p_value(a: Array, b: Array) -> float:
    """Return the two-sided p-value of "A and B have the same distribution" at budget 1.

    It is the proportion of all ways to divide the settings among the two in which P(A better than
    B) is at least as far from 1/2. It is exact for any numbers of settings, failures and ties: the
    distribution of a sum of mid-ranks is counted by adding one setting after another (Streitberg
    and Roehmel 1986, Statistical Software Newsletter 12, 10-17).

    Args:
        a: (settings of A,) scores; failures as NaN or infinity.
        b: (settings of B,) scores.
    """
    few, more = sorted((worst_last(a), worst_last(b)), key=len)
    _, group, size = np.unique(np.concatenate([few, more]), return_inverse=True, return_counts=True)
    ranks = (2 * np.cumsum(size) - size + 1)[group]  # twice the mid-ranks: whole numbers
    counts = np.zeros((len(few) + 1, int(np.sort(ranks)[-len(few) :].sum()) + 1))
    counts[0, 0] = 1
    for rank in ranks:
        counts[1:, rank:] += counts[:-1, : counts.shape[1] - rank].copy()
    middle = len(few) * (len(ranks) + 1)
    apart = np.abs(np.arange(counts.shape[1]) - middle)
    extreme = counts[-1, apart >= abs(int(ranks[: len(few)].sum()) - middle)]
    return float(extreme.sum() / counts[-1].sum())


def eliminate(
    pairs: Sequence[PairTest], ranked: Sequence[str], level: float = LEVEL
) -> list[Removal]:
    """Remove models one after another until a single one remains.

    Args:
        pairs: the test of every pair of `ranked`, once.
        ranked: the models, best first. Among equally clear pairs the last of them is removed,
            beaten by the first.
        level: largest probability to separate equal models; divided by the number of pairs that
            remain, it gives the threshold of each step.

    Returns:
        The removals in order; models with an adjusted p-value of at most `level` do not belong to
        the tier.
    """
    remaining, place = list(ranked), {name: rank for rank, name in enumerate(ranked)}
    removals: list[Removal] = []
    adjusted = 0.0

    def clearness(pair: PairTest) -> tuple[float, float, int, int]:
        clear = pair.p_value if pair.z is None else -pair.z
        return clear, -pair.probability, -place[pair.model], place[pair.beaten_by]

    while len(remaining) > 1:
        # Find the clearest pair among the remaining models.
        among = [pair for pair in pairs if pair.model in remaining and pair.beaten_by in remaining]
        clearest = min(among, key=clearness)
        # Correct its p-value for the number of pairs, and never below that of an earlier step.
        adjusted = max(adjusted, min(1.0, len(among) * clearest.p_value))
        threshold = _threshold(len(remaining), level)
        removals.append(Removal(**vars(clearest), threshold=threshold, adjusted_p=adjusted))
        remaining.remove(clearest.model)
    return removals


def _tiers(
    ranked: Sequence[str], pairs: Sequence[PairTest], level: float
) -> tuple[tuple[str, ...], ...]:
    """The first tier, then the tier of the models removed from it, and so on."""
    tiers: list[tuple[str, ...]] = []
    remaining = list(ranked)
    while remaining:
        among = [pair for pair in pairs if pair.model in remaining and pair.beaten_by in remaining]
        gone = {r.model for r in eliminate(among, remaining, level) if r.adjusted_p <= level}
        tiers.append(tuple(name for name in remaining if name not in gone))
        remaining = [name for name in remaining if name in gone]
    return tuple(tiers)


def _by_logit(a: Search, b: Search) -> tuple[float, float | None]:
    z = abs(pair_z(a, b))
    p_value = 2 * float(norm.sf(z))
    return max(p_value, _least_p(a.settings, b.settings)), z


def _by_permutation(a: Search, b: Search) -> tuple[float, float | None]:
    return pair_p_value(a.scores, b.scores), None


def _pair(a: str, b: str, searches: Mapping[str, Search], test: Test) -> PairTest:
    better = probability_better(searches[a], searches[b])
    p_value, z = test(searches[a], searches[b])
    worse, best = (b, a) if better >= 0.5 else (a, b)
    return PairTest(worse, best, max(better, 1 - better), p_value, z)


def _least_p(a: int, b: int) -> float:
    """The smallest possible p-value: of the ways to divide a + b settings, only two are as clear as
    the clearest."""
    return 2 / math.comb(a + b, a)


def _threshold(models: int, level: float) -> float:
    return level / max(1, math.comb(models, 2))


def _typical(search: Search) -> float:
    """Median of the best of n."""
    return best_distribution(search.scores, search.budget, choose_by=search.choose_by).quantile(0.5)
