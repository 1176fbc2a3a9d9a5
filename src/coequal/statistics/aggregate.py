"""Aggregates over budgets and over data sets: ranks and their changes, interquartile mean,
performance profile, and the probability of improvement.

Every interval is over the runs within each data set, not over the choice of data sets. That of the
interquartile mean resamples the runs (stratified bootstrap; Agarwal et al. 2021, arXiv:2108.13264,
section 4), with percentiles expanded for small samples (Hesterberg 2015, Am. Stat. 69, 371-386).
Fractions and probabilities have closed forms instead: a bootstrap of five to twenty runs covers
them much worse (docs/validation.md), and has no width at all where all runs agree.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import norm, rankdata
from scipy.stats import t as student

from coequal.statistics.best_of import Array, budget_curve, capped
from coequal.statistics.better import beats
from coequal.statistics.rates import mean_rate, newcombe, wilson

MAX_CONSECUTIVE_BUDGETS = 250  # budgets up to which each is looked at
CONSECUTIVE_BUDGETS, SPACED_BUDGETS = 30, 70  # of larger searches: every n, then so many more

MIN_RUNS = 5
"""Runs per data set below which no interval is given."""


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


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval.

    Attributes:
        value: point estimate.
        low: lower end of the interval; None where it is refused.
        high: upper end of the interval; None where it is refused.
        note: why there is no interval; empty where there is one.
    """

    value: float
    low: float | None
    high: float | None
    note: str


@dataclass(frozen=True)
class Profile:
    """Performance profile: the fraction of runs at or above each normalised score.

    Data sets have equal weight.

    Attributes:
        levels: normalised scores, ascending.
        fractions: fraction of the runs at or above each level, in [0, 1].
        low: lower ends of a 95 % interval at each level by itself; None where they are refused.
        high: upper ends; None where they are refused.
        note: why there are no intervals; empty where there are.
    """

    levels: tuple[float, ...]
    fractions: tuple[float, ...]
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    note: str


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


def normalise(scores: Array, *, cap: float, floor: float) -> Array:
    """Return (cap - score) / (cap - floor): 1 at the floor, 0 at the cap and for failures.

    Higher is better.

    Args:
        scores: (runs,) scores; failures are not finite.
        cap: the score of a failure on this data set.
        floor: the best score that is possible there: 0, or a true bound, such as the score of real
            images.

    Returns:
        (runs,) normalised scores.

    Raises:
        ValueError: the cap is not above the floor.
    """
    if not cap > floor:
        raise ValueError(f"the cap must be above the floor, got {cap} and {floor}")
    return (cap - capped(scores, cap)) / (cap - floor)


def interquartile_mean(
    normalised: Mapping[str, Array], *, rng: np.random.Generator, draws: int = 4000
) -> Estimate:
    """Return the mean of the middle half of a model's normalised runs over all data sets.

    Every data set has the same weight, whatever its number of runs. The quarters end within a run
    if they must: the ends are fractional, and with equal numbers divisible by 4 they fall between
    runs.

    Args:
        normalised: for each data set the model's (runs,) normalised scores (`normalise`), finite.
        rng: source of the resamples.
        draws: number of resamples.

    Raises:
        ValueError: there are no data sets, one has no runs, or a score is not finite.
    """
    groups = _groups(normalised)
    weights = np.concatenate([np.full(len(g), 1 / (len(g) * len(groups))) for g in groups])
    value = float(_middle(np.concatenate(groups), weights))
    refusal = _refusal([len(group) for group in groups])
    if refusal:
        return Estimate(value, None, None, refusal)
    resampled = [group[rng.integers(len(group), size=(draws, len(group)))] for group in groups]
    # Percentiles as far out as a small sample needs: resampling forgets t and ddof.
    fewest, degrees = min(map(len, groups)), sum(len(group) - 1 for group in groups)
    reach = student.ppf(0.975, degrees) * math.sqrt(fewest / (fewest - 1))
    tails = norm.cdf([-reach, reach])
    low, high = np.quantile(_middle(np.concatenate(resampled, axis=1), weights), tails)
    return Estimate(value, float(low), float(high), "")


