"""The first tier of the verdict, at n = B/10

Wanted: all models of one law (twins) end in one tier in at least 95 % of studies; two standard
errors are allowed for (1 point of 2,000 studies, 2 points of 400). Searches choose by validation
and report test, 2 % of noise on each. "Best kept": no best model left the tier. "Worse kept" is the
power's counterpart: of models 1.05 to 2 times as bad as the two best, the share that stayed."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from coequal.statistics.verdict import Verdict, verdict
from validation.common import Row
from validation.laws import LAWS, Law

WORSE = (1.05, 1.1, 1.2, 1.3, 1.5, 2.0)


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 50 if quick else 400
    for law in ("good", "plain", "rare50"):
        for settings in (20, 50, 100):
            yield _kept("2 twins", [LAWS[law]] * 2, settings, 5 * studies)
    for law, settings in (
        ("good", 20), ("good", 50), ("good", 100), ("plain", 50), ("plain", 100), ("rare50", 50),
        ("rare50", 100), ("good30", 50),
    ):  # fmt: skip
        yield _kept("8 twins", [LAWS[law]] * 8, settings, studies)
    yield _kept("12 twins", [LAWS["good30"]] * 12, 100, studies // 2)
    for law in ("good", "rare50"):
        for settings in (5, 15):
            yield _kept("8 twins, permutation law", [LAWS[law]] * 8, settings, studies // 2)
    for law, settings in (("good", 50), ("good", 100), ("good30", 100)):
        yield from _best_and_worse(LAWS[law], settings, studies // 2)
    yield from _known_difference(studies)


def _kept(name: str, laws: Sequence[Law], settings: int, studies: int) -> Row:
    rng = np.random.default_rng([8, settings, len(laws)])
    together = [len(found.tier) == len(laws) for found in _verdicts(laws, settings, studies, rng)]
    return _promise(
        f"{name} stay in one tier", f"law {laws[0].name}, B {settings}", together, studies
    )


def _best_and_worse(law: Law, settings: int, studies: int) -> Iterator[Row]:
    rng = np.random.default_rng([9, settings])
    laws = [law, law, *(law.times(factor) for factor in WORSE)]
    found = [set(verdict.tier) for verdict in _verdicts(laws, settings, studies, rng)]
    about = f"law {law.name}, B {settings}"
    yield _promise("2 best + 6 worse: best kept", about, [{"0", "1"} <= s for s in found], studies)
    worse = float(np.mean([len(tier - {"0", "1"}) / len(WORSE) for tier in found]))
    yield Row("2 best + 6 worse: worse kept", about, worse, 0.0, 0.8, studies, "power")


def _known_difference(studies: int) -> Iterator[Row]:
    rng, good = np.random.default_rng(10), LAWS["good"]
    found = [v.tier for v in _verdicts([good, good.times(1.2)], 100, studies, rng)]
    share = float(np.mean([tier == ("0",) for tier in found]))
    yield Row(
        "1.2 times as bad is told apart", "law good, B 100", share, 0.85, 0.95, studies, "power"
    )
    survivors = Law("half fail", good.parts, 0.5)
    found = [v.tier for v in _verdicts([good, survivors], 50, studies, rng)]
    lost = float(np.mean([tier == ("1",) for tier in found]))
    about = "law good against the same with 50 % failures, B 50"
    yield Row("the failing one wins by its survivors", about, lost, 0.0, 0.025, studies, "promise")


def _verdicts(
    laws: Sequence[Law], settings: int, studies: int, rng: np.random.Generator
) -> Iterator[Verdict]:
    for _ in range(studies):
        drawn = {str(i): law.draw(rng, (settings,)) for i, law in enumerate(laws)}
        yield verdict(
            {name: test for name, (_, test) in drawn.items()},
            choose_by={name: looked_at for name, (looked_at, _) in drawn.items()},
        )


def _promise(name: str, about: str, kept: Sequence[bool], studies: int) -> Row:
    error = (0.95 * 0.05 / studies) ** 0.5
    return Row(name, about, float(np.mean(kept)), 0.95 - 2 * error, 1.0, studies, "promise")
