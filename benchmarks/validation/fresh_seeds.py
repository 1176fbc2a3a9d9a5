"""Intervals of P and of the ratio, against fresh seeds.

The truth is what a fresh seed of the best of n settings scores, from many searches of the same
distributions. The verdict's intervals, of studies in which the best quarter by validation was
trained once more, are to contain it. "Wrong way": the model that is better on fresh seeds is called
worse. "Joint": the intervals of all pairs of a study contain their truths.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from independent_verdict import Model, truth

from validation.common import Row
from validation.pairs import describe
from validation.simulated import coverage_row, error_row, rules, verdicts

CHANCE = "The interval of P holds the chance that the tuned A beats the tuned B on a fresh seed"
RATIO = "The interval of the ratio holds the ratio of their typical scores on fresh seeds"
JOINT = "All intervals of a study hold at once"
WRONG = "The model that is better on fresh seeds is not called worse, whatever its seed noise"
PLACE = 2
CLAIMS = {
    CHANCE: "10 pairs of models, among them unequal seed noise, failures, collapsing seeds",
    RATIO: "the same",
    JOINT: "8 models, the worst 1.1 to 4 times as bad as the best; correlation 0 and 0.6",
    WRONG: "2 models, seeds 0.1 against 0.3, 0.05 against 0.4, 0.1 against 0.5",
}
UNEQUAL_SEEDS = (
    (Model(seed=0.1), Model(seed=0.3)),
    (Model(seed=0.05), Model(seed=0.4)),
    (Model(seed=0.1), Model(seed=0.5)),
    (Model("bimodal", seed=0.1), Model("bimodal", seed=0.3)),
    (Model("bimodal", seed=0.05), Model("bimodal", seed=0.4)),
)
PAIRS = (
    (Model(), Model(factor=1.3)),
    (Model(), Model(factor=3)),
    (Model("heavy"), Model("bimodal")),
    (Model(failed=0.1), Model(failed=0.4)),
    (Model("narrow"), Model("lucky", factor=1.05)),
    (Model(seed=0.05), Model(seed=0.4)),
    (Model("bimodal", seed=0.05), Model("bimodal", seed=0.4)),
    (Model(collapsed=0.2), Model(collapsed=0.2, factor=1.3)),
    (Model(collapsed=0.2), Model(collapsed=0.4)),
    (Model("narrow", collapsed=0.4), Model("narrow", collapsed=0.4)),
)
EIGHT = [Model(factor=factor) for factor in (1, 1.1, 1.2, 1.4, 1.7, 2, 3, 4)]


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 50 if quick else 400
    for a, b in PAIRS:
        for settings, budget, correlation in ((20, 2, 0.0), (50, 5, 0.6), (100, 2, 0.6)):
            yield from _covered(a, b, settings, budget, correlation, studies)
    for settings in (6, 10, 15):
        yield from _covered(*PAIRS[0], settings, 1, 0.6, studies)
    for settings, budget, correlation in ((20, 2, 0.0), (50, 5, 0.6)):
        yield from _jointly(settings, budget, correlation, studies * 3 // 8)
    for a, b in UNEQUAL_SEEDS:
        for settings, budget in ((50, 5), (100, 10)):
            yield _wrong_way(a, b, settings, budget, studies)


def _covered(
    a: Model, b: Model, settings: int, budget: int, correlation: float, studies: int
) -> Iterator[Row]:
    chance, ratio = truth(a, b, budget)
    rng = np.random.default_rng([31, settings, budget])
    inside: list[list[bool]] = [[], []]
    values: list[list[float]] = [[], []]
    for found in verdicts([a, b], rules(budget, [settings]), studies, rng, correlation):
        (pair,) = found.pairs
        assert pair.probability_interval is not None
        assert pair.ratio_interval is not None
        assert pair.ratio is not None
        (low, high), ends = pair.probability_interval, pair.ratio_interval
        inside[0].append(low <= chance <= high)
        inside[1].append(ends.low <= np.exp(ratio) <= ends.high)
        values[0].append(pair.probability)
        values[1].append(np.log(pair.ratio))
    about = f"{describe(a)} against {describe(b)}, B {settings}, n {budget}"
    about += f", correlation {correlation:g}" if correlation else ""
    remark = f"truth {chance:.3f}, mean estimate {np.mean(values[0]):.3f}"
    yield coverage_row("interval of P", about, inside[0], claim=CHANCE, remark=remark)
    remark = f"truth {np.exp(ratio):.3f}, mean estimate {np.exp(np.mean(values[1])):.3f}"
    yield coverage_row("interval of the ratio", about, inside[1], claim=RATIO, remark=remark)


def _jointly(settings: int, budget: int, correlation: float, studies: int) -> Iterator[Row]:
    rng = np.random.default_rng([32, settings])
    truths = {
        (str(i), str(j)): truth(a, b, budget)
        for i, a in enumerate(EIGHT)
        for j, b in enumerate(EIGHT)
        if i < j
    }
    inside: list[list[bool]] = [[], []]
    for found in verdicts(EIGHT, rules(budget, [settings]), studies, rng, correlation):
        held = [True, True]
        for pair in found.pairs:
            chance, ratio = truths[pair.a, pair.b]
            ends = pair.probability_interval, pair.ratio_interval
            for i, (interval, value) in enumerate(zip(ends, (chance, np.exp(ratio)), strict=True)):
                assert interval is not None
                held[i] &= bool(interval.low <= value <= interval.high)
        for covered, all_held in zip(inside, held, strict=True):
            covered.append(all_held)
    about = f"8 models, B {settings}, n {budget}, correlation {correlation:g}"
    yield coverage_row("28 intervals of P", about, inside[0], claim=JOINT)
    yield coverage_row("28 intervals of the ratio", about, inside[1], claim=JOINT)


def _wrong_way(a: Model, b: Model, settings: int, budget: int, studies: int) -> Row:
    chance, _ = truth(a, b, budget)
    rng = np.random.default_rng([33, settings])
    found = [v.pairs[0].loser for v in verdicts([a, b], rules(budget, [settings]), studies, rng)]
    worse = "1" if chance > 0.5 else "0"
    wrong = [loser is not None and loser != worse for loser in found]
    right = float(np.mean([loser == worse for loser in found]))
    about = f"{describe(a)} against {describe(b)}, B {settings}, n {budget}"
    remark = f"P on fresh seeds {chance:.3f}; right way in {right:.3f}"
    return error_row("wrong way", about, wrong, claim=WRONG, remark=remark)
