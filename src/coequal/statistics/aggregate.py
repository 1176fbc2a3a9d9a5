"""Aggregates over datasets: interquartile mean and performance profile.

Every interval is over the runs within each dataset, not over the choice of datasets. That of the
interquartile mean resamples the runs (stratified bootstrap; Agarwal et al. 2021, arXiv:2108.13264,
section 4), with percentiles expanded for small samples (Hesterberg 2015, Am. Stat. 69, 371-386).
Fractions have a closed form instead: a bootstrap of five to twenty runs covers
them much worse (docs/explanation/validation.md), and has no width at all where all runs agree.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from coequal.statistics.rates import mean_rate, wilson
from coequal.statistics.search import Array, capped

MIN_RUNS = 5
"""Number of runs per dataset below which no interval is given."""


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

    Datasets have equal weight.

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


def normalise(scores: Array, *, cap: float, floor: float) -> Array:
    """Return (cap - score) / (cap - floor): 1 at the floor, 0 at the cap and for failures.

    Higher is better.

    Args:
        scores: (runs,) scores; failures are not finite.
        cap: the score of a failure on this dataset.
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
    """Return the mean of the middle half of a model's normalised runs over all datasets.

    Every dataset has the same weight, whatever its number of runs. The quarters end within a run
    if they must: the ends are fractional, and with equal numbers divisible by 4 they fall between
    runs.

    Args:
        normalised: for each dataset the model's (runs,) normalised scores (`normalise`), finite.
        rng: source of the resamples.
        draws: number of resamples.

    Raises:
        ValueError: there are no datasets, one has no runs, or a score is not finite.
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
    """Return the fraction of a model's runs at or above each normalised score, over all datasets.

    The intervals are Wilson's for each dataset, combined by `rates.mean_rate`.

    Args:
        normalised: for each dataset the model's (runs,) normalised scores (`normalise`), finite.
        levels: (levels,) normalised scores, ascending.

    Raises:
        ValueError: there are no datasets, one has no runs, or a score is not finite.

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


def _groups(normalised: Mapping[str, Array]) -> list[Array]:
    groups = [normalised[name] for name in sorted(normalised)]
    if not groups or min(len(group) for group in groups) < 1:
        raise ValueError("needs at least one dataset, and runs on each")
    if not all(np.all(np.isfinite(group)) for group in groups):
        raise ValueError("normalised scores are finite: a failure has the cap's, 0")
    return groups


def _refusal(runs: list[int]) -> str:
    return f"fewer than {MIN_RUNS} runs on a dataset" if min(runs) < MIN_RUNS else ""


def _middle(values: Array, weights: Array) -> Array:
    """(...) mean of the middle half of (..., runs) values by weights that add up to 1."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    upto = np.cumsum(weights[order], axis=-1)
    upto = np.concatenate([np.zeros_like(upto[..., :1]), np.clip(upto, 0.25, 0.75)], axis=-1)
    upto[..., 0] = 0.25
    return np.asarray(2 * np.sum(np.diff(upto, axis=-1) * ordered, axis=-1), dtype=np.float64)
