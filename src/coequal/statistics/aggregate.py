"""Over budgets and over data sets: ranks, rank flips, interquartile mean, performance profile, and
the chance that one model improves on another.

Every interval is over the runs within each data set, not over the choice of data sets. That of the
interquartile mean resamples the runs (stratified bootstrap; Agarwal et al. 2021, arXiv:2108.13264,
section 4), with percentiles expanded for small samples (Hesterberg 2015, Am. Stat. 69, 371-386).
Shares and probabilities have closed forms instead, because a bootstrap of five to twenty runs
covers them
much worse (docs/validation.md): where all runs agree, it has no width at all.
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
    """From this budget on, a model that was behind is ahead by expected best. Nothing is claimed
    about the difference."""

    budget: int
    ahead: str
    behind: str


@dataclass(frozen=True)
class Ranks:
    """Rank of every model at every budget, 1 is best; ties share the mean of their ranks."""

    models: tuple[str, ...]
    budgets: tuple[int, ...]
    expected: tuple[tuple[float, ...], ...]  # [model][budget] expected best of n
    ranks: tuple[tuple[float, ...], ...]  # [model][budget]
    flips: tuple[Flip, ...]  # by budget


@dataclass(frozen=True)
class Estimate:
    """A number and the ends of its 95 % interval; None where it is refused."""

    value: float
    low: float | None
    high: float | None
    note: str  # why there is no interval, or ""


@dataclass(frozen=True)
class Profile:
    """Share of the runs at or above each normalised score, data sets weighing the same."""

    levels: tuple[float, ...]
    fractions: tuple[float, ...]
    low: tuple[float, ...] | None  # ends of a 95 % interval at each level by itself
    high: tuple[float, ...] | None  # None: refused
    note: str  # why there are no intervals, or ""


def rank_curves(
    scores: Mapping[str, Array],
    *,
    cap: float,
    choose_by: Mapping[str, Array] | None = None,
) -> Ranks:
    """Ranks by the expected best of n (without replacement) for n = 1 .. half the settings of the
    model that has fewest; of very many settings for a selection of n (`ranked_budgets`).

    Args:
        scores: for each model its (settings,) reported scores; failures not finite.
        cap: the score of a failure, the same for all models.
        choose_by: for each model the scores that the search looks at; see `best_of.expected_best`.

    Raises:
        ValueError: no models, or one with no settings.
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
    """1 .. `largest`; beyond `MAX_CONSECUTIVE_BUDGETS` every n to 30, and 70 more in equal "
    f"ratios."""
    if largest <= MAX_CONSECUTIVE_BUDGETS:
        return tuple(range(1, largest + 1))
    spread = (
        round(n) for n in np.geomspace(CONSECUTIVE_BUDGETS, largest, SPACED_BUDGETS + 1).tolist()
    )
    return tuple(sorted({*range(1, CONSECUTIVE_BUDGETS + 1), *spread}))


def normalise(scores: Array, *, cap: float, floor: float) -> Array:
    """(cap - score) / (cap - floor): 1 at the floor, 0 at the cap and for failures; higher is
    better.

    Args:
        scores: (runs,); failures not finite.
        cap: the score of a failure on this data set.
        floor: the best score that is possible there: 0, or a true bound, such as the score of real
            images.

    Raises:
        ValueError: the cap isn't above the floor.
    """
    if not cap > floor:
        raise ValueError(f"the cap must be above the floor, got {cap} and {floor}")
    return (cap - capped(scores, cap)) / (cap - floor)


def interquartile_mean(
    normalised: Mapping[str, Array], *, rng: np.random.Generator, draws: int = 4000
) -> Estimate:
    """Mean of the middle half of a model's normalised runs over all data sets.

    Every data set weighs the same whatever its number of runs, and the quarters end within a run if
    they must (fractional ends; with equal numbers divisible by 4 the same as whole runs).

    Args:
        normalised: for each data set the model's (runs,) normalised scores (`normalise`), finite.
        rng: draws the resamples.
        draws: number of resamples.

    Raises:
        ValueError: no data sets, one without runs, or a score that isn't finite.
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
    """Share of a model's runs with a normalised score at or above each level, over all data sets.

    Intervals: Wilson's for each data set, combined (`rates.mean_rate`).

    Args:
        normalised: see `interquartile_mean`.
        levels: (levels,) ascending.

    Raises:
        ValueError: see `interquartile_mean`.

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
    """P(a run of A beats a run of B on the same data set), averaged over the data sets.

    Interval: Newcombe's for each data set, combined (`rates.mean_rate`).

    Args:
        a, b: for each data set the (runs,) scores, lower is better; failures not finite, worst of
            all; ties count one half.

    Raises:
        ValueError: different data sets, none, or one without runs.
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
