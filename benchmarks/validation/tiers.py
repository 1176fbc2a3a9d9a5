"""The first tier of the verdict, at n = B/10

All models of one distribution (twins) should end in one tier in at least 95 % of studies; two
standard errors are allowed for (1 point of 2,000 studies, 2 points of 400). Searches select by
validation and report test, with 2 % of noise on each. "Best kept": no best model was removed from
the tier. "Worse kept" measures power: the fraction that stayed of models 1.05 to 2 times as bad as
the two best.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from coequal.statistics.elimination import Verdict, verdict
from validation.common import Row
from validation.distributions import DISTRIBUTIONS, ScoreDistribution

WORSE = (1.05, 1.1, 1.2, 1.3, 1.5, 2.0)


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 50 if quick else 400
    for distribution in ("good", "plain", "rare50"):
        for settings in (20, 50, 100):
            yield _kept("2 twins", [DISTRIBUTIONS[distribution]] * 2, settings, 5 * studies)
    for distribution, settings in (
        ("good", 20), ("good", 50), ("good", 100), ("plain", 50), ("plain", 100), ("rare50", 50),
        ("rare50", 100), ("good30", 50),
    ):  # fmt: skip
        yield _kept("8 twins", [DISTRIBUTIONS[distribution]] * 8, settings, studies)
    yield _kept("12 twins", [DISTRIBUTIONS["good30"]] * 12, 100, studies // 2)
    for distribution in ("good", "rare50"):
        for settings in (5, 15):
            yield _kept(
                "8 twins, permutation test",
                [DISTRIBUTIONS[distribution]] * 8,
                settings,
                studies // 2,
            )
    for distribution, settings in (("good", 50), ("good", 100), ("good30", 100)):
        yield from _best_and_worse(DISTRIBUTIONS[distribution], settings, studies // 2)
    yield from _known_difference(studies)


def _kept(
    name: str, distributions: Sequence[ScoreDistribution], settings: int, studies: int
) -> Row:
    rng = np.random.default_rng([8, settings, len(distributions)])
    together = [
        len(found.tier) == len(distributions)
        for found in _verdicts(distributions, settings, studies, rng)
    ]
    return _promise(
        f"{name} stay in one tier", f"{distributions[0].name}, B {settings}", together, studies
    )


def _best_and_worse(distribution: ScoreDistribution, settings: int, studies: int) -> Iterator[Row]:
    rng = np.random.default_rng([9, settings])
    distributions = [distribution, distribution, *(distribution.times(factor) for factor in WORSE)]
    found = [set(verdict.tier) for verdict in _verdicts(distributions, settings, studies, rng)]
    about = f"{distribution.name}, B {settings}"
    yield _promise("2 best + 6 worse: best kept", about, [{"0", "1"} <= s for s in found], studies)
    worse = float(np.mean([len(tier - {"0", "1"}) / len(WORSE) for tier in found]))
    yield Row("2 best + 6 worse: worse kept", about, worse, 0.0, 0.8, studies, "power")


def _known_difference(studies: int) -> Iterator[Row]:
    rng, good = np.random.default_rng(10), DISTRIBUTIONS["good"]
    found = [v.tier for v in _verdicts([good, good.times(1.2)], 100, studies, rng)]
    fraction = float(np.mean([tier == ("0",) for tier in found]))
    yield Row(
        "1.2 times as bad is told apart", "good, B 100", fraction, 0.85, 0.95, studies, "power"
    )
    survivors = ScoreDistribution("half fail", good.parts, 0.5)
    found = [v.tier for v in _verdicts([good, survivors], 50, studies, rng)]
    lost = float(np.mean([tier == ("1",) for tier in found]))
    about = "good against good with 50 % failures, B 50"
    yield Row("the failing one wins by its survivors", about, lost, 0.0, 0.025, studies, "promise")


def _verdicts(
    distributions: Sequence[ScoreDistribution],
    settings: int,
    studies: int,
    rng: np.random.Generator,
) -> Iterator[Verdict]:
    for _ in range(studies):
        drawn = {
            str(i): distribution.draw(rng, (settings,))
            for i, distribution in enumerate(distributions)
        }
        yield verdict(
            {name: test for name, (_, test) in drawn.items()},
            choose_by={name: selection_scores for name, (selection_scores, _) in drawn.items()},
        )


def _promise(name: str, about: str, kept: Sequence[bool], studies: int) -> Row:
    error = (0.95 * 0.05 / studies) ** 0.5
    return Row(name, about, float(np.mean(kept)), 0.95 - 2 * error, 1.0, studies, "promise")
