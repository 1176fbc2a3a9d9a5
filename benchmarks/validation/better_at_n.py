"""P(A better than B at n)

Searches select by validation and report test, with 2 % of noise on each. There are twelve pairs of
distributions, among them identical ones, distributions two and three times as bad as each other,
distributions no wider than the noise, and a rare cluster that many searches miss ("tight against
needle").
"""

from collections.abc import Callable, Iterable

import numpy as np

from coequal.statistics.better import better
from coequal.statistics.rates import Interval
from coequal.statistics.search import Search
from validation.common import BAND, Row, over_distributions
from validation.distributions import DISTRIBUTIONS, ScoreDistribution, true_better

TWINS = (
    (DISTRIBUTIONS["good"], DISTRIBUTIONS["good"]),
    (DISTRIBUTIONS["rare50"], DISTRIBUTIONS["rare50"]),
)
PAIRS = (
    *TWINS,
    (DISTRIBUTIONS["good"], DISTRIBUTIONS["good"].times(1.2)),
    (DISTRIBUTIONS["good"], DISTRIBUTIONS["good"].times(2)),
    (DISTRIBUTIONS["good"], DISTRIBUTIONS["good"].times(3)),
    (DISTRIBUTIONS["plain"], DISTRIBUTIONS["good"]),
    (DISTRIBUTIONS["rare"], DISTRIBUTIONS["good"]),
    (DISTRIBUTIONS["good30"], DISTRIBUTIONS["good"]),
    (DISTRIBUTIONS["heavy10"], DISTRIBUTIONS["rare50"]),
    (DISTRIBUTIONS["plain"], DISTRIBUTIONS["plain"].times(1.3)),
    (DISTRIBUTIONS["tight"], DISTRIBUTIONS["tight"].times(1.02)),
    (DISTRIBUTIONS["tight"], DISTRIBUTIONS["needle"]),
)
Make = Callable[[Search, Search], Interval]


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 100 if quick else 500

    def chosen(a: Search, b: Search) -> Interval:
        found = better(a, b)
        return Interval(found.low, found.high)

    for settings in (20, 50, 100):
        for budget in (round(ratio * settings) for ratio in (0.1, 0.2)):
            yield _covered(
                "logit scale, or spacings near 0 and 1",
                settings,
                budget,
                studies,
                chosen,
                worst=0.87,
                declared="approximate: .94 to .97 on average, .88 for the worst pair",
            )
    for settings in (6, 10, 20, 50):
        for budget in sorted({max(1, round(ratio * settings)) for ratio in (0.1, 0.5)}):
            yield _covered(
                "score interval below 20 settings or above n/B 0.2",
                settings,
                budget,
                studies * 2 // 5,
                chosen,
                worst=0.87,
                declared="approximate",
            )


def _covered(
    name: str,
    settings: int,
    budget: int,
    studies: int,
    make: Make,
    *,
    worst: float = BAND[0],
    declared: str = "",
) -> Row:
    rng, covered, widths, apart = np.random.default_rng([6, settings, budget]), {}, [], []
    for a, b in PAIRS:
        truth = true_better(a, b, budget, by_validation=True)
        found = [make(*_searches(a, b, settings, budget, rng)) for _ in range(studies)]
        key = f"{a.name} against {b.name}"
        covered[key] = float(np.mean([low <= truth <= high for low, high in found]))
        widths.append(float(np.mean([high - low for low, high in found])))
        if (a, b) in TWINS:
            apart.append(1 - covered[key])
    remark = f"mean width {np.mean(widths):.2f}; twins told apart in {np.mean(apart):.3f}"
    about = f"B {settings}, n {budget}"
    return over_distributions(
        name, about, covered, studies, worst=worst, declared=declared, remark=remark
    )


def _searches(
    a: ScoreDistribution, b: ScoreDistribution, settings: int, budget: int, rng: np.random.Generator
) -> tuple[Search, Search]:
    first, second = a.draw(rng, (settings,)), b.draw(rng, (settings,))
    return Search(first[1], budget, first[0]), Search(second[1], budget, second[0])
