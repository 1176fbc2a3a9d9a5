"""Which models were not shown to be beaten, at 95 %.

Models are compared by P(A better than B at n): the chance that the best of n settings of A beats
the best of n of B (ties and two failures count one half). The worse model of the clearest pair is
removed, and the rest compared again, each time with Bonferroni's correction for the pairs still
left: a model confidence set by elimination, after Hansen et al. 2011. Contenders with the same law
stay together in at least 95 % of studies. What stays was not shown to be beaten; that doesn't show
that it is equal.

From 20 settings per model, n is a tenth of them, fixed before any score is seen, and pairs are
tested by the normal score of P on the logit scale (`better.pair_z`). Smaller searches are compared
at n = 1 by the exact permutation law of P (Mann and Whitney 1947), which holds for any number of
settings.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import norm

from coequal.statistics.best_of import Array, Search, best_distribution, worst_last
from coequal.statistics.better import LOGIT_MIN_SETTINGS, pair_z, probability_better

LEVEL = 0.05
SETTINGS_PER_BUDGET = 10  # settings measured for each setting of the budget
BY_LOGIT = "elimination on P(A better than B), normal scores on the logit scale, Bonferroni"
BY_PERMUTATION = "elimination on P(A better than B), exact permutation law, Bonferroni"


@dataclass(frozen=True)
class Removal:
    """Why a model is not in its tier.

    Attributes:
        model: who left.
        beaten_by: the model of the clearest pair.
        probability: P(that model is better), at the verdict's budget.
        p_value: of the pair, two-sided, before the correction.
        threshold: what the p-value had to be at or below.
        z: the pair's normal score, positive; None where the permutation law was used.
        adjusted_p: corrected for all pairs of all comparisons so far.
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
    """The models not shown to be beaten, and who beat the others.

    Attributes:
        tier: the first tier, best first by the median of the best of n.
        removed: who left it, in order.
        tiers: all tiers, the first one first; only it has the promise of `level`.
        adjusted_p: for each model the level at which it would leave the first tier; 1: never.
        least_p: the smallest p-value that these numbers of settings could have given any pair.
        threshold: what the first comparison had to reach.
        method: in words.
        budget: n, the settings tried in a search.
        settings: how many were measured, for each model.
        level: largest chance that equal models are separated, over all pairs.
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
        """Whether any scores at all could have removed a model: if not, there were too few
        settings."""
        return self.least_p <= self.threshold


Test = Callable[[Search, Search], tuple[float, float | None]]  # p-value and normal score


@dataclass(frozen=True)
class PairTest:
    """The worse model of two, the better one, and how sure that is: attributes as in `Removal`."""

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
    """The models not shown to be beaten, and who beat the others.

    Args:
        scores: for each model the reported score of every setting, failures as NaN or infinity;
            lower is better.
        choose_by: for each model what its search looks at (validation), where that is not `scores`.
        level: chance that models with one common law are separated, over all pairs. A verdict at
            several budgets or on several data sets is several verdicts: divide the level.

    Raises:
        ValueError: no model, or one without settings.
    """
    if not scores or not all(len(values) for values in scores.values()):
        raise ValueError("a verdict needs at least one model, and each with settings")
    settings = {name: len(values) for name, values in sorted(scores.items())}
    fewest = min(settings.values())
    enough = fewest >= LOGIT_MIN_SETTINGS
    budget = fewest // SETTINGS_PER_BUDGET if enough else 1
    searches = {
        name: Search(scores[name], budget, choose_by[name] if choose_by and budget > 1 else None)
        for name in settings
    }
    ranked = sorted(searches, key=lambda name: (_typical(searches[name]), name))
    test = _by_logit if enough else _by_permutation
    pairs = [_pair(a, b, searches, test) for a, b in combinations(ranked, 2)]
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
    """Two-sided p-value of "A and B have the same law" at budget 1: the share of all ways to divide
    the settings among the two in which P(A better than B) is as far from 1/2, or farther.

    Exact for any numbers of settings, failures and ties: the law of a sum of mid-ranks, counted one
    setting after another (Streitberg and Roehmel 1986, Statistical Software Newsletter 12, 10-17).
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
    """Who leaves when, to the last: those with an adjusted p-value up to `level` leave the tier.

    Args:
        pairs: every pair of `ranked`, once.
        ranked: the models, best first; among equally clear pairs the last of them leaves, beaten
            by the first.
        level: shared by the pairs still compared, for the thresholds.
    """
    remaining, place = list(ranked), {name: rank for rank, name in enumerate(ranked)}
    removals: list[Removal] = []
    adjusted = 0.0

    def clearness(pair: PairTest) -> tuple[float, float, int, int]:
        clear = pair.p_value if pair.z is None else -pair.z
        return clear, -pair.probability, -place[pair.model], place[pair.beaten_by]

    while len(remaining) > 1:
        among = [pair for pair in pairs if pair.model in remaining and pair.beaten_by in remaining]
        clearest = min(among, key=clearness)
        adjusted = max(adjusted, min(1.0, len(among) * clearest.p_value))
        threshold = _threshold(len(remaining), level)
        removals.append(Removal(**vars(clearest), threshold=threshold, adjusted_p=adjusted))
        remaining.remove(clearest.model)
    return removals


def _tiers(
    ranked: Sequence[str], pairs: Sequence[PairTest], level: float
) -> tuple[tuple[str, ...], ...]:
    """The first tier, that of the models which remaining it, and so on."""
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
    """Of the ways to share a + b settings, only two are as clear as the clearest."""
    return 2 / math.comb(a + b, a)


def _threshold(models: int, level: float) -> float:
    return level / max(1, math.comb(models, 2))


def _typical(search: Search) -> float:
    """Median of the best of n."""
    return best_distribution(search.scores, search.budget, choose_by=search.choose_by).quantile(0.5)
