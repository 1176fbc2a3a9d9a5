"""How many settings would separate two models

The formula is checked first, with the true difference and variances: at its N, four of five studies
must separate the two models. Then the range that is printed is checked, from one search of B
settings: how often it contains the true N, and how often the estimate has the wrong sign.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from coequal.statistics.best_of import standard_error
from coequal.statistics.old_power import settings_for, settings_needed
from coequal.statistics.search import Search
from validation.common import Row
from validation.distributions import CAP, DISTRIBUTIONS, ScoreDistribution, true_best

CASES = (("good", 1.1, 100), ("good", 1.2, 100), ("plain", 1.2, 100), ("good30", 1.2, 100),
         ("rare50", 1.3, 100), ("good", 1.2, 50))  # fmt: skip
BUDGET = 10


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 100 if quick else 500
    for name, factor, settings in CASES:
        yield from _case(DISTRIBUTIONS[name], DISTRIBUTIONS[name].times(factor), settings, studies)


def _case(a: ScoreDistribution, b: ScoreDistribution, settings: int, studies: int) -> Iterator[Row]:
    rng = np.random.default_rng([11, settings])
    difference = math.log(true_best(a, BUDGET) / true_best(b, BUDGET))
    needed = math.ceil(settings_for(difference, (_variance(a, rng), _variance(b, rng))))
    about = f"{a.name} against {b.name}, n {BUDGET}"
    if settings == 100:
        told_apart = []
        for _ in range(studies):
            found = settings_needed(*_pair(a, b, needed, rng), cap=CAP)
            told_apart.append(abs(found.difference) > 1.96 * found.se)
        fraction = float(np.mean(told_apart))
        yield Row(
            "power at the true N", f"{about}, N {needed}", fraction, 0.75, 0.86, studies, "power"
        )
    covering, wrong, open_ended = [], [], []
    for _ in range(studies):
        found = settings_needed(*_pair(a, b, settings, rng), cap=CAP)
        high = math.inf if found.high is None else found.high
        covering.append(found.low <= needed <= high)
        wrong.append(found.difference * difference < 0)
        open_ended.append(found.high is None)
    remark = f"open upward in {np.mean(open_ended):.2f}, wrong sign in {np.mean(wrong):.2f}"
    yield Row(
        "printed range holds the true N",
        f"{about}, from B {settings}",
        float(np.mean(covering)),
        0.65,
        0.92,
        studies,
        "approximate: 80 % aimed at",
        remark,
    )


def _variance(distribution: ScoreDistribution, rng: np.random.Generator) -> float:
    settings = 50_000
    error = standard_error(distribution.draw(rng, (settings,))[1], BUDGET, cap=CAP)
    return settings * (error / true_best(distribution, BUDGET)) ** 2


def _pair(
    a: ScoreDistribution, b: ScoreDistribution, settings: int, rng: np.random.Generator
) -> tuple[Search, Search]:
    left, right = (
        Search(distribution.draw(rng, (settings,))[1], BUDGET) for distribution in (a, b)
    )
    return left, right
