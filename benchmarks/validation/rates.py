"""Rates, correlations, and aggregates over datasets

The coverage of Wilson's interval is exact: a sum over the counts, for every rate up to one half.
The rest is simulated. Pooled over models: 3 or 8 models fail on settings that they share, at a rate
of 2, 5 or 20 %, with latent normal variables that correlate by 0, 0.3, 0.6 or 0.9 between models.
Wilson's interval of the pooled trials, which treats them as independent, covers 57 to 95 %.

Correlations: two scores of each setting of each model have effects of the model, of the setting and
of the pair, each correlated between the two scores; the truth is that of a new model with a new
setting. The interval for independent pairs covers 24 to 97 %.

Aggregates: normal scores, a tenth of the runs failing, four datasets 0.3 apart or one.
"""

import math
from collections.abc import Iterable

import numpy as np
from scipy.stats import binom, norm

from coequal.statistics.aggregate import (
    interquartile_mean,
    performance_profile,
)
from coequal.statistics.correlation import clustered_spearman
from coequal.statistics.rates import clustered_rate, wilson
from validation.common import Row, over_distributions

ALONE = "The failure rate of one model lies within Wilson's interval"
POOLED = "The failure rate over models that share their settings lies within its interval"
AGREE = "Spearman's correlation over settings of all models lies within its interval"
OVER_DATA = "Aggregates over datasets lie within their intervals"
CLAIMS = {
    ALONE: "5 to 100 trials, every rate up to one half",
    POOLED: "3 and 8 models, 4 to 100 shared settings, correlations of 0 to 0.9",
    AGREE: "5 to 12 models, 4 to 60 settings, effects of models, settings and both",
    OVER_DATA: "5 to 20 runs, one dataset and four",
}
EFFECTS = {
    "models differ": ((1, 0.5), (0, 0.0), 0.5),
    "models differ, strongly correlated": ((1, 0.9), (0, 0.0), 0.3),
    "models differ, against the settings": ((1, 0.9), (0, 0.0), -0.3),
    "models alike": ((0, 0.0), (0, 0.0), 0.5),
    "models and settings differ": ((1, 0.5), (1, 0.5), 0.5),
    "settings differ": ((0, 0.0), (1, 0.8), 0.3),
}
"""Standard deviation and correlation of the effects of models and of settings, and the correlation
within a pair, whose standard deviation is 1."""
LEVELS = np.array([-0.5, 0.2, 1.0])
WORST = -4.0  # the normalised score of a failure


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    yield from _exact()
    rng = np.random.default_rng(43)
    studies = 100 if quick else 1000
    for models in (3, 8):
        for settings in (4, 20, 100):
            yield _pooled(rng, models, settings, studies // 2)
    for models, settings in ((5, 6), (5, 20), (8, 4), (8, 20), (8, 60), (12, 20)):
        yield _correlated(rng, models, settings, studies // 5)
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
            claim=ALONE,
        )


def _pooled(rng: np.random.Generator, models: int, settings: int, studies: int) -> Row:
    covered = {}
    for rate in (0.02, 0.05, 0.2):
        for correlation in (0.0, 0.3, 0.6, 0.9):
            common = math.sqrt(correlation) * rng.standard_normal((studies, settings, 1))
            own = rng.standard_normal((studies, settings, models))
            failed = common + math.sqrt(1 - correlation) * own > norm.isf(rate)
            ends = [clustered_rate(found, [models] * settings) for found in failed.sum(axis=2)]
            hits = [low <= rate <= high for low, high in ends]
            covered[f"rate {rate:g}, correlation {correlation:g}"] = float(np.mean(hits))
    return over_distributions(
        f"rate over {models} models, clustered by setting",
        f"{settings} settings, mean of {len(covered)} cases",
        covered,
        studies,
        declared="conservative",
        claim=POOLED,
    )


def _correlated(rng: np.random.Generator, models: int, settings: int, studies: int) -> Row:
    """Scores x and y of each pair: sums of three effects, whose correlations of normal variables
    give Spearman's as 6/pi asin(r/2)."""
    labels = [m for m in range(models) for _ in range(settings)]
    numbers = [s for _ in range(models) for s in range(settings)]
    covered = {}
    for name, (of_models, of_settings, within) in EFFECTS.items():
        parts = ((*of_models, (models, 1)), (*of_settings, (1, settings)))
        parts = (*parts, (1, within, (models, settings)))
        total = sum(sd**2 for sd, _, _ in parts)
        truth = 6 / math.pi * math.asin(sum(sd**2 * r for sd, r, _ in parts) / total / 2)
        hits = 0
        for _ in range(studies):
            scores = np.zeros((2, models, settings))
            for sd, r, shape in parts:
                first, second = rng.standard_normal((2, *shape))
                second = r * first + math.sqrt(1 - r * r) * second
                scores += sd * np.stack([first, second])
            x, y = scores.reshape(2, -1)
            found = clustered_spearman(x, y, labels, numbers)
            hits += found is not None and found.low <= truth <= found.high
        covered[name] = hits / studies
    return over_distributions(
        "Spearman's correlation, models and settings left out",
        f"{models} models, {settings} settings, mean of {len(covered)} cases",
        covered,
        studies,
        worst=0.90,
        declared="conservative",
        claim=AGREE,
    )


def _over_data(rng: np.random.Generator, runs: int, studies: int) -> Iterable[Row]:
    names = ("interquartile mean", *(["performance profile"] * len(LEVELS)))
    covered: dict[str, dict[str, float]] = {name: {} for name in names}
    for data in (1, 4):
        counts = _hits(rng, data, runs, studies).tolist()
        where = f"{data} datasets" if data > 1 else "one dataset"
        covered["interquartile mean"][where] = counts[0]
        for level, fraction in zip(LEVELS, counts[1:], strict=True):
            covered["performance profile"][f"{where}, level {level:g}"] = fraction
    labels = {
        "interquartile mean": "interquartile mean over datasets, bootstrap",
        "performance profile": "performance profile, Wilson combined",
    }
    for name, label in labels.items():
        about = f"{runs} runs, mean of {len(covered[name])} cases"
        declared = "conservative" if name == "interquartile mean" else ""
        yield over_distributions(
            label, about, covered[name], studies, worst=0.90, declared=declared, claim=OVER_DATA
        )


def _hits(rng: np.random.Generator, data: int, runs: int, studies: int) -> np.ndarray:
    shifts = np.linspace(-0.3, 0.3, data) if data > 1 else np.zeros(1)
    large = shifts[:, None] + rng.standard_normal((data, 400_000 // data))
    large[rng.random(large.shape) < 0.1] = WORST
    ordered = np.sort(large.ravel())
    middle = ordered[len(ordered) // 4 : -len(ordered) // 4].mean()
    fractions = 0.9 * np.mean(norm.sf(LEVELS - shifts[:, None]), axis=0)
    counts = np.zeros(1 + len(LEVELS))
    for _ in range(studies):
        a = shifts[:, None] + rng.standard_normal((data, runs))
        a[rng.random(a.shape) < 0.1] = WORST
        scores = {str(d): row for d, row in enumerate(a)}
        mean = interquartile_mean(scores, rng=rng, draws=1000)
        counts[0] += mean.low <= middle <= mean.high
        profile = performance_profile(scores, LEVELS)
        counts[1:] += (np.array(profile.low) <= fractions) & (fractions <= np.array(profile.high))
    return counts / studies