def performance_profile(normalised: Mapping[str, Array], levels: Array) -> Profile:
    """Return the fraction of a model's runs at or above each normalised score, over all data sets.

    The intervals are Wilson's for each data set, combined by `rates.mean_rate`.

    Args:
        normalised: for each data set the model's (runs,) normalised scores (`normalise`), finite.
        levels: (levels,) normalised scores, ascending.

    Raises:
        ValueError: there are no data sets, one has no runs, or a score is not finite.

    Source: Dolan and Moré 2002, Math. Program. 91, 201-213; Agarwal et al. 2021, section 4.2.
    """
    groups = _groups(normalised)
    counts = [np.sum(group[:, None] >= levels, axis=0).tolist() for group in groups]
    rates = [[n / len(g) for n in count] for g, count in zip(groups, counts, strict=True)]
    fractions = tuple(float(fraction) for fraction in np.mean(rates, axis=0))
    refusal = _refusal([len(group) for group in groups])
    if refusal:
        return Profile(tuple(levels.tolist()), fractions, None, None, refusal)
    ends = []
    for level in range(len(levels)):
        each = [wilson(n[level], len(g)) for g, n in zip(groups, counts, strict=True)]
        ends.append(mean_rate([rate[level] for rate in rates], each))
    low, high = zip(*ends, strict=True)
    return Profile(tuple(levels.tolist()), fractions, low, high, "")


def probability_of_improvement(a: Mapping[str, Array], b: Mapping[str, Array]) -> Estimate:
    """Return P(a run of A beats a run of B on the same data set), averaged over the data sets.

    The interval is Newcombe's for each data set, combined by `rates.mean_rate`.

    Args:
        a: for each data set A's (runs,) scores, lower is better; failures are not finite and are
            worst; ties count one half.
        b: for each data set B's (runs,) scores.

    Raises:
        ValueError: the data sets differ, there are none, or one has no runs.
    """
    if set(a) != set(b):
        raise ValueError(f"different data sets: {sorted(set(a) ^ set(b))}")
    sizes = [(len(a[name]), len(b[name])) for name in sorted(a)]
    if not sizes or min(map(min, sizes)) < 1:
        raise ValueError("needs at least one data set, and runs on each")
    probabilities = [float(np.mean(beats(a[name], b[name]))) for name in sorted(a)]
    value = float(np.mean(probabilities))
    refusal = _refusal([min(size) for size in sizes])
    if refusal:
        return Estimate(value, None, None, refusal)
    each = [
        newcombe(probability, *size) for probability, size in zip(probabilities, sizes, strict=True)
    ]
    return Estimate(value, *mean_rate(probabilities, each), "")


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


def _groups(normalised: Mapping[str, Array]) -> list[Array]:
    groups = [normalised[name] for name in sorted(normalised)]
    if not groups or min(len(group) for group in groups) < 1:
        raise ValueError("needs at least one data set, and runs on each")
    if not all(np.all(np.isfinite(group)) for group in groups):
        raise ValueError("normalised scores are finite: a failure has the cap's, 0")
    return groups


def _refusal(runs: list[int]) -> str:
    return f"fewer than {MIN_RUNS} runs on a data set" if min(runs) < MIN_RUNS else ""


def _middle(values: Array, weights: Array) -> Array:
    """(...) mean of the middle half of (..., runs) values by weights that add up to 1."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    upto = np.cumsum(weights[order], axis=-1)
    upto = np.concatenate([np.zeros_like(upto[..., :1]), np.clip(upto, 0.25, 0.75)], axis=-1)
    upto[..., 0] = 0.25
    return np.asarray(2 * np.sum(np.diff(upto, axis=-1) * ordered, axis=-1), dtype=np.float64)
