"""The expected best of n settings

The truth is computed from half a million settings of each distribution. "Chosen by validation": the
search selects by one split and reports the other, each with its own noise of 2 %. Elsewhere it
reports the scores by which it selects. The spacings interval is conservative by construction.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from coequal.statistics.best_of import expected_best
from coequal.statistics.spacings import Spacings
from validation.common import Row, over_distributions
from validation.distributions import ALL, CAP, FLOOR, MAIN, true_best

CLAIMS = {
    "The curve of the best of n is unbiased, and its interval holds the expected score": (
        "11 distributions, B 20 to 100, n up to B/2; with and without a validation split"
    )
}

SIZES = (20, 50, 100)
RATIOS = {False: (0.05, 0.1, 0.2, 0.5), True: (0.1, 0.5)}  # n/B, by whether validation chooses
DRAWS = 2000


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 200 if quick else 1000
    yield from _spacings(studies, by_validation=False)
    yield from _spacings(studies, by_validation=True)
    yield from _bias(4 * studies)


def _spacings(studies: int, *, by_validation: bool) -> Iterator[Row]:
    name = "spacings interval" + (", chosen by validation" if by_validation else "")
    for settings in SIZES:
        rng = np.random.default_rng([1, settings])
        spacings = Spacings(settings, rng, DRAWS)
        drawn = {distribution: distribution.draw(rng, (studies, settings)) for distribution in ALL}
        for budget in (round(ratio * settings) for ratio in RATIOS[by_validation]):
            cells, covered, width = spacings.at(budget), {}, 0.0
            for distribution, (selection_scores, test) in drawn.items():
                truth = true_best(distribution, budget, by_validation=by_validation)
                ends = np.array(
                    [
                        cells.expected_best(
                            scores,
                            floor=FLOOR,
                            cap=CAP,
                            choose_by=chosen_by if by_validation else None,
                        )
                        for scores, chosen_by in zip(test, selection_scores, strict=True)
                    ]
                )
                covered[distribution.name] = float(
                    np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
                )
                width += float(np.mean(ends[:, 1] - ends[:, 0])) / truth / len(ALL)
            yield over_distributions(
                name,
                f"B {settings}, n {budget}",
                covered,
                studies,
                declared="conservative",
                remark=f"mean width {width:.2f} of the value",
            )


def _bias(studies: int) -> Iterator[Row]:
    for settings, budget in ((20, 10), (100, 10), (100, 50)):
        rng, off = np.random.default_rng([3, settings]), []
        for distribution in MAIN:
            # Without failures at the cap in the way, a study is known to some 30 %.
            scores = distribution.draw(rng, (studies, settings))[1]
            found = [expected_best(row, budget, cap=CAP) for row in scores]
            off.append(float(np.mean(found)) / true_best(distribution, budget) - 1)
        yield Row(
            "bias of the mean",
            f"B {settings}, n {budget}, mean of {len(MAIN)} distributions",
            sum(off) / len(off),
            -0.01,
            0.01,
            studies,
            "unbiased",
        )
