"""Models of the same distance that another metric separates

The models are equal: their distances and other metrics have the same true values. A distance has a
known error. The error of another metric has two parts: the images, with a known error of 1, and the
classifiers, of which three (or two) are trained and whose spread is known from these alone. With
re-runs, all errors come from the spread of the runs. All pairs of models are compared in all
metrics. In the last rows, one model is better in one metric by the given number of errors of a
difference.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from coequal.analysis.estimates import Estimate
from coequal.analysis.separation import separated
from validation.common import Row

EQUAL = "Equal models of the same distance are separated in at most 5 % of studies"
SHOWN = "A difference of 20 errors is shown from one training of each model (power)"
CLAIMS = {
    EQUAL: "2, 6 and 12 models, 1 to 6 metrics, two or three classifiers; 2 to 10 re-runs",
    SHOWN: "2 and 6 models, 1 and 4 metrics, three classifiers",
}
ONE_RUN = (
    *((2, 1, 3, spread) for spread in (0.0, 1.0, 5.0)),
    *((6, 4, 3, spread) for spread in (0.0, 1.0, 5.0)),
    (12, 6, 3, 5.0),
    (6, 4, 2, 1.0),
)
"""Models, metrics, classifiers, and the spread of classifiers in errors over images."""
RERUNS = ((2, 1, 2), (6, 4, 2), (6, 4, 3), (6, 4, 10), (12, 6, 10))
"""Models, metrics, re-runs of each."""


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    rng = np.random.default_rng(53)
    studies = 1000 if quick else 4000
    most = 0.05 + 3 * (0.05 * 0.95 / studies) ** 0.5
    for models, metrics, classifiers, spread in ONE_RUN:
        found = sum(
            bool(_separated(rng, models, metrics, classifiers, spread)) for _ in range(studies)
        )
        setting = f"{models} models, {metrics} metrics, {classifiers} classifiers, spread {spread}"
        yield _row("equal models separated, one run each", setting, found / studies, most, studies)
    for models, metrics, runs in RERUNS:
        found = sum(bool(_of_reruns(rng, models, metrics, runs)) for _ in range(studies))
        setting = f"{models} models, {metrics} metrics, {runs} re-runs"
        yield _row("equal models separated, re-runs", setting, found / studies, most, studies)
    for models, metrics in ((2, 1), (6, 4)):
        found = sum(
            any(one.metric == "m0" for one in _separated(rng, models, metrics, 3, 1.0, better=20))
            for _ in range(studies // 4)
        )
        yield Row(
            "a difference of 20 errors is shown",
            f"{models} models, {metrics} metrics, 3 classifiers, spread 1",
            4 * found / studies,
            low=0.8,
            high=1.0,
            studies=studies // 4,
            declared="power",
            claim=SHOWN,
        )


def _row(name: str, setting: str, measured: float, most: float, studies: int) -> Row:
    return Row(name, setting, measured, 0.0, most, studies, declared="promise", claim=EQUAL)


def _separated(
    rng: np.random.Generator,
    models: int,
    metrics: int,
    classifiers: int,
    spread: float,
    better: float = 0.0,
) -> list:
    """One study of one run each; model 0 is better in metric m0 by so many errors of a
    difference."""
    distances = {f"a{k}": Estimate(float(rng.standard_normal()), 1.0) for k in range(models)}
    true_error = np.sqrt(2 * (1 + spread**2 / classifiers))
    others: dict[str, Mapping[str, Estimate]] = {}
    for metric in range(metrics):
        seeds = spread * rng.standard_normal((models, classifiers))
        values = rng.standard_normal(models) + seeds.mean(1)
        errors = np.sqrt(1 + seeds.var(1, ddof=1) / classifiers)
        values[0] += better * true_error * (metric == 0)
        others[f"m{metric}"] = {
            f"a{k}": Estimate(float(values[k]), float(errors[k])) for k in range(models)
        }
    return separated(distances, others)


def _of_reruns(rng: np.random.Generator, models: int, metrics: int, runs: int) -> list:
    """One study of equal models with re-runs."""
    drawn = rng.standard_normal((metrics + 1, models, runs))
    means, errors = drawn.mean(2), drawn.std(2, ddof=1) / np.sqrt(runs)
    distances, *others = [
        {f"a{k}": Estimate(float(m[k]), float(e[k]), runs) for k in range(models)}
        for m, e in zip(means, errors, strict=True)
    ]
    return separated(distances, {f"m{k}": values for k, values in enumerate(others)})
