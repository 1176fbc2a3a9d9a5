"""Rates, and aggregates over data sets

The coverage of Wilson's interval is exact, a sum over the counts for every rate up to one half. The
rest is simulated: normal scores, a tenth of the runs failing, four data sets 0.3 apart or one; the
other model is worse by one standard deviation.
"""

from collections.abc import Iterable

import numpy as np
from scipy.stats import binom, norm

from coequal.statistics.aggregate import (
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
)
from coequal.statistics.rates import wilson
from validation.common import Row, over_distributions

LEVELS = np.array([-0.5, 0.2, 1.0])
WORST = -4.0  # the normalised score of a failure


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    yield from _exact()
    rng = np.random.default_rng(43)
    studies = 100 if quick else 1000
    for runs in (5, 10, 20):
        yield from _over_data(rng, runs, studies)


def _exact() -> Iterable[Row]:
    rates = np.linspace(0.001, 0.5, 500)
    for total in (5, 10, 20, 50, 100):
        probabilities = binom.pmf(np.arange(total + 1)[:, None], total, rates)
        ends = np.array([wilson(k, total) for k in range(total + 1)])
        covers = (ends[:, :1] <= rates) & (rates <= ends[:, 1:])
        covered = (probabilities * covers).sum(axis=0)
        yield over_distributions(
            "rate, Wilson",
            f"{total} trials, mean of {len(rates)} rates",
            {f"rate {rate:.3f}": c for rate, c in zip(rates, covered.tolist(), strict=True)},
            0,
            worst=0.83,
            remark="exact",
        )


def _over_data(rng: np.random.Generator, runs: int, studies: int) -> Iterable[Row]:
    names = ("interquartile mean", *(["performance profile"] * len(LEVELS)), "improvement")
    covered: dict[str, dict[str, float]] = {name: {} for name in names}
    for data in (1, 4):
        counts = _hits(rng, data, runs, studies).tolist()
        where = f"{data} data sets" if data > 1 else "one data set"
        covered["interquartile mean"][where] = counts[0]
        for level, fraction in zip(LEVELS, counts[1:-1], strict=True):
            covered["performance profile"][f"{where}, level {level:g}"] = fraction
        covered["improvement"][where] = counts[-1]
    labels = {
        "interquartile mean": "interquartile mean over data sets, bootstrap",
        "performance profile": "performance profile, Wilson combined",
        "improvement": "probability of improvement, Newcombe combined",
    }
    for name, label in labels.items():
        about = f"{runs} runs, mean of {len(covered[name])} cases"
        declared = "conservative" if name == "interquartile mean" else ""
        yield over_distributions(
            label, about, covered[name], studies, worst=0.90, declared=declared
        )


def _hits(rng: np.random.Generator, data: int, runs: int, studies: int) -> np.ndarray:
    shifts = np.linspace(-0.3, 0.3, data) if data > 1 else np.zeros(1)
    large = shifts[:, None] + rng.standard_normal((data, 400_000 // data))
    large[rng.random(large.shape) < 0.1] = WORST
    ordered = np.sort(large.ravel())
    middle = ordered[len(ordered) // 4 : -len(ordered) // 4].mean()
    fractions = 0.9 * np.mean(norm.sf(LEVELS - shifts[:, None]), axis=0)
    better = 0.9**2 * norm.cdf(1 / np.sqrt(2)) + 0.9 * 0.1 + 0.1**2 / 2
    counts = np.zeros(2 + len(LEVELS))
    for _ in range(studies):
        a, b = shifts[:, None] + rng.standard_normal((2, data, runs))
        a[rng.random(a.shape) < 0.1] = np.nan
        b = np.where(rng.random(b.shape) < 0.1, np.nan, b - 1)
        scores = {str(d): np.where(np.isnan(row), WORST, row) for d, row in enumerate(a)}
        mean = interquartile_mean(scores, rng=rng, draws=1000)
        counts[0] += mean.low <= middle <= mean.high
        profile = performance_profile(scores, LEVELS)
        counts[1:-1] += (np.array(profile.low) <= fractions) & (fractions <= np.array(profile.high))
        won = probability_of_improvement(
            *({str(d): -row for d, row in enumerate(side)} for side in (a, b))
        )
        counts[-1] += won.low <= better <= won.high
    return counts / studies
